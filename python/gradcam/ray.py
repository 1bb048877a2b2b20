"""Ray Data: a stateful class for `Dataset.map_batches`. Scheduling, retries and storage are Ray's."""

from __future__ import annotations

import logging
import os
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ._engine import Device
from .explanation import Explanation
from .model import BUNDLED, Model

_LOGGER = logging.getLogger(__name__)

Batch = dict[str, NDArray[Any]]


class Explain:
    """Explains batches of photos on a worker. The model is opened once for each worker.

        photos = ray.data.read_binary_files("photos", include_paths=True)
        maps = photos.map_batches(gradcam.ray.Explain, batch_size=64, concurrency=4, num_gpus=1)
        maps.write_parquet("maps")

    A batch's column `bytes` holds files of photos, or its column `image` arrays of uint8 [H, W, C]. Either is left out of the
    result, which has the other columns and these:

    * `class_index`, `label`, `probability`, `logit`: the class that is explained
    * `status`: whether the map is meaningful
    * `raw`: the map at the layer's size, where it has one
    * `heatmap`: the map at the input's size, if asked for
    * `error`: why a photo could not be explained, else empty; the other columns are then empty, -1 or NaN

    Args:
        model: A name or a path of a model, which each worker can open, or a module of PyTorch's.
        device: As of `gradcam.Model.open`. If not given, a worker with GPUs of Ray's takes the adapter with the index of its first
            one, and a worker without any the best adapter.
        heatmap: The type of the column `heatmap`: 200 or 50 kB a photo of 224 × 224 pixels.
        overlays: A folder for pictures of the maps, which every worker can write. They are named after the column `path`.
        root: What of a path is not a part of its overlay's name.
        options: Options of `gradcam.Model.open`.
        how: What else `gradcam.Model.explain` takes: target_layers, targets, method and others. While the device works on
            `batch_size` photos of a batch, the next ones are decoded.
    """

    def __init__(
        self,
        model: Any = BUNDLED,
        *,
        device: str | None = None,
        heatmap: Literal["float32", "uint8"] | None = None,
        overlays: str | os.PathLike[str] | None = None,
        root: str | os.PathLike[str] | None = None,
        options: dict[str, Any] | None = None,
        **how: Any,
    ) -> None:
        opened = Device(device if device is not None else _assigned())
        is_file = isinstance(model, (str, os.PathLike))
        open = Model.open if is_file else Model.from_torch
        self.model = open(model, device=opened, **(options or {}))
        self.heatmap, self.how = heatmap, how
        self.overlays = None if overlays is None else os.fspath(overlays)
        self.root = None if root is None else os.path.abspath(root)
        _LOGGER.info("%r on %r", self.model, opened)

    def __call__(self, batch: Batch) -> Batch:
        """Explains a batch."""
        given = "bytes" if "bytes" in batch else "image"
        images = list(batch[given])
        found = self.model.explain(images, **self.how, on_error="return")
        result = {name: column for name, column in batch.items() if name != given}
        errors = ["" if isinstance(of, Explanation) else str(of) for of in found]
        if self.overlays is not None:
            for i, path in enumerate(batch["path"]):
                if not errors[i]:
                    errors[i] = self._draw(found[i], str(path))
        good = [of if isinstance(of, Explanation) else None for of in found]
        # Never null: a block without any text would have a column of another type.
        result["class_index"] = np.array([-1 if of is None else of.prediction.index for of in good])
        result["label"] = _column(["" if of is None else of.prediction.label for of in good])
        for name in ("probability", "logit"):
            values = [np.nan if of is None else getattr(of.prediction, name) for of in good]
            result[name] = np.array(values, np.float32)
        result["status"] = _column(["" if of is None else of.status for of in good])
        raws = [None if of is None else of.raw for of in good]
        if any(raw is not None for raw in raws):
            result["raw"] = _maps(raws)
        if self.heatmap is not None:
            maps = [None if of is None else of.heatmap for of in good]
            if self.heatmap == "uint8":
                maps = [None if map is None else np.round(map * 255).astype(np.uint8) for map in maps]
            result["heatmap"] = _maps(maps)
        result["error"] = _column(errors)
        return result

    def _draw(self, explanation: Explanation, path: str) -> str:
        """Writes an overlay. Returns why it could not, or nothing."""
        name = path if self.root is None else os.path.relpath(os.path.abspath(path), self.root)
        place = os.path.join(self.overlays or "", os.path.splitext(name.lstrip("/"))[0] + ".gradcam.jpg")
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            explanation.save(place)
        except (OSError, ArithmeticError) as error:
            return str(error)
        return ""


def _assigned() -> str | None:
    """The index of the GPU that Ray gave this worker."""
    import ray

    if not ray.is_initialized():
        return None
    gpus = ray.get_runtime_context().get_accelerator_ids().get("GPU") or []
    return str(gpus[0]) if gpus else None


def _column(values: list[Any]) -> NDArray[Any]:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _maps(maps: list[NDArray[Any] | None]) -> NDArray[Any]:
    """Maps of one size as one array; a missing one is empty: NaN, or 0 in bytes."""
    first = (
        next(map for map in maps if map is not None)
        if any(map is not None for map in maps)
        else np.zeros((1, 1), np.float32)
    )
    missing = np.full(first.shape, np.nan if first.dtype.kind == "f" else 0, first.dtype)
    return np.stack([missing if map is None else map for map in maps])
