#!/usr/bin/env bash
# Packs the npm packages from the built page into a folder.
# usage: web/pack.sh FOLDER
set -euo pipefail
folder=$(realpath "$1")
cd "$(dirname "$0")/.."
staged=$(mktemp -d)
trap 'rm -rf "$staged"' EXIT
cp -r web/packages/* "$staged"
cp web/js/* web/dist/gradcam_web.js web/dist/gradcam_web_bg.wasm LICENSE-* "$staged/gradcam"
cp weights/efficientnet_lite0.safetensors weights/LICENSE-efficientnet_lite0 "$staged/gradcam-efficientnet-lite0"
for package in "$staged"/*; do
    (cd "$package" && npm pack --silent --pack-destination "$folder")
done
