#!/usr/bin/env bash
# Runs `gradcam verify` on each software driver that is available here. Prints one line per driver. Exits with 1 if one fails.
# usage: check_backends.sh [DRIVERS [ARGUMENTS...]]
#   DRIVERS     from lavapipe, lavapipe-newer, swiftshader, gl, gles and cpu, separated by commas; default: all.
#               lavapipe-newer comes from Debian's backports and is kept in target/. swiftshader comes with Debian's chromium.
#   ARGUMENTS   of gradcam; default: verify
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh run
tools/setup.sh backends
cargo build --release --quiet
drivers=${1:-lavapipe,lavapipe-newer,swiftshader,gl,gles,cpu}
shift || true
[ $# -gt 0 ] || set -- verify
logs=target/backends
mkdir -p "$logs"
failed=0

# Unpacks the newer software driver into target/. The system's driver stays unchanged.
newer() {
    local out=$PWD/target/mesa-newer code mirror lib opt
    lib=$out/root/usr/lib/$(gcc -dumpmachine)
    if [ ! -f "$out/lvp.json" ]; then
        code=$(. /etc/os-release && echo "$VERSION_CODENAME")
        mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources | head -1)
        mkdir -p "$out"/{lists/partial,parts,debs}
        printf "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror %s main\n" "$code-backports" "$code" >"$out/list"
        opt=(-qq -o "Dir::Etc::SourceList=$out/list" -o "Dir::Etc::SourceParts=$out/parts" -o "Dir::State::Lists=$out/lists" -o APT::Sandbox::User=root)
        apt-get "${opt[@]}" update
        (cd "$out/debs" && apt-get "${opt[@]}" download {mesa-vulkan-drivers,mesa-libgallium,libdrm2,libdrm-amdgpu1,libdrm-intel1}/"$code-backports")
        for deb in "$out"/debs/*.deb; do dpkg -x "$deb" "$out/root"; done
        sed "s#\"library_path\": \".*\"#\"library_path\": \"$lib/libvulkan_lvp.so\"#" "$out/root/usr/share/vulkan/icd.d/lvp_icd.json" >"$out/lvp.json"
    fi
    echo "VK_DRIVER_FILES=$out/lvp.json VK_ICD_FILENAMES=$out/lvp.json LD_LIBRARY_PATH=$lib"
}

icd() { echo "VK_DRIVER_FILES=$1 VK_ICD_FILENAMES=$1"; }

for driver in ${drivers//,/ }; do
    place="--backend gl" list="--backend gl" variables=
    case $driver in
    lavapipe) variables=$(icd "$(ls /usr/share/vulkan/icd.d/lvp_icd*.json)") list="--backend vulkan" ;;
    lavapipe-newer) variables=$(newer) list="--backend vulkan" ;;
    swiftshader)
        swift=/usr/lib/chromium/vk_swiftshader_icd.json
        [ -f $swift ] || tools/setup.sh swiftshader
        variables=$(icd $swift) list="--backend vulkan"
        ;;
    gl) ;;
    # wgpu falls back to OpenGL ES if desktop OpenGL is too old.
    gles) variables=MESA_GL_VERSION_OVERRIDE=2.1 ;;
    cpu) place="--device cpu" list= ;;
    *) echo "check_backends: no driver '$driver'" >&2 && exit 1 ;;
    esac
    [ "$list" != "--backend vulkan" ] || place=$list
    name="plain loops"
    [ -z "$list" ] || name=$(env $variables target/release/gradcam devices $list | sed -n 's/^ *0  //p')
    start=$SECONDS
    if env $variables target/release/gradcam "$@" $place >"$logs/$driver.log" 2>&1; then
        outcome=passes
    else
        outcome="FAILS, see $logs/$driver.log: $(tail -1 "$logs/$driver.log")" failed=1
    fi
    echo "$driver ($name): $outcome, $((SECONDS - start)) s"
done
exit $failed
