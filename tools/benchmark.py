"""Times gradcam and PyTorch side by side: interleaved rounds in one run, because machines drift.

    python tools/benchmark.py                          # the networks of docs/benchmarks.md, batches of 1 and 8
    python tools/benchmark.py resnet50 --layer layer2 --batch 1 --rounds 7 --json resnet50.json

PyTorch runs a bare forward pass, pytorch-grad-cam, and a hand-written Grad-CAM whose backward pass stops at the layer. It runs
on the CPU, or on the GPU with `--torch cuda`, in full f32 unless `--tf32` lets its products round to 10 bits. Weights are
random, since they do not change the time. All figures are milliseconds an image, medians over rounds. A ratio is the median of
the rounds' own ratios, with the least and the greatest. Exits with 1 if gradcam fails.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

warnings.filterwarnings("ignore")
ROOT = Path(__file__).parent.parent
NETWORKS = ["resnet50", "resnet18", "vgg16", "mobilenet_v2", "squeezenet1_1", "efficientnet_b0", "densenet121"]
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("networks", nargs="*", default=NETWORKS, help="torchvision's names")
parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--layer", help="module path; gradcam's default for the network if not given")
parser.add_argument("--gradcam", default=ROOT / "target/release/gradcam", help="the program")
parser.add_argument("--options", default="", help="further options for it, such as '--variant buffers'")
parser.add_argument("--torch", default="cpu", choices=["cpu", "cuda"], help="where PyTorch runs")
parser.add_argument("--tf32", action="store_true", help="PyTorch's products in TF32, as its convolutions are by default")
parser.add_argument("--json", metavar="FILE", help="writes every round's figures, as (wall, processor), to this file")
args = parser.parse_args()
torch.set_num_threads(os.cpu_count())
torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.tf32


def ours(network):
    """Rows of `gradcam bench`, one for each batch."""
    batches = [word for batch in args.batch for word in ("--batch", str(batch))]
    command = [args.gradcam, "bench", network, "--json", "--runs", "7", *batches, *args.options.split()]
    try:
        run = subprocess.run(command + (["--layer", args.layer] if args.layer else []), capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"{error}: build it with `cargo build --release`, or name another with --gradcam")
    if run.returncode:
        sys.exit(run.stderr.strip() or f"{args.gradcam} ended with {run.returncode}")
    return json.loads(run.stdout)


def clock(call, batch, calls):
    """Medians of wall and processor time in milliseconds an image, after one warm-up call."""
    def finished():
        call()
        if args.torch == "cuda":
            torch.cuda.synchronize()

    finished()
    figures = []
    for _ in range(calls):
        wall, cpu = time.perf_counter(), time.process_time()
        finished()
        figures.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [statistics.median(column) * 1e3 / batch for column in zip(*figures)]


def by_hand(model, layer, x):
    """Grad-CAM of class 3, differentiating only with respect to the layer's output."""
    kept = {}

    def keep(_module, _inputs, output):
        kept["a"] = output.detach().requires_grad_(True)
        return kept["a"].clone()

    hook = layer.register_forward_hook(keep)
    gradient, = torch.autograd.grad(model(x)[:, 3].sum(), kept["a"])
    hook.remove()
    cam = torch.relu((gradient.mean((2, 3), keepdim=True) * kept["a"].detach()).sum(1, keepdim=True))
    return torch.nn.functional.interpolate(cam, size=x.shape[2:], mode="bilinear").cpu().numpy()


def theirs(model, layer, x):
    """Times of the bare forward pass, of pytorch-grad-cam, and of the hand-written Grad-CAM."""
    batch, parameters = len(x), list(model.parameters())
    calls = 3 if batch > 1 else 7

    def forward():
        with torch.inference_mode():
            model(x)

    figures = {"forward": clock(forward, batch, calls)}
    for p in parameters:
        p.requires_grad_(True)
    with GradCAM(model=model, target_layers=[layer]) as cam:
        targets = [ClassifierOutputTarget(3)] * batch
        figures["pytorch-grad-cam"] = clock(lambda: cam(input_tensor=x, targets=targets), batch, max(2, calls // 2))
    for p in parameters:
        p.requires_grad_(False)
    figures["by hand"] = clock(lambda: by_hand(model, layer, x), batch, calls)
    return figures


def spread(rounds, over, under):
    """Median, least and greatest of the rounds' ratios, for wall and processor time."""
    cells = []
    for i in (0, 1):
        ratios = sorted(r[over][i] / r[under][i] for r in rounds)
        cells.append(f"{statistics.median(ratios):.2f} ({ratios[0]:.2f}–{ratios[-1]:.2f})")
    return cells


def machine(row):
    """The CPU, the GPU and the versions of the software."""
    processors = (l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name"))
    where = f" on {torch.cuda.get_device_name()}{', TF32' if args.tf32 else ''}" if args.torch == "cuda" else ""
    return (f"{next(processors, 'processor')}, {os.cpu_count()} cores; PyTorch {torch.__version__}{where}; {row['adapter']}, "
            f"{row['driver']}, variant {row['variant']}; {datetime.date.today()}")


def main():
    measured = {"machine": machine(ours(args.networks[0])[0]), "rows": []}
    print(measured["machine"] + "\n")
    print("| network | batch | gradcam, wall / processor | pytorch-grad-cam | by hand | forward alone "
          "| pytorch-grad-cam ÷ gradcam, wall | processor | gradcam ÷ forward, wall | processor |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for network in args.networks:
        model = torchvision.models.get_model(network, weights=None).eval().to(args.torch)
        rounds = {batch: [] for batch in args.batch}
        for _ in range(args.rounds):
            for batch, row in zip(args.batch, ours(network)):
                layer = dict(model.named_modules())[row["layer"]]
                figures = theirs(model, layer, torch.randn(batch, 3, 224, 224, device=args.torch))
                rounds[batch].append({"gradcam": (row["ms_per_image"], row["cpu_ms_per_image"]), **figures})
        digits = 2 if args.torch == "cuda" else 1
        for batch in args.batch:
            figures = [" / ".join(f"{statistics.median(r[key][i] for r in rounds[batch]):.{digits}f}" for i in (0, 1))
                       for key in ("gradcam", "pytorch-grad-cam", "by hand", "forward")]
            ratios = spread(rounds[batch], "pytorch-grad-cam", "gradcam") + spread(rounds[batch], "gradcam", "forward")
            print("| " + " | ".join([network, str(batch), *figures, *ratios]) + " |", flush=True)
            measured["rows"].append({"network": network, "layer": row["layer"], "batch": batch, "rounds": rounds[batch]})
    if args.json:
        Path(args.json).write_text(json.dumps(measured, indent=1) + "\n")


try:
    main()
except KeyboardInterrupt:
    sys.exit("interrupted")
