"""The engine behind NumPy arrays and JSON. What people use is around it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Pixels = NDArray[np.uint8]

def methods() -> list[str]:
    """Names of the methods."""

def colormaps() -> dict[str, list[list[float]]]:
    """The colour maps: 256 colours from cold to hot, 0 to 1."""

def driver_settings() -> dict[str, str]:
    """Environment variables that drivers read, which suit this package's work, but for those that are set."""

def overlay(
    picture: str | bytes | Pixels, crop: Sequence[float], heatmap: Array, alpha: float, colormap: str, signed: bool
) -> Pixels:
    """The heat map's colours over the part of a picture that the network saw: bytes [H, W, 3]."""

def set_memory_limit(bytes: int) -> None:
    """Limits the memory that files, pictures, models, the CPU and a software driver may take together, to so many bytes.

    What needs more is refused with an exception, or done in smaller batches. 0 removes the limit, so that only the
    system's free memory counts.
    """

def write(path: str, content: bytes) -> None:
    """Writes a file, completely or not at all."""

def encode(pixels: Pixels, format: str) -> bytes:
    """The bytes of a PNG or JPEG file of an array [H, W, 3]."""

class Device:
    """An open device, or the CPU. It belongs to the process that opened it."""

    name: str
    about: str

    def __init__(
        self,
        name: str | None = None,
        *,
        backend: str | None = None,
        variant: str | None = None,
        precision: str = "f32",
        timeout: float | None = None,
    ) -> None:
        """Opens a device.

        Args:
            name: An index, a part of an adapter's name, or "cpu"; the best adapter if not given.
            backend: vulkan, metal, dx12 or gl.
            variant: A kernel variant; the best one by a short measurement if not given.
            precision: How weights are stored: f32, f16-weights, or f16, which also rounds the operands of large products.
            timeout: Seconds after which the device counts as hanging; 120 if not given.
        """

    def close(self) -> None:
        """Frees the device and all memory on it."""

class Model:
    """A network with its weights, its classes, and how photos become its input."""

    name: str
    architecture: str
    description: str
    remarks: list[str]
    default_layer: str
    labels: list[str]
    scores: str
    classes: int
    channels: int
    size: list[int]

    @staticmethod
    def open(name: str, options: str) -> Model: ...
    @staticmethod
    def parse(name: str, content: bytes, options: str) -> Model: ...
    @staticmethod
    def of_tensors(name: str, tensors: Sequence[tuple[str, Array]], options: str) -> Model: ...
    def layers(self) -> list[tuple[str, int, int, int]]: ...
    def tensors(self) -> dict[str, Array]: ...

class Explainer:
    """A model on a device. Threads wait for each other."""

    def __init__(self, model: Model, device: Device) -> None: ...
    def photos(
        self, pictures: Sequence[tuple[str, Any]], request: str, similar_to: Array | None = None
    ) -> list[Any]: ...
    def tensor(self, images: Array, request: str, similar_to: Array | None = None) -> list[Any]: ...
    def close(self) -> None: ...
