"""Writes tests/data/*.pth: files of torch.save as people have them, small ones, with numbers that a test can check.

    python tools/make_checkpoints.py
"""
from pathlib import Path

import torch
from torch import nn

DATA = Path(__file__).parent.parent / "tests/data"


def main():
    numbers = torch.arange(24, dtype=torch.float32) / 8
    shared = numbers.reshape(4, 6)
    state = {
        "plain": shared,
        "transposed": shared.t(),
        "part": shared[1:3, 2:5],
        "half": numbers[:4].half(),
        "bfloat": numbers[:4].bfloat16(),
        "double": numbers[:4].double(),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "parameter": nn.Parameter(numbers[:3].clone()),
        "counter": torch.tensor(7),
    }
    checkpoint = {"epoch": 3, "loss": 0.25, "state_dict": state, "hyper_parameters": {"name": "x", "sizes": (1, 2)},
                  "optimizer": {"param_groups": [{"lr": 0.1}]}, "best": None, "done": True}
    torch.save(checkpoint, DATA / "checkpoint.pth")
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    with torch.no_grad():
        for i, tensor in enumerate(model.state_dict().values()):
            if tensor.is_floating_point():
                tensor.copy_(torch.arange(tensor.numel(), dtype=torch.float32).reshape(tensor.shape) + i)
    torch.save(model, DATA / "whole.pth")
    torch.save(state, DATA / "old.pth", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(model), DATA / "script.pth")


if __name__ == "__main__":
    main()
