"""What people give as images, as the engine takes it."""

from __future__ import annotations

import operator
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import RequestError

Picture = tuple[str, Any]
"""A name, and a path, bytes, or an array of uint8 [H, W, C]."""


def is_tensor(thing: Any) -> bool:
    """Whether it is PyTorch's, without importing PyTorch."""
    return type(thing).__module__.partition(".")[0] == "torch" and hasattr(thing, "detach")


def numbers(tensor: Any) -> NDArray[Any]:
    """An array of a tensor of PyTorch's. It shares memory where it can."""
    tensor = tensor.detach()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()
    array: NDArray[Any] = tensor.resolve_conj().resolve_neg().cpu().numpy()
    return array


def given(images: Any) -> tuple[list[Picture] | NDArray[np.float32], bool]:
    """The pictures with their names, or numbers [N, C, H, W]; and whether there is one image, and no list."""
    if is_tensor(images):
        images = numbers(images)
    if isinstance(images, np.ma.MaskedArray):
        raise RequestError("the images are masked, which no network sees; fill them")
    if isinstance(images, (list, tuple)):
        if images and all(_is_float(image) for image in images):
            return _stacked(images), False
        return [_picture(image, f"image {i}") for i, image in enumerate(images)], False
    if isinstance(images, np.ndarray) and images.dtype != np.uint8:
        if images.dtype.kind != "f":
            raise RequestError(
                f"images are of {images.dtype}; pictures are of uint8 [H, W, C], normalised tensors of float32 [N, C, H, W]"
            )
        if images.ndim not in (3, 4):
            raise RequestError(
                f"images are of {images.dtype} {list(images.shape)}; normalised tensors are [N, C, H, W] or [C, H, W]"
            )
        batch = images.astype(np.float32, copy=False)
        return (batch, False) if images.ndim == 4 else (batch[None], True)
    if isinstance(images, np.ndarray) and images.ndim == 4:
        return [_picture(image, f"image {i}") for i, image in enumerate(images)], False
    return [_picture(images, "the image")], True


def _is_float(image: Any) -> bool:
    dtype = getattr(image, "dtype", None)
    return getattr(dtype, "is_floating_point", getattr(dtype, "kind", "") == "f")


def _stacked(images: Any) -> NDArray[np.float32]:
    """Images [C, H, W] of a list as one batch."""
    arrays = [numbers(image) if is_tensor(image) else np.asarray(image) for image in images]
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1 or arrays[0].ndim != 3:
        raise RequestError(f"the tensors of a list are [C, H, W] of one shape, not {sorted(map(list, shapes))}")
    return np.stack(arrays).astype(np.float32, copy=False)


def _picture(image: Any, name: str) -> Picture:
    if isinstance(image, (str, os.PathLike)):
        path = os.fspath(image)
        return (os.fsdecode(path), path)
    if isinstance(image, (bytes, bytearray, memoryview)):
        return (name, bytes(image))
    if type(image).__module__.partition(".")[0] == "PIL":
        # As torchvision does: colours, without transparency and without turning.
        return (getattr(image, "filename", "") or name, np.asarray(image.convert("RGB")))
    if is_tensor(image):
        image = numbers(image)
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"{name} is a {type(image).__name__}; an image is a path, bytes of a file, a PIL image, or an array"
        )
    if image.dtype != np.uint8:
        raise RequestError(f"{name} is of {image.dtype} {list(image.shape)}; a picture is of uint8 [H, W, C]")
    if image.ndim == 2:
        image = image[:, :, None]
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4):
        raise RequestError(
            f"{name} is of uint8 {list(image.shape)}; a picture is [H, W], or [H, W, C] with 1, 3 or 4 channels last"
        )
    return (name, image)


def targets(given: Any, count: int, single: bool, top: int) -> dict[str, Any]:
    """The classes of each image."""
    if given is None:
        return {"top": _index(top, "top")}
    if is_tensor(given):
        given = numbers(given)
    if isinstance(given, np.ndarray):
        given = given.tolist()
    if not isinstance(given, (list, tuple)):
        return {"each": [[_class(given)]] * count}
    if single:
        given = [given]
    if len(given) != count:
        raise RequestError(f"targets are given for {len(given)} images of {count}")
    each = [
        [_class(c) for c in classes] if isinstance(classes, (list, tuple)) else [_class(classes)] for classes in given
    ]
    return {"each": each}


def _index(number: Any, what: str) -> int:
    try:
        index = operator.index(number)
    except TypeError:
        raise TypeError(f"{what} is a {type(number).__name__}, not a number") from None
    if index < 0 or isinstance(number, bool):
        raise RequestError(f"{what} is {number}, not a number from 0 on")
    return index


def _class(target: Any) -> int | str:
    return target if isinstance(target, str) else _index(target, "a target")


def classes(given: Any) -> list[int | str]:
    """One class, or several."""
    return [_class(c) for c in given] if isinstance(given, (list, tuple)) else [_class(given)]
