"""TorchCAM's extractors: they watch the module's forward pass, and explain its input afterwards."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ... import convert
from ..absent import absent

__all__ = ["CAM", "GradCAM", "GradCAMpp", "LayerCAM", "XGradCAM"]

_LOGGER = logging.getLogger(__name__)


class _CAM:
    """What all extractors share.

    Args:
        model: The network.
        target_layer: A module of it or its path, or a list of these; the last feature map if not given.
        input_shape: Channels, height and width of its input, to find that layer.
        device: As of `gradcam.Model.open`. This argument is no other library's.
    """

    method = "gradcam"
    relu = True

    def __init__(
        self,
        model: nn.Module,
        target_layer: nn.Module | str | list[nn.Module | str] | None = None,
        input_shape: tuple[int, ...] = (3, 224, 224),
        *,
        device: Any = None,
    ) -> None:
        self.model = model
        self._device = device
        layers: list[Any] = target_layer if isinstance(target_layer, list) else [target_layer]
        if target_layer is None:
            found = convert.current(model, np.empty((1, *input_shape), np.float32), device).default_layer
            _LOGGER.warning(f"no value was provided for `target_layer`, thus set to '{found}'.")
            layers = [found]
        if not all(isinstance(layer, (str, nn.Module)) for layer in layers):
            raise TypeError("invalid argument type for `target_layer`")
        self.target_names = convert.paths(model, layers)
        modules = dict(model.named_modules())
        if missing := [name for name in self.target_names if name not in modules]:
            raise ValueError(f"unknown `target_layer` names: {missing}; see `model.named_modules()`")
        self._input: Tensor | None = None
        self._hook = model.register_forward_pre_hook(self._see)

    def _see(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._input = inputs[0].detach()

    def __enter__(self) -> _CAM:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove_hooks()

    def remove_hooks(self) -> None:
        """Watches no more."""
        self._hook.remove()
        self._input = None

    def __call__(
        self, class_idx: int | Sequence[int], scores: Tensor | None = None, normalized: bool = True, **_: Any
    ) -> list[Tensor]:
        """Maps [N, h, w] of the input that the module saw last: one for each layer, at the layer's size.

        Args:
            class_idx: The class, or one for each image.
            scores: Not needed: the input is explained anew.
            normalized: Scale maps to 0..1.
        """
        if self._input is None:
            raise AssertionError("Inputs need to be forwarded in the model for the conv features to be hooked")
        images = convert.tensor(self._input)
        classes = [class_idx] * len(images) if isinstance(class_idx, int) else list(class_idx)
        if any(not isinstance(c, int) or c < 0 for c in classes):
            raise ValueError("Incorrect `class_idx` argument value")
        if len(classes) != len(images):
            raise ValueError("expected batch size and length of `class_idx` to be the same.")
        seen = self._input
        model = convert.current(self.model, images, self._device)
        # Reading the module may have sent an image of its own through it.
        self._input = seen
        maps = []
        for layer in self.target_names:
            found = model.explain(
                images, targets=classes, target_layers=layer, method=self.method, compat="torchcam", predictions=0
            )
            raw = torch.from_numpy(np.stack([of.raw for of in found])).to(seen.device)
            raw = F.relu(raw) if self.relu else raw
            maps.append(self._normalize(raw) if normalized else raw)
        return maps

    @staticmethod
    def _normalize(cams: Tensor, spatial_dims: int | None = None, eps: float = 1e-8) -> Tensor:
        """Each map from its least to its greatest value."""
        spatial = cams.ndim - 1 if spatial_dims is None else spatial_dims
        dims = tuple(range(cams.ndim - spatial, cams.ndim))
        cams = cams - cams.amin(dims, keepdim=True)
        return cams / (cams.amax(dims, keepdim=True) + eps)

    @classmethod
    def fuse_cams(cls, cams: list[Tensor], target_shape: tuple[int, int] | None = None) -> Tensor:
        """The greatest of maps of several layers, at the size of the largest."""
        if not isinstance(cams, list) or any(not isinstance(cam, Tensor) for cam in cams):
            raise TypeError("invalid argument type for `cams`")
        if not cams:
            raise ValueError("argument `cams` cannot be an empty list")
        if len(cams) == 1:
            return cams[0]
        size = target_shape or tuple(max(extents) for extents in zip(*(cam.shape[1:] for cam in cams)))

        def enlarged(cam: Tensor) -> Tensor:
            return F.interpolate(cls._scaled(cam)[:, None], size, mode="bilinear", align_corners=False)[:, 0]

        return torch.stack([enlarged(cam) for cam in cams]).amax(0)

    @staticmethod
    def _scaled(cam: Tensor) -> Tensor:
        return cam

    def _extra_repr(self) -> str:
        return f"target_layer={self.target_names}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._extra_repr()})"


class CAM(_CAM):
    """Zhou et al., arXiv 1512.04150."""

    method, relu = "cam", False


class GradCAM(_CAM):
    """Selvaraju et al., arXiv 1610.02391."""


class GradCAMpp(_CAM):
    """Chattopadhyay et al., arXiv 1710.11063, as TorchCAM's code computes it."""

    method = "gradcam++"


class XGradCAM(_CAM):
    """Fu et al., arXiv 2008.02312."""

    method = "xgradcam"


class LayerCAM(_CAM):
    """Jiang et al., IEEE TIP 2021."""

    method = "layercam"

    @staticmethod
    def _scaled(cam: Tensor) -> Tensor:
        return torch.tanh(2 * cam)


_MISSING = {
    "SmoothGradCAMpp": "its noise is random",
    "ScoreCAM": "it scales maps before it enlarges them, which is not followed",
    "SSCAM": "its noise is random",
    "ISCAM": "it averages over several shares of a map",
    "FinerCAM": "it compares with classes by their likelihood",
    "RefineCAM": "it multiplies maps of several methods",
    "LeGrad": "it explains attention",
}

__getattr__ = absent("gradcam.compat.torchcam.methods", _MISSING, "torchcam.methods")
