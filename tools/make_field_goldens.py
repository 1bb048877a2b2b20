"""Writes tests/goldens/field/: checkpoints as people have them, and what PyTorch computes from them.

    python tools/make_field_goldens.py [CASE ...]

A case is a network with weights from the formula of networks.py, where a tensor's numbers depend on its name in the file. So
the golden holds no weights: it lists the names and extents, and the test makes the file again. It also holds the texts of the
files beside it, the options, the photo, and PyTorch's logits and heat map of the most probable class, every fifth row and column
as 16-bit numbers. The photo is prepared by the library's own transform.
"""
import json
import re
import sys
from pathlib import Path

import networks
import numpy as np
import timm
import torch
import torchvision
import transformers
from PIL import Image
from safetensors.numpy import save_file
from timm.data import create_transform
from torch import nn
from torchvision import transforms as T

ROOT = Path(__file__).parent.parent
GOLDENS = ROOT / "tests/goldens/field"
CAT = "examples/chelsea.png"
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def tv(name, classes=5, **more):
    return torchvision.models.get_model(name, weights=None, num_classes=classes, **more)


def small(**more):
    return tv("shufflenet_v2_x0_5", **more)


def simple(resize=256, crop=224, mode=T.InterpolationMode.BILINEAR, mean=IMAGENET["mean"], std=IMAGENET["std"]):
    return T.Compose([T.Resize(resize, mode), T.CenterCrop(crop), T.ToTensor(), T.Normalize(mean, std)])


def hub(model, architecture, layer, cfg, more=None, entry="pretrained_cfg"):
    """A model with timm's config and timm's own transform."""
    config = {"architecture": architecture, **({entry: cfg} if entry else cfg), **(more or {})}
    data = timm.data.resolve_data_config({}, pretrained_cfg=cfg)
    return dict(model=model, layer=layer, transform=create_transform(**data), config=config)


@case
def data_parallel():
    return dict(model=small(), layer="conv5", rename=lambda k: "module." + k)


@case
def lightning():
    return dict(model=small(), layer="conv5", rename=lambda k: "state_dict.model." + k, extra=["state_dict.criterion.weight"])


@case
def mmpretrain():
    return dict(model=tv("resnet18"), layer="layer4",
                rename=lambda k: "head." + k if k.startswith("fc") else "backbone." + k)


@case
def densenet_before_torch_0_4():
    return dict(model=tv("densenet121"), layer="features",
                rename=lambda k: re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)\.", r"\1.\2.", k))


class Logits(nn.Module):
    """A model of transformers, which returns a record."""
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(pixel_values=x).logits


def hugging(kind, config, layer, target, size, **processor):
    """A model of transformers with its config and image processor; `target` is its module at the layer."""
    model = Logits(getattr(transformers, f"{kind}ForImageClassification")(config))
    processor = {"size": {"shortest_edge": size}, "resample": 3, "image_mean": list(IMAGENET["mean"]),
                 "image_std": list(IMAGENET["std"]), **processor}
    pct = processor.get("crop_pct")
    transform = simple(int(size / pct) if pct else size, size, T.InterpolationMode.BICUBIC)
    return dict(model=model, target=target(model.model), layer=layer, config=config.to_dict(), processor=processor,
                transform=transform, rename=lambda k: k.removeprefix("model."))


def of_kind(kind, **config):
    return getattr(transformers, f"{kind}Config")(num_labels=5, **config)


@case
def transformers_resnet():
    config = of_kind("ResNet", layer_type="basic", hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2])
    return hugging("ResNet", config, "layer4", lambda m: m.resnet.encoder.stages[-1], 224, crop_pct=0.875)


@case
def transformers_resnet_bottleneck():
    config = of_kind("ResNet", hidden_sizes=[256, 512, 1024, 2048], depths=[2, 2, 2, 2])
    return hugging("ResNet", config, "layer4", lambda m: m.resnet.encoder.stages[-1], 160, crop_pct=0.875)


