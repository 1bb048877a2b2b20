"""Writes tests/goldens/networks/: results of pytorch-grad-cam on every architecture, with weights from a formula.

    python tools/make_network_goldens.py [NAME ...]

Each network has a file. It holds the gain of the formula and, for each case, the logits of two images, the class explained in
each, and every fifth row and column of the heat maps as 16-bit numbers.

The cases are the default layer at 224×256, and at 193×227 unless the network has more than GIANT parameters. One network of
each family also has an early and a middle layer.
"""
import json
import subprocess
import sys
import time
import warnings
from pathlib import Path

import networks
import numpy as np
import torch
from safetensors.numpy import save_file

warnings.filterwarnings("ignore")
ROOT = Path(__file__).parent.parent
GOLDENS = ROOT / "tests/goldens/networks"
SIZES = [(224, 256), (193, 227)]
# A network with more parameters than this runs at one size only.
GIANT = 100e6
# An early and a middle layer, for one network of each family.
DEEPER = {
    ("torchvision", "alexnet"): ["features.2", "features.7"],
    ("torchvision", "vgg11_bn"): ["features.3", "features.14"],
    ("timm", "vgg11"): ["features.5", "features.12"],
    ("torchvision", "resnet18"): ["layer1.0", "layer2"],
    ("torchvision", "resnext50_32x4d"): ["layer1", "layer3"],
    ("torchvision", "squeezenet1_1"): ["features.3", "features.7"],
    ("torchvision", "densenet121"): ["features.denseblock1", "features.denseblock3.denselayer5"],
    ("torchvision", "googlenet"): ["inception3a", "inception4c"],
    ("torchvision", "inception_v3"): ["Mixed_5b", "Mixed_6c"],
    ("torchvision", "mobilenet_v2"): ["features.4", "features.14"],
    ("torchvision", "mobilenet_v3_small"): ["features.1", "features.6"],
    ("torchvision", "mnasnet1_0"): ["layers.8", "layers.10"],
    ("torchvision", "shufflenet_v2_x1_0"): ["stage2", "stage3.3"],
    ("torchvision", "efficientnet_b0"): ["features.2", "features.4"],
    ("torchvision", "efficientnet_v2_s"): ["features.1", "features.4"],
    ("torchvision", "regnet_x_400mf"): ["trunk_output.block1", "trunk_output.block3.block3-1"],
    ("torchvision", "regnet_y_400mf"): ["trunk_output.block1", "trunk_output.block3.block3-1"],
    ("torchvision", "convnext_tiny"): ["features.1", "features.4"],
    ("timm", "mobilenetv2_100"): ["blocks.2", "blocks.4"],
    ("timm", "mobilenetv3_large_100"): ["blocks.1", "blocks.4"],
    ("timm", "efficientnet_b0"): ["blocks.1", "blocks.4"],
    ("timm", "tf_efficientnet_b0"): ["blocks.1", "blocks.4"],
    ("timm", "tf_efficientnet_lite0"): ["blocks.1", "blocks.4"],
    ("timm", "regnety_004"): ["s1", "s3.b2"],
    ("timm", "convnext_tiny"): ["stages.0", "stages.2.blocks.3"],
}
# On a large image, some activations of these networks are as near to a kink of their function as f32 rounds. Crossing it moves
# the map by 1e-3 to 1e-2. Small images have fewer such activations, and a change of 3e-6 must not cross any.
HARDER = {
    ("torchvision", "vgg11_bn"),
    ("torchvision", "mobilenet_v2"),
    ("torchvision", "mnasnet1_0"),
    ("torchvision", "googlenet"),
    ("torchvision", "resnext50_32x4d"),
    ("timm", "vgg11"),
    ("timm", "mobilenetv2_100"),
    ("timm", "tf_efficientnet_lite0"),
}
SMALL = [(64, 72), (59, 77)]

GOLDENS.mkdir(parents=True, exist_ok=True)
rows = json.loads(subprocess.check_output([ROOT / "target/debug/gradcam", "models", "--json"]))["architectures"]
rows = [row for row in rows if not row["family"]]
for row in rows:
    library, name = row["library"], row["name"]
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    start = time.time()
    model = networks.build(library, name)
    gain = networks.settle(model)
    modules = dict(model.named_modules())
    giant = sum(p.numel() for p in model.parameters()) > GIANT
    cases = [(row["default_layer"], size) for size in SIZES[:1 if giant else 2]]
    harder = (library, name) in HARDER
    cases += [(layer, (SMALL if harder else SIZES)[i % 2]) for i, layer in enumerate(DEEPER.get((library, name), []))]
    golden = {"gain": np.array([gain], dtype=np.float32)}
    search = {"variants": 12, "change": 3e-6} if harder else {}
    for layer, (h, w) in cases:
        if layer == row["default_layer"]:
            variants, x = [0, 0], networks.images(2, h, w)
            classes = networks.telling_classes(model, modules[layer], x)
            logits, maps = networks.grad_cam(model, [modules[layer]], x, classes)
        else:
            difference, variants, classes, logits, maps = networks.conditioned(model, [modules[layer]], h, w, **search)
            print(f"{layer}: PyTorch agrees with itself within {difference:.1e}, images {variants}", flush=True)
        assert maps.max(axis=(1, 2)).min() > 0.99 and (maps > 0.05).sum(axis=(1, 2)).min() > 100, f"{name} at {layer} is blank"
        key = f"{layer} {h}x{w}"
        golden[f"{key} images"] = np.array(variants, dtype=np.int64)
        golden[f"{key} logits"] = logits.numpy()
        golden[f"{key} classes"] = np.array(classes, dtype=np.int64)
        golden[f"{key} heatmap"] = np.round(maps[:, ::5, ::5] * 65535).astype(np.uint16)
    file = GOLDENS / f"{library}-{name}.safetensors"
    save_file(golden, file)
    file.chmod(0o644)
    print(f"{library} {name}: {len(cases)} cases, gain {gain}, {time.time() - start:.1f} s", flush=True)
