"""Writes tests/data/constructor_arguments.txt: the arguments of the constructors of all listed networks, in timm and torchvision.

    python tools/constructor_arguments.py > tests/data/constructor_arguments.txt
"""
import inspect

import timm
import torch
import torchvision
from transforms import names


def arguments(model):
    for kind in type(model).__mro__[:2]:
        yield from (name for name in inspect.signature(kind.__init__).parameters if name not in ("self", "args", "kwargs"))


if __name__ == "__main__":
    found = set()
    with torch.device("meta"):
        for name in names():
            if timm.is_model(name):
                found.update(arguments(timm.create_model(name)))
            if name in torchvision.models.list_models() and not name.startswith("regnet"):
                found.update(arguments(torchvision.models.get_model(name, weights=None)))
    found.update(arguments(torchvision.models.regnet_x_400mf()))
    print("\n".join(sorted(found)))