@case
def transformers_regnet():
    config = of_kind("RegNet", layer_type="y", hidden_sizes=[48, 104, 208, 440], depths=[1, 3, 6, 6], groups_width=8)
    return hugging("RegNet", config, "s4", lambda m: m.regnet.encoder.stages[-1], 160)


@case
def transformers_convnext():
    config = of_kind("ConvNext", hidden_sizes=[96, 192, 384, 768], depths=[3, 3, 9, 3])
    return hugging("ConvNext", config, "stages", lambda m: m.convnext.encoder.stages[-1], 160, crop_pct=0.875)


for size in (160, 161):
    CASES[f"transformers_mobilenet_v2_{size}"] = lambda size=size: hugging(
        "MobileNetV2", of_kind("MobileNetV2", depth_multiplier=0.75), "conv_1x1", lambda m: m.mobilenet_v2.conv_1x1, size)


for size, more in ((160, {}), (141, {"depthwise_padding": [5, 8, 16]})):
    scale = dict(width_coefficient=1.1, depth_coefficient=1.2, hidden_dim=1408) if more else \
        dict(width_coefficient=1.0, depth_coefficient=1.0, hidden_dim=1280)
    CASES[f"transformers_efficientnet_{size}"] = lambda size=size, more=more, scale=scale: hugging(
        "EfficientNet", of_kind("EfficientNet", **scale, **more), "encoder.top_conv",
        lambda m: m.efficientnet.encoder.top_conv, size)


@case
def children():
    net = tv("resnet18")
    model = nn.Sequential(*list(net.children())[:-1], nn.Flatten(), net.fc)
    return dict(model=model, target=model[7], layer="layer4")


@case
def fastai():
    class ConcatPool(nn.Module):
        def forward(self, x):
            return torch.cat([nn.functional.adaptive_max_pool2d(x, 1), nn.functional.adaptive_avg_pool2d(x, 1)], 1)
    body = nn.Sequential(*list(tv("resnet18").children())[:-2])
    head = nn.Sequential(ConcatPool(), nn.Flatten(), nn.BatchNorm1d(1024), nn.Dropout(), nn.Linear(1024, 64, bias=False),
                         nn.ReLU(), nn.BatchNorm1d(64), nn.Dropout(), nn.Linear(64, 5, bias=False))
    return dict(model=nn.Sequential(body, head), target=body[7], layer="layer4")


@case
def head_of_two_layers():
    model = small()
    model.fc = nn.Sequential(nn.Linear(1024, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 5))
    return dict(model=model, layer="conv5")


@case
def head_with_norm_and_gelu():
    model = small()
    model.fc = nn.Sequential(nn.Linear(1024, 32), nn.BatchNorm1d(32), nn.GELU(), nn.Dropout(), nn.Linear(32, 5))
    return dict(model=model, layer="conv5", options={"head_activation": "gelu"})


@case
def head_in_place_of_all():
    model = tv("mobilenet_v2")
    model.classifier = nn.Linear(1280, 5)
    return dict(model=model, layer="features", transform=torchvision.models.get_model_weights("mobilenet_v2").DEFAULT.transforms())


@case
def head_of_vgg():
    model = tv("vgg11")
    model.classifier[6] = nn.Sequential(nn.Linear(4096, 16), nn.ReLU(), nn.Linear(16, 5))
    return dict(model=model, layer="features")


@case
def head_without_bias():
    model = small()
    model.fc = nn.Linear(1024, 5, bias=False)
    return dict(model=model, layer="conv5")


@case
def grey():
    model = small()
    model.conv1[0] = nn.Conv2d(1, 24, 3, 2, 1, bias=False)
    transform = T.Compose([T.Grayscale(), T.Resize(256), T.CenterCrop(224), T.ToTensor(), T.Normalize([0.5], [0.5])])
    return dict(model=model, layer="conv5", transform=transform)


