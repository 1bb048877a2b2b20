"""Runs gradcam beside pytorch-grad-cam on the same network, weights and images, and prints the differences.

    python tools/compare.py resnet50                       # weights from a formula
    python tools/compare.py mobilenetv2_100 --layer blocks.3 --size 193 227
    python tools/compare.py resnet18 --state my.pth        # your own state dict

Takes any name that `gradcam models` lists. Exits with 1 if logits differ by more than 1e-4 of the largest, if a heat
map differs by more than 1e-3 anywhere, or if the best class differs.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import networks
import torch
from safetensors.torch import load_file, save_file

warnings.filterwarnings("ignore")
ROOT = Path(__file__).parent.parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("names", nargs="+")
parser.add_argument("--layer", action="append", help="module path; several are fused by the mean")
parser.add_argument("--library", choices=["torchvision", "timm"], help="where both have the name")
parser.add_argument("--size", nargs=2, type=int, default=[224, 256], metavar=("H", "W"))
parser.add_argument("--batch", type=int, default=2)
parser.add_argument("--state", help="a state dict of torch.save instead of the formula")
parser.add_argument("--gradcam", default=ROOT / "target/release/gradcam", help="the program")
parser.add_argument("--options", default="", help="further options for it, such as '--device cpu'")
args = parser.parse_args()

rows = json.loads(subprocess.check_output([args.gradcam, "models", "--json"]))["architectures"]
failed = False
for name in args.names:
    matching = [r for r in rows if r["name"] == name and args.library in (None, r["library"])]
    if not matching:
        sys.exit(f"{name}: not among `gradcam models`")
    for row in matching:
        model = networks.build(row["library"], name)
        if args.state:
            model = networks.build(row["library"], name, next(reversed(torch.load(args.state).values())).shape[0])
            model.load_state_dict(torch.load(args.state))
        else:
            networks.settle(model)
        paths = args.layer or [row["default_layer"]]
        layers = [dict(model.named_modules())[path] for path in paths]
        x = networks.images(args.batch, *args.size)
        classes = networks.telling_classes(model, layers[0], x)
        logits, maps = networks.grad_cam(model, layers, x, classes)
        with tempfile.TemporaryDirectory() as folder:
            weights, given, found = (f"{folder}/{n}.safetensors" for n in ("weights", "given", "found"))
            state = {k: v.contiguous() for k, v in model.state_dict().items()}
            save_file(state, weights, {"architecture": name})
            save_file({"input": x, "classes": torch.tensor(classes)}, given)
            command = [args.gradcam, "explain", "--model", weights, "--tensors", given, "--save-tensors", found]
            command += [f"--layer={path}" for path in paths] + [f"--batch={args.batch}", *args.options.split()]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            found = load_file(found)
        logit_error = ((found["logits"] - logits).abs().max() / logits.abs().max()).item()
        map_error = (found["heatmap"][:, 0] - torch.from_numpy(maps)).abs().max().item()
        same = bool((found["logits"].argmax(1) == logits.argmax(1)).all())
        good = logit_error <= 1e-4 and map_error <= 1e-3 and same
        failed |= not good
        raw = found.get("cam", torch.zeros(args.batch, 1, 1, 1))
        share = (raw > 0).float().mean((1, 2, 3)).tolist()
        print(f"{'ok  ' if good else 'FAIL'} {row['library']} {name} at {', '.join(paths)}: logits {logit_error:.1e}, heat maps "
              f"{map_error:.1e}, best class {'same' if same else 'DIFFERS'}; positive share {', '.join(f'{s:.2f}' for s in share)}, "
              f"map spread {maps.std():.2f}", flush=True)
sys.exit(failed)
