"""Writes src/model/zoo/transforms.txt: how the libraries prepare photos for their trained weights.

    python tools/transforms.py > src/model/zoo/transforms.txt

A line is a library, an architecture, a tag, and the transform of the tag's weights. A library's default tag comes first.
"""
import re
import sys
from pathlib import Path

import timm
import torchvision
from timm.models import get_pretrained_cfg, list_pretrained

ZOO = Path(__file__).parent.parent / "src/model/zoo"
NORMALISATIONS = {
    ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)): "imagenet",
    ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)): "half",
    ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)): "none",
    ((0.48235, 0.45882, 0.40784), (1 / 255, 1 / 255, 1 / 255)): "caffe",
    ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)): "clip",
}


def names():
    """The names of all rows."""
    return sorted({name for file in ZOO.glob("*.rs") for name in re.findall(r'"([a-z]+\w+)", ?(?:\||\d|Lib)', file.read_text())})


def line(library, name, tag, size, resize, mode, interpolation, mean, std, extra=""):
    height, width = size
    normalisation = NORMALISATIONS[tuple(mean), tuple(std)]
    print(library, name, tag, f"{height}x{width}", f"{resize:g}", mode, interpolation, normalisation, end=extra + "\n")


def torchvision_lines(name):
    try:
        weights = list(torchvision.models.get_model_weights(name))
    except ValueError:
        return
    default = torchvision.models.get_model_weights(name).DEFAULT
    for weight in sorted(weights, key=lambda weight: weight is not default):
        transform = weight.transforms()
        [size], [resize] = transform.crop_size, transform.resize_size
        # These builders set transform_input when they load trained weights.
        extra = " transform_input" if name in ("googlenet", "inception_v3") else ""
        line("torchvision", name, weight.name, (size, size), resize, "center", transform.interpolation.value,
             transform.mean, transform.std, extra)


def timm_lines(name):
    if not timm.is_model(name):
        return
    default = get_pretrained_cfg(name)
    tags = [tag.removeprefix(name + ".") for tag in list_pretrained(name + ".*")]
    for tag in sorted(tags, key=lambda tag: tag != default.tag):
        cfg = get_pretrained_cfg(f"{name}.{tag}")
        line("timm", name, tag, cfg.input_size[1:], cfg.crop_pct, cfg.crop_mode, cfg.interpolation,
             cfg.mean, cfg.std)


if __name__ == "__main__":
    print(f"# Made by tools/transforms.py of torchvision {torchvision.__version__.split('+')[0]} and timm {timm.__version__}.")
    print("# library, architecture, tag, input size, resize (pixels, or below 2 the part that the crop keeps), crop mode,")
    print("# interpolation, normalisation, and whether torchvision's builder turns transform_input on.")
    for name in names():
        torchvision_lines(name)
        timm_lines(name)
    if not names():
        sys.exit("no rows found")
