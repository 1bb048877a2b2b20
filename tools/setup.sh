#!/usr/bin/env bash
# Installs missing packages on Debian and its relatives. It prints them first. It does not install Rust: https://rustup.rs
# usage: setup.sh run            to run gradcam
#        setup.sh test           to run its tests too
#        setup.sh shaders        to check its shaders with other compilers
#        setup.sh backends       to check gradcam on other drivers
#        setup.sh swiftshader    to check gradcam on SwiftShader
#        setup.sh web            to build the page without rustup's target for it
#        setup.sh browsers       to test the page
#        setup.sh npm            to pack and test its npm packages
#        setup.sh fuzz           to feed damaged files to what reads files
#        setup.sh python         to build and test the Python package
#        setup.sh windows        to check gradcam for Windows, under wine
#        setup.sh macos          to check that it compiles for macOS
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
libraries=$(ldconfig -p 2>/dev/null || true)
has_library() { [[ $libraries == *"$1"* ]]; }
has_file() { compgen -G "$1" >/dev/null; }

[ "$(uname)" = Linux ] || exit 0
packages=()
command -v cc >/dev/null || packages+=(gcc libc6-dev)
has_library libvulkan.so.1 || packages+=(libvulkan1)
has_file '/usr/share/vulkan/icd.d/*.json' || has_file '/etc/vulkan/icd.d/*.json' || packages+=(mesa-vulkan-drivers)
if [[ ${1:-run} =~ ^(test|backends)$ ]]; then
    has_library libEGL.so.1 || packages+=(libegl1)
    has_file '/usr/lib/*/dri/swrast_dri.so' || has_file '/usr/lib64/dri/swrast_dri.so' || packages+=(libgl1-mesa-dri)
fi
if [ "${1:-run}" = test ]; then
    has_file '/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json' || packages+=(vulkan-validationlayers)
fi
if [ "${1:-run}" = shaders ]; then
    command -v spirv-val >/dev/null || packages+=(spirv-tools)
    command -v glslangValidator >/dev/null || packages+=(glslang-tools)
    command -v g++ >/dev/null || packages+=(g++)
fi
if [ "${1:-run}" = swiftshader ]; then
    has_file '/usr/lib/chromium/vk_swiftshader_icd.json' || packages+=(chromium)
fi
if [[ ${1:-run} =~ ^(web|windows|macos)$ ]]; then
    has_file '/usr/lib/rustlib/src/rust/library/std' && [ -x /usr/bin/rustc ] || packages+=(rustc-web rust-web-src)
fi
if [ "${1:-run}" = windows ]; then
    command -v x86_64-w64-mingw32-gcc >/dev/null || packages+=(gcc-mingw-w64-x86-64-win32)
    command -v wine >/dev/null && has_file '/usr/lib/wine/wine64' || packages+=(wine wine64)
    has_library libGL.so.1 || packages+=(libgl1)
    command -v Xvfb >/dev/null || packages+=(xvfb)
fi
if [ "${1:-run}" = web ]; then
    [ -x /usr/bin/clippy-driver ] || packages+=(rust-web-clippy)
    compgen -c wasm-ld- >/dev/null || packages+=(lld-19)
fi
if [ "${1:-run}" = browsers ]; then
    command -v chromium >/dev/null || packages+=(chromium)
    command -v firefox-esr >/dev/null || packages+=(firefox-esr)
fi
if [ "${1:-run}" = fuzz ]; then
    command -v g++ >/dev/null || packages+=(g++)
    command -v python3 >/dev/null || packages+=(python3)
fi
if [ "${1:-run}" = python ]; then
    command -v python3 >/dev/null && python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
fi
if [ "${1:-run}" = npm ]; then
    command -v npm >/dev/null || packages+=(npm)
fi
[ ${#packages[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "setup: missing ${packages[*]} (Debian's names); install them with your package manager" >&2
    exit 1
fi
echo "setup: installing ${packages[*]} with apt-get (a compiler to link with, the Vulkan loader, a software driver, or test tools)"
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
