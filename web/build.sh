#!/usr/bin/env bash
# Builds the page into web/dist, which any static server can serve.
# usage: web/build.sh [PROFILE]    PROFILE: wasm, small (the default), or wasm-test, built fast
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-wasm}
folder=web/dist
target=wasm32-unknown-unknown

build=(cargo build --quiet -p gradcam-web --profile "$profile" --target $target)
if rustup target list --installed 2>/dev/null | grep -qx $target; then
    built=${CARGO_TARGET_DIR:-target}
    "${build[@]}"
else
    # Debian's compiler builds the standard library from its source. It may not share a folder with another compiler.
    tools/setup.sh web
    built=${CARGO_TARGET_DIR:-target}/web
    settings=(RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$built")
    settings+=(CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="$(compgen -c wasm-ld- | sort -V | tail -n 1)")
    # For tests also clippy has its say.
    [ "$profile" = wasm ] || settings+=(RUSTC_WORKSPACE_WRAPPER=/usr/bin/clippy-driver CLIPPY_ARGS=-Dwarnings)
    env "${settings[@]}" "${build[@]}" -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size
fi

rm -rf "$folder"
mkdir -p "$folder"
cargo run --quiet -p gradcam-web-tool --profile tool -- bind "$built/$target/$profile/gradcam_web.wasm" "$folder"
cp web/js/* web/page/* examples/*.png examples/*.jpg weights/efficientnet_lite0.safetensors "$folder"
