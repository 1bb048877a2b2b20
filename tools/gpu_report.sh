#!/usr/bin/env bash
# Runs all measurements of a machine with a GPU, in at most six minutes:
#
#     tools/gpu_report.sh BINARY OUT/
#
# It needs the program and a Vulkan loader and driver. If python3 has torch, torchvision and grad-cam, it also compares with
# PyTorch on the same GPU. Each step has a time limit and its own files in OUT/. A failed step does not stop the others.
# OUT/steps.tsv lists the exit code of each step.
set -uo pipefail

[ $# = 2 ] || { echo "usage: tools/gpu_report.sh BINARY OUT/" >&2; exit 2; }
binary=$(realpath "$1") out=$2
tools=$(cd "$(dirname "$0")" && pwd)
[ -x "$binary" ] || { echo "gpu_report: $1 is no program; build it with \`cargo build --release\`" >&2; exit 2; }
mkdir -p "$out" || exit 2
out=$(realpath "$out")
export GRADCAM_CACHE=$out/cache
printf 'step\tseconds\texit\n' >"$out/steps.tsv"

# step NAME.EXTENSION LIMIT COMMAND…: writes stdout to that file and stderr to NAME.err.
step() {
    local name=$1 limit=$2 start=$SECONDS code=0
    shift 2
    timeout "$limit" "$@" >"$out/$name" 2>"$out/${name%.*}.err" || code=$?
    [ -s "$out/${name%.*}.err" ] || rm -f "$out/${name%.*}.err"
    printf '%s\t%s\t%s\n' "$name" $((SECONDS - start)) "$code" | tee -a "$out/steps.tsv"
}

networks=(resnet50 resnet18 vgg16 mobilenet_v2 squeezenet1_1 efficientnet_b0 densenet121)
batches=(--batch 1 --batch 8 --batch 32)

step machine.log 10 bash -c 'date -u; uname -sr; nproc; grep -m1 "model name" /proc/cpuinfo; nvidia-smi || true'
step devices.json 30 "$binary" devices --probe --json
step verify.log 60 "$binary" verify --report "$out/verify.json"
step bench.json 75 "$binary" bench "${networks[@]}" "${batches[@]}" --json
if python3 -c 'import torch, torchvision, pytorch_grad_cam; assert torch.cuda.is_available()' 2>/dev/null; then
    step torch.log 75 python3 "$tools/benchmark.py" --gradcam "$binary" --torch cuda --batch 1 8 32 --rounds 1 \
        --json "$out/torch.json"
fi
step variants.json 40 "$binary" bench resnet50 mobilenet_v2 --batch 1 --batch 32 --variant all --json
step precisions.json 40 "$binary" bench resnet50 vgg16 --batch 1 --batch 32 \
    --precision f32 --precision f16-weights --precision f16 --json
step kernels.log 30 "$binary" bench resnet50 vgg16 --batch 1 --batch 32 --kernels
step tune.json 60 "$binary" tune resnet50 vgg16 --json