@case
def cifar_stem():
    model = tv("resnet18")
    model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    return dict(model=model, layer="layer4", transform=simple(32, 32), options={"crop_pct": 1.0})


@case
def family():
    return dict(model=timm.create_model("resnet50s", num_classes=5), layer="layer4")


@case
def output_stride_16():
    return hub(timm.create_model("resnet26", num_classes=5, output_stride=16), "resnet26", "layer4",
               {"input_size": [3, 160, 160]}, {"model_args": {"output_stride": 16}})


@case
def output_stride_8():
    return hub(timm.create_model("resnet18", num_classes=5, output_stride=8), "resnet18", "layer4",
               {"input_size": [3, 160, 160]}, {"model_args": {"output_stride": 8}})


@case
def global_pool_max():
    return hub(timm.create_model("resnet18", num_classes=5, global_pool="max"), "resnet18", "layer4",
               {"input_size": [3, 160, 160]}, {"global_pool": "max"})


@case
def global_pool_avgmax():
    return hub(timm.create_model("resnet18", num_classes=5, global_pool="avgmax"), "resnet18", "layer4",
               {"input_size": [3, 160, 160]}, {"model_args": {"global_pool": "avgmax"}})


@case
def global_pool_catavgmax():
    return hub(timm.create_model("resnet18", num_classes=5, global_pool="catavgmax"), "resnet18", "layer4",
               {"input_size": [3, 160, 160]}, {"model_args": {"global_pool": "catavgmax"}})


def photo_case(**cfg):
    return hub(small(), "shufflenet_v2_x0_5", "conv5", cfg)


