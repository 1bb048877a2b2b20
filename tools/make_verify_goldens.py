"""Writes src/verify/goldens/: the PyTorch results that `gradcam verify` compares whole networks with.

    python tools/make_verify_goldens.py

Each network has a file: the logits of one small image, the class explained, and pytorch-grad-cam's raw map and heat map, with
weights from a formula. Another file has the same for the bundled model on a small picture, which is written beside it.
"""
import warnings
from pathlib import Path

import networks
import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.numpy import save_file
from safetensors.torch import load_file
from torchvision import transforms

warnings.filterwarnings("ignore")
ROOT = Path(__file__).parent.parent
GOLDENS = ROOT / "src/verify/goldens"
SIZE = (48, 56)
# Each network with the layer to explain: the default one, or an earlier one with a longer backward pass.
NETWORKS = {
    "resnet18": "layer2",
    "squeezenet1_1": "features",
}
STEP = 3


def raw_map(model, layer, x, c):
    """The raw map, before pytorch-grad-cam clips and scales it."""
    kept = {}
    hook = layer.register_forward_hook(lambda _m, _i, out: kept.update(a=out) or out.clone())
    gradient, = torch.autograd.grad(model(x)[0, c], kept["a"])
    hook.remove()
    return (gradient[0].mean((1, 2), keepdim=True) * kept["a"][0]).sum(0).detach().numpy()


def golden(model, layer, x, c, gain):
    logits, maps = networks.grad_cam(model, [layer], x, [c])
    assert maps.max() > 0.99 and maps.std() > 0.05, "a blank map proves nothing"
    return {
        "gain": np.array([gain], dtype=np.float32),
        "class": np.array([c], dtype=np.int64),
        "logits": logits[0].numpy(),
        "map": raw_map(model, layer, x, c),
        "heatmap": np.round(maps[0, ::STEP, ::STEP] * 65535).astype(np.uint16),
    }


GOLDENS.mkdir(parents=True, exist_ok=True)
for name, path in NETWORKS.items():
    model = networks.build("torchvision", name)
    gain = networks.settle(model)
    layer = dict(model.named_modules())[path]
    x = networks.images(2, *SIZE)[:1]
    c = networks.telling_classes(model, layer, x)[0]
    file = golden(model, layer, x, c, gain)
    # Where an activation is nearer to a kink of its function than f32 rounds, the map has two possible values.
    change = 1 + 1e-6 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    shaken = networks.grad_cam(model, [layer], x * change, [c])[1][0, ::STEP, ::STEP]
    difference = np.abs(shaken - file["heatmap"] / 65535).max()
    print(f"{name} at {path}: gain {gain}, class {c}, PyTorch agrees with itself within {difference:.1e}")
    assert difference < 2e-4
    save_file(file, GOLDENS / f"{name}.safetensors")

model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
weights = load_file(ROOT / "weights/efficientnet_lite0.safetensors")
model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
picture = Image.open(ROOT / "examples/chelsea.png").convert("RGB").resize((150, 100), Image.Resampling.BICUBIC)
picture.save(GOLDENS / "picture.png", optimize=True)
resize = transforms.Compose([transforms.Resize(256, Image.Resampling.BICUBIC), transforms.CenterCrop(224)])
x = (torch.from_numpy(np.array(resize(picture))).permute(2, 0, 1)[None].float() - 127) / 128
with torch.inference_mode():
    c = int(model(x)[0].argmax())
STEP = 5
file = golden(model, model.bn2, x, c, 1.0)
print(f"picture: class {c}")
save_file(file, GOLDENS / "picture.safetensors")
for file in GOLDENS.iterdir():
    file.chmod(0o644)
