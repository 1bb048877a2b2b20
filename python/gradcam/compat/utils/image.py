"""Pictures, as pytorch-grad-cam makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ... import _engine
from ...errors import RequestError

if TYPE_CHECKING:
    import torch

_OPENCV = {2: "jet", 20: "turbo", 16: "viridis", 14: "inferno"}
"""OpenCV's numbers of the colour maps that are known here."""


def preprocess_image(img: NDArray[Any], mean: Any = (0.5, 0.5, 0.5), std: Any = (0.5, 0.5, 0.5)) -> torch.Tensor:
    """A normalised tensor [1, C, H, W] of a picture [H, W, C]: bytes, or numbers in 0..1."""
    import torch

    picture = np.asarray(img)
    numbers = picture.astype(np.float32) / 255 if picture.dtype == np.uint8 else picture.astype(np.float32)
    normalised = (numbers - np.float32(mean)) / np.float32(std)
    return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))[None]


def deprocess_image(img: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers as a picture: their mean grey, their deviation a tenth of the range."""
    scaled = (img - np.mean(img)) / (np.std(img) + 1e-5) * 0.1 + 0.5
    grey: NDArray[np.uint8] = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
    return grey


def show_cam_on_image(
    img: NDArray[Any], mask: NDArray[Any], use_rgb: bool = False, colormap: int | str = 2, image_weight: float = 0.5
) -> NDArray[np.uint8]:
    """A heat map in colours over a picture [H, W, 3] of numbers in 0..1, made brighter until its greatest number is 1.

    Args:
        img: The picture, in the order of colours that `use_rgb` says.
        mask: [H, W] in 0..1.
        use_rgb: Whether colours are in the order red, green, blue, and not in OpenCV's.
        colormap: OpenCV's number of jet, turbo, viridis or inferno, or a name of `gradcam.colormaps()`.
        image_weight: The picture's share.
    """
    if np.max(img) > 1:
        raise RequestError("the picture's numbers exceed 1; give float32 in 0..1")
    if not 0 <= image_weight <= 1:
        raise RequestError(f"image_weight is {image_weight}; it lies between 0 and 1")
    name = _OPENCV.get(colormap) if isinstance(colormap, int) else colormap
    colors = _engine.colormaps().get(name or "")
    if colors is None:
        raise RequestError(f"the colour map {colormap} is not known; take one of {', '.join(_engine.colormaps())}")
    # OpenCV's colours are bytes.
    table = np.round(np.array(colors) * 255).astype(np.float32) / 255
    heatmap = table[(255 * np.asarray(mask)).astype(np.uint8)]
    blend = (1 - image_weight) * (heatmap if use_rgb else heatmap[..., ::-1]) + image_weight * img
    return (255 * (blend / np.max(blend))).astype(np.uint8)
