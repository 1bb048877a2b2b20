#!/usr/bin/env bash
# Builds the wheel, installs it into fresh environments, and tests it: without PyTorch, then with it.
# usage: python/test.sh [PROFILE] [PART]
#        PROFILE: wheel (the default), or dev, which shares its compiled dependencies with `cargo test`
#        PART: all (the default); bare, without PyTorch; cluster, on a cluster of two Ray nodes; peers, other libraries' own tests
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-wheel}
part=${2:-all}
tools/setup.sh python
target=${CARGO_TARGET_DIR:-target}
here=$PWD/python
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

environment() { # NAME PACKAGE...
    python3 -m venv "$place/$1"
    "$place/$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}"
}

environment build 'maturin>=1.9,<2'
build=("$place/build/bin/maturin" build --quiet --manifest-path python/Cargo.toml --profile "$profile" --out "$place/dist")
# With zig's linker a wheel that is made to last runs on older systems too.
if [ "$profile" = wheel ]; then
    "$place/build/bin/pip" install --quiet --disable-pip-version-check ziglang
    PATH="$place/build/bin:$PATH" "${build[@]}" --zig --compatibility manylinux_2_17
else
    "${build[@]}" --compatibility linux
fi
wheel=$(echo "$place"/dist/*.whl)
if [ "$profile" = wheel ]; then
    bytes=$(stat -c %s "$wheel")
    echo "$(basename "$wheel"): $bytes bytes"
    [ "$bytes" -le $((20 << 20)) ] || { echo "the wheel exceeds 20 MiB" >&2; exit 1; }
    mkdir -p "$target/wheels" && cp "$wheel" "$target/wheels"
fi

# From an empty folder, so that the wheel is imported, and not the folder beside the tests.
run() { # NAME TEST...
    (cd "$place" && "$place/$1/bin/pytest" -q -p no:cacheprovider -c "$here/pyproject.toml" "${@:2}")
}

if [ "$part" = all ] || [ "$part" = bare ]; then
    environment bare "$wheel" pytest hypothesis pillow nbmake ipykernel
    run bare --nbmake "$here/tests" "$here/examples"
fi
if [ "$part" = all ]; then
    environment torch "$wheel" pytest pillow torch torchvision timm onnx onnxscript grad-cam==1.5.7 torchcam==0.5.0
    run torch "$here/tests/test_torch.py" "$here/tests/test_torchcam.py"
fi
if [ "$part" = cluster ]; then
    environment cluster "$wheel" pillow 'ray[data]' pyarrow
    "$place/cluster/bin/python" python/tests/cluster.py
fi
if [ "$part" = peers ]; then
    environment peers "$wheel" pytest psutil opencv-python-headless torch torchvision onnx grad-cam==1.5.7 torchcam==0.5.0
    "$place/peers/bin/python" python/tests/peers/run.py
fi
