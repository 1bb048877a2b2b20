#!/usr/bin/env bash
# Checks what can be checked of the macOS program without Apple's tools: that it compiles up to the linker, and that its shaders in
# Metal's language are well typed and compute what plain loops do, compiled by g++ for the CPU with stand-ins for Apple's headers.
# Prints one line per check. Exits with 1 if one fails. It does not run wgpu's Metal code, Apple's compiler or a GPU.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh test
tools/setup.sh shaders
tools/setup.sh macos

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
out=$target/macos
failed=0

# Prints the outcome of a check in one line.
check() {
    local name=$1 log=$out/$2.log start=$SECONDS
    shift 2
    if "$@" >"$log" 2>&1; then
        echo "$name, $((SECONDS - start)) s"
    else
        echo "$name: FAILS, see $log: $(grep -m1 -e '^error' -e panicked -A1 "$log" || tail -1 "$log")"
        failed=1
    fi
}

# Debian's compiler takes the standard library from its source, because rustup may not be able to fetch it.
compiles() {
    RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 cargo check --quiet --lib --bins -Zbuild-std=std,panic_abort --target aarch64-apple-darwin
}

# The tests of operations in a copy of the tree, made of links, whose `run_gpu` runs the kernels' Metal text instead. A device of
# this machine tells only which variants fit. Two have all kinds of kernels. Run-time checks are wgpu's own. Weights over 128 MiB
# would take hours.
build() {
    rm -rf "$out/tree" "$out/kernels"
    mkdir -p "$out/tree" "$out/kernels"
    ln -s "$PWD"/* "$out/tree"
    rm -f "$out/tree/target" "$out/tree/tests"
    cp -rs "$PWD/tests" "$out/tree"
    rm "$out/tree/tests/common/mod.rs"
    ln -s "$PWD/tools/macos/run.rs" "$out/tree/tests/common/metal.rs"
    sed 's/pub fn run_gpu/fn run_on_gpu/; $a mod metal;\npub use metal::run_gpu;' tests/common/mod.rs >"$out/tree/tests/common/mod.rs"
    cd "$out/tree"
    CARGO_TARGET_DIR=$target cargo test --quiet --no-run --message-format json --test ops |
        sed -n 's/.*"executable":"\([^"]*\/ops-[^"]*\)".*/\1/p' >"$out/ops"
}
runs() { GRADCAM_TEST_VARIANT=$1 GRADCAM_MSL=$out/kernels "$(<"$out/ops")" --skip large_weights; }

mkdir -p "$out"
check "the library and the program compile for aarch64-apple-darwin" compile compiles
tools/check_shaders.sh msl || failed=1
(build)
for variant in buffers-shared textures-subgroup; do
    check "the operations' kernels agree with plain loops, variant $variant" "$variant" runs "$variant"
done
exit $failed
