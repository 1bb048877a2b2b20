"""Puts this package's classes in the place of the libraries' own, and seeded weights in that of trained ones."""

import copy
import functools
import importlib

import pytest
import torch
import torchvision
from torch import nn


def seeded(make):
    """A network with the same random weights each time."""

    @functools.cache
    def once():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return make()

    @functools.wraps(make)
    def made(*_, **__):
        return copy.deepcopy(once())

    return made


for name in ("resnet18", "vgg11", "mobilenet_v2"):
    setattr(torchvision.models, name, seeded(getattr(torchvision.models, name)))

try:
    import pytorch_grad_cam
except ImportError:
    pass
else:
    from gradcam import compat

    for name in set(compat.__all__) - {"utils"}:
        theirs = getattr(pytorch_grad_cam, name, None)
        setattr(pytorch_grad_cam, name, getattr(compat, name))
        if theirs is not None:
            setattr(importlib.import_module(theirs.__module__), name, getattr(compat, name))

try:
    from torchcam.methods import activation, gradient
except ImportError:
    pass
else:
    from gradcam.compat.torchcam import methods

    for name in methods.__all__:
        for module in (activation, gradient):
            if hasattr(module, name):
                setattr(module, name, getattr(methods, name))


def features(conv, pool):
    return nn.Sequential(
        nn.Sequential(conv(3, 8, 3, padding=1), nn.ReLU(), conv(8, 16, 3, padding=1), nn.ReLU()),
        pool(1),
        nn.Flatten(1),
        nn.Linear(16, 10),
    )


@pytest.fixture
def mock_img_tensor():
    return torch.rand(1, 3, 224, 224)


@pytest.fixture
def mock_video_tensor():
    return torch.rand(1, 3, 8, 16, 16)


@pytest.fixture
def mock_img_model():
    return features(nn.Conv2d, nn.AdaptiveAvgPool2d)


@pytest.fixture
def mock_video_model():
    return features(nn.Conv3d, nn.AdaptiveAvgPool3d)


@pytest.fixture
def mock_fullyconv_model():
    first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
    return nn.Sequential(first, nn.Conv2d(16, 10, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
