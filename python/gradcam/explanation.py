"""What comes back: predictions and maps."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _engine
from .errors import NonFiniteError, RequestError


@dataclass(frozen=True)
class Prediction:
    """A class with its score."""

    index: int
    label: str
    logit: float
    """Score before softmax."""
    probability: float
    """NaN if the scores mean no probabilities."""


@dataclass(frozen=True)
class Map:
    """Why the network chose a class."""

    prediction: Prediction
    method: str
    status: str
    """Whether the map is meaningful: ok, all-negative, zero, constant or non-finite."""
    completeness: float | None
    """Of integrated gradients, how far their sum is from the difference that they explain, as a part of it."""
    similarity: float | None
    """The cosine with the embedding that was given as `similar_to`."""
    raw: NDArray[np.float32] | None = field(repr=False)
    """[h, w]: signed, unscaled, at the layer's size. None if several layers are fused."""
    heatmap: NDArray[np.float32] = field(repr=False)
    """[H, W]: at the size of the network's input, 0 to 1, or -1 to 1 where `normalise` is signed."""


@dataclass(frozen=True)
class Explanation:
    """An image explained. What is asked for most often is that of the first map."""

    image: str
    """Its path, or its place in the list."""
    predictions: list[Prediction]
    """The most probable classes, best first."""
    maps: list[Map]
    """For each class that is explained, one by each method."""
    logits: NDArray[np.float32] = field(repr=False)
    """[classes]: all scores before softmax."""
    embedding: NDArray[np.float32] | None = field(repr=False)
    """What the scores are a linear function of, if asked for."""
    remark: str | None = None
    """What should be said of the picture, such as that it is almost black."""
    _signed: bool = field(default=False, repr=False)
    _picture: Any = field(default=None, repr=False)
    _crop: tuple[float, float, float, float] | None = field(default=None, repr=False)

    @property
    def heatmap(self) -> NDArray[np.float32]:
        """[H, W]: the first map, at the size of the network's input, 0 to 1."""
        return self.maps[0].heatmap

    @property
    def raw(self) -> NDArray[np.float32] | None:
        """[h, w]: the first map, at the layer's size, signed and unscaled."""
        return self.maps[0].raw

    @property
    def status(self) -> str:
        """Whether the first map is meaningful."""
        return self.maps[0].status

    @property
    def prediction(self) -> Prediction:
        """The class that the first map explains."""
        return self.maps[0].prediction

    def overlay(
        self,
        map: int = 0,
        *,
        image: NDArray[np.uint8] | None = None,
        alpha: float = 0.5,
        colormap: str | None = None,
    ) -> NDArray[np.uint8]:
        """The photo under a map's colours: uint8 [H, W, 3] at the photo's own size.

        A photo that was given by its path is read again. `image` is what to draw on instead, all of it: tensors have no photo.

        Args:
            map: Which of the maps.
            image: uint8 [H, W, 3].
            alpha: Opacity of the colours, 0 to 1.
            colormap: jet, turbo, viridis, inferno, gray or bwr; jet, or bwr for signed maps, if not given.
        """
        if self.maps[map].status == "non-finite":
            raise NonFiniteError(f"{self.image}: the scores or the map are not finite, so there is nothing to draw")
        picture, crop = self._picture, self._crop
        if image is not None:
            picture = np.asarray(image)
            if picture.dtype != np.uint8 or picture.ndim != 3:
                raise RequestError(f"image is {picture.dtype} {list(picture.shape)}; uint8 [H, W, 3] is needed")
            crop = (0.0, 0.0, float(picture.shape[1]), float(picture.shape[0]))
        if picture is None or crop is None:
            raise RequestError("a tensor has no photo to draw on; give one as image, uint8 [H, W, 3]")
        colormap = colormap or ("bwr" if self._signed else "jet")
        return _engine.overlay(picture, crop, self.maps[map].heatmap, alpha, colormap, self._signed)

    def save(self, path: str | os.PathLike[str], map: int = 0, **how: Any) -> None:
        """Writes an overlay, completely or not at all, as PNG or, by its ending, as JPEG. `how` is as of `overlay`."""
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if ending not in (".png", ".jpg", ".jpeg"):
            raise RequestError(f"{path}: overlays are .png or .jpg")
        _engine.write(path, _engine.encode(self.overlay(map, **how), "png" if ending == ".png" else "jpg"))

    def _repr_png_(self) -> bytes | None:
        """What notebooks show."""
        if self._picture is None or self.status == "non-finite":
            return None
        return _engine.encode(self.overlay(), "png")


def explanation(
    name: str,
    explained: tuple[Any, ...],
    *,
    signed: bool,
    picture: Any = None,
    crop: Any = None,
    remark: str | None = None,
) -> Explanation:
    """Gives names to what the engine returns."""
    predictions, maps, logits, embedding = explained
    named = [Map(Prediction(*prediction), *rest) for prediction, *rest in maps]
    return Explanation(
        name, [Prediction(*p) for p in predictions], named, logits, embedding, remark, signed, picture, crop
    )
