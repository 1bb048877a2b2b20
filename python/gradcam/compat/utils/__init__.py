"""pytorch-grad-cam's helpers."""

from . import image, model_targets

__all__ = ["image", "model_targets"]