@case
def flat_config():
    cfg = {"input_size": [3, 128, 128], "mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 0.9, "interpolation": "bilinear"}
    return hub(small(), "shufflenet_v2_x0_5", "conv5", cfg, entry=None)


for mode in ("squash", "border"):
    CASES[f"crop_{mode}"] = lambda mode=mode: photo_case(input_size=[3, 128, 160], crop_pct=0.9, crop_mode=mode)
for size in ([3, 160, 224], [3, 224, 96], [3, 97, 131]):
    CASES[f"size_{size[1]}x{size[2]}"] = lambda size=size: photo_case(input_size=size, crop_pct=0.95, **IMAGENET)
for name in ("nearest", "box", "hamming", "lanczos", "bicubic"):
    CASES[f"filter_{name}"] = lambda name=name: photo_case(input_size=[3, 128, 128], interpolation=name)


def bare(name, layer):
    """Weights of torchvision without a word about photos: its own transform of its default weights."""
    weights = torchvision.models.get_model_weights(name).DEFAULT
    return dict(model=tv(name), layer=layer, transform=weights.transforms())


# A transform that is no library's own.
OTHER = {"input_size": [3, 192, 192], "crop_pct": 0.9, "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.25] * 3}

for name, layer in (("mobilenet_v2", "features"), ("efficientnet_b0", "features"), ("resnet50", "layer4"),
                    ("convnext_tiny", "features"), ("regnet_y_400mf", "trunk_output")):
    CASES[f"bare_{name}"] = lambda name=name, layer=layer: bare(name, layer)
    CASES[f"config_{name}"] = lambda name=name, layer=layer: hub(tv(name), name, layer, OTHER)


def timm_bare(name, layer, options=None):
    """Weights of timm without a word about photos: its own transform of its default weights."""
    data = timm.data.resolve_data_config({}, pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    return dict(model=timm.create_model(name, num_classes=5), layer=layer, transform=create_transform(**data), options=options)


for name, layer, options in (("mobilenetv2_100", "bn2", None), ("regnety_004", "s4", None), ("resnet26d", "layer4", None),
                             ("convnext_tiny", "stages", None), ("tf_efficientnet_b0", "bn2", {"arch": "tf_efficientnet_b0"})):
    CASES[f"timm_{name}"] = lambda name=name, layer=layer, options=options: timm_bare(name, layer, options)
    CASES[f"timm_config_{name}"] = lambda name=name, layer=layer: hub(timm.create_model(name, num_classes=5), name, layer, OTHER)


@case
def timm_densenet():
    """timm's `features` is torchvision's after the ReLU."""
    cfg = timm.get_pretrained_cfg("densenet121").to_dict()
    return hub(timm.create_model("densenet121", num_classes=5), "densenet121", "features", cfg)


@case
def tag():
    name = "efficientnet_b0.ra4_e3600_r224_in1k"
    return timm_bare(name, "bn2", {"arch": name})


@case
def one_class():
    return dict(model=small(classes=1), layer="conv5", scores="sigmoid")


@case
def multi_label():
    return dict(model=small(), layer="conv5", scores="sigmoid", config={"problem_type": "multi_label_classification"})


@case
def whole():
    return dict(model=small(), layer="conv5", options={"whole": True},
                transform=T.Compose([T.Resize((224, 337)), T.ToTensor(), T.Normalize(**IMAGENET)]))


@case
def bands():
    """A TIFF of five bands, each resized as Pillow's mode F: the test makes it of the photo's colours and two negatives."""
    model = small()
    model.conv1[0] = nn.Conv2d(5, 24, 3, 2, 1, bias=False)

    def transform(image):
        photo = np.asarray(image)
        numbers = np.concatenate([photo, 255 - photo[..., :2]], 2).astype(np.float32) / 255
        resize, crop = T.Resize(256), T.CenterCrop(224)
        planes = [np.asarray(crop(resize(Image.fromarray(numbers[..., k], "F")))) for k in range(5)]
        return (torch.from_numpy(np.stack(planes)) - 0.5) / 0.5

    return dict(model=model, layer="conv5", transform=transform, photo="bands")


def write(name):
    made = {"transform": simple(), "rename": lambda k: k, "options": None, "scores": "softmax", **CASES[name]()}
    model = made["model"].eval()
    tensors = []
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                key = made["rename"](key)
                tensors.append((key, list(tensor.shape)))
                tensor.copy_(networks.formula(key, tuple(tensor.shape), 1.0))
    image = Image.open(ROOT / CAT).convert("RGB")
    x = made["transform"](image)[None]
    target = made.get("target") or dict(model.named_modules())[made["layer"]]
    with torch.inference_mode():
        logits = model(x)[0]
    best = int(logits.argmax())
    _, maps = networks.grad_cam(model, [target], x, [best])
    order = logits.sort(descending=True).values
    margin = (order[0] - order[1]).item() / logits.abs().max().item() if len(order) > 1 else 1.0
    probabilities = torch.sigmoid(logits) if made["scores"] == "sigmoid" else torch.softmax(logits, 0)
    metadata = {
        "tensors": json.dumps(tensors), "extra": json.dumps(made.get("extra", [])),
        "config": json.dumps(made["config"]) if "config" in made else "",
        "processor": json.dumps(made["processor"]) if "processor" in made else "",
        "options": json.dumps(made["options"] or {}),
        "layer": made["layer"],
        "photo": made.get("photo", ""),
    }
    heat = np.asarray(maps)[0]
    GOLDENS.mkdir(parents=True, exist_ok=True)
    save_file({"logits": logits.numpy(), "probability": probabilities[best].numpy().reshape(1),
               "size": np.array(x.shape[2:], dtype=np.int64),
               "heatmap": (heat[::5, ::5] * 65535).round().astype(np.uint16)}, GOLDENS / f"{name}.safetensors", metadata)
    print(f"{name}: {tuple(x.shape[1:])}, class {best}, margin {margin:.3f}, map mean {heat.mean():.3f}", flush=True)


if __name__ == "__main__":
    for name in sys.argv[1:] or CASES:
        write(name)
