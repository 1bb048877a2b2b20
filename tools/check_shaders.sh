#!/usr/bin/env bash
# Checks naga's translations of every variant of every shader with compilers independent of naga: spirv-val for SPIR-V,
# glslangValidator for GLSL, Microsoft's DXC for HLSL. For Metal's language it uses g++ with a stand-in for Apple's headers
# (tools/metal), because Apple's own compiler is not available. Prints the first shader that is refused.
# usage: check_shaders.sh [spirv|glsl|hlsl|msl]...    default: all; hlsl downloads DXC once, 67 MB
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh shaders
texts=$(mktemp -d)
trap 'rm -rf "$texts"' EXIT
GRADCAM_SHADER_TEXTS=$texts cargo test --quiet --test shaders every_variant_translates >/dev/null

# Runs a command over all files of one kind in parallel, and prints how many there were.
over() {
    local kind=$1 name=$2 at_once=$3 files file
    shift 3
    cd "$texts"
    files=$(ls -- *."$kind")
    if xargs -P "$(nproc)" -n "$at_once" "$@" <<<"$files" >/dev/null 2>&1; then
        echo "$kind: $(wc -l <<<"$files") variants pass $name"
        return
    fi
    for file in $files; do
        "$@" "$file" >log 2>&1 && continue
        echo "$kind: $name refuses $(head -1 "${file%.*}.wgsl" | cut -c4-): $(grep -im1 error log || head -1 log)" >&2
        exit 1
    done
}

# One run of g++ takes several files, each in its own namespace. This is seven times as fast as one run per file. In Metal 1.0 is
# a float, not a double. Some variants load values that they do not use, which is not a fault.
msl() {
    for file; do
        printf 'namespace text%s {\n#include "%s"\n}\n' "${file%%-*}" "$file"
    done | g++ -x c++ -std=c++17 -fsyntax-only -fsingle-precision-constant -Wall -Wextra -Wconversion -Wsign-conversion \
        -Wno-unused -Werror -I "$root/tools/metal" -include metal_stdlib -
}

export root=$PWD
export -f msl
for kind in ${@:-spirv glsl hlsl msl}; do
    case $kind in
    spirv) over spv spirv-val 1 spirv-val --target-env vulkan1.1 ;;
    glsl) over comp glslangValidator 64 glslangValidator ;;
    hlsl) over hlsl DXC 64 python3 "$root/tools/dxc.py" ;;
    msl) over metal "g++ with a stand-in for Apple's headers" 64 bash -c 'msl "$@"' msl ;;
    *) echo "check_shaders: '$kind' is none of spirv, glsl, hlsl, msl" >&2 && exit 1 ;;
    esac
done
