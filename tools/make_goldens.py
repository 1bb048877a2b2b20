"""Writes tests/goldens/lite0/: results of pytorch-grad-cam on the example photos, with the bundled weights.

* For each photo, its crop by PyTorch's transforms.
* For each photo and each of three layers, and for two layers fused, a 16-bit picture with the heat maps of three classes, one
  below the other.
* The logits and classes of all photos.

    python tools/make_goldens.py
"""
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import load_file, save_file
from torchvision import transforms

ROOT = Path(__file__).parent.parent
GOLDENS = ROOT / "tests/goldens/lite0"
LAYERS = ["bn2", "blocks.4.2", "blocks.2"]
PHOTOS = ["chelsea.png", "coffee.png", "rocket.jpg"]

GOLDENS.mkdir(parents=True, exist_ok=True)
model = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
weights = load_file(ROOT / "weights/efficientnet_lite0.safetensors")
model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
modules = dict(model.named_modules())
resize = transforms.Compose([transforms.Resize(256, Image.Resampling.BICUBIC), transforms.CenterCrop(224)])

all_logits, all_classes = [], []
for photo in PHOTOS:
    crop = resize(Image.open(ROOT / "examples" / photo).convert("RGB"))
    stem = Path(photo).stem
    crop.save(GOLDENS / f"{stem}.png")
    x = (torch.from_numpy(np.array(crop)).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.inference_mode():
        logits = model(x)[0]
    # The predicted class and two others, one of them improbable.
    classes = [int(logits.argmax()), int(logits.argsort()[-3]), 100]
    all_logits.append(logits)
    all_classes.append(torch.tensor(classes))
    for layer in [*LAYERS, "blocks.2+bn2"]:
        with GradCAM(model=model, target_layers=[modules[path] for path in layer.split("+")]) as cam:
            maps = [cam(input_tensor=x, targets=[ClassifierOutputTarget(c)])[0] for c in classes]
        maps = np.concatenate(maps)
        assert maps.max() > 0.99 and maps.std() > 0.05, "a blank map proves nothing"
        Image.fromarray(np.round(maps * 65535).astype(np.uint16)).save(GOLDENS / f"{stem}-{layer}.png", optimize=True)
save_file({"logits": torch.stack(all_logits).clone(), "classes": torch.stack(all_classes)}, GOLDENS / "scores.safetensors")
(GOLDENS / "scores.safetensors").chmod(0o644)
