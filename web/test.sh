#!/usr/bin/env bash
# Tests the page in Chromium and Firefox, beside the program on the same driver.
# usage: web/test.sh short|full
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh test
tools/setup.sh browsers
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}

profile=wasm-test
[ "$1" = full ] && profile=wasm
web/build.sh $profile
cargo build --quiet --example seeded --bin gradcam
built=${CARGO_TARGET_DIR:-target}
expected=$(mktemp -d)
trap 'rm -rf "$expected"' EXIT
explain() { "$built/debug/gradcam" explain examples/chelsea.png --output "$expected" "$@" >/dev/null; }
explain --save-tensors "$expected/native.safetensors"

# page PAGE BROWSER: prints what the page says.
page() {
    echo "== $1 in $2"
    "$built/tool/gradcam-web-tool" test "$2" "$1" web/dist web/tests "$expected"
}

if [ "$1" = short ]; then
    page 'engine.html?variants=buffers,textures' firefox
    page 'engine.html?variants=textures' chromium
    page 'page.html?short' firefox
    exit
fi
for name in resnet18 densenet121; do
    "$built/debug/examples/seeded" $name "$expected/$name.safetensors"
    explain --model "$expected/$name.safetensors" --save-tensors "$expected/$name.native.safetensors"
done
for browser in firefox chromium; do
    for name in engine page own memory; do
        page $name.html $browser
    done
    GRADCAM_WITHOUT_WEBGPU=1 page none.html $browser
done
web/test_packages.sh
