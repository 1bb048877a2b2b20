"""Models, and `explain`."""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _engine
from . import images as _images
from ._engine import Device
from .errors import AssumptionWarning, RequestError
from .explanation import explanation

if TYPE_CHECKING:
    import torch

BUNDLED = "efficientnet_lite0"
"""The model inside the package."""

Target = int | str
"""A class: its index or its label."""


class Layer(NamedTuple):
    """Channels, rows and columns of a layer."""

    channels: int
    height: int
    width: int


_devices: dict[tuple[int, str | None], Device] = {}
_default_device: str | None = None
_lock = threading.RLock()


def use_device(name: str | None) -> None:
    """Takes another device for all models that are opened from now on: an index, a part of an adapter's name, or "cpu".

    None is the best one, or what the environment's GRADCAM_DEVICE says.
    """
    global _default_device
    _default_device = name


def _device(wanted: Device | str | None) -> Device:
    """The device, which models share."""
    if isinstance(wanted, Device):
        return wanted
    name = wanted or _default_device or os.environ.get("GRADCAM_DEVICE") or None
    with _lock:
        # A fork has to open its own.
        key = (os.getpid(), name)
        if key not in _devices:
            _devices[key] = Device(name)
        return _devices[key]


class Model:
    """A network with its weights. Explaining needs memory on the device, which `close` or a `with` block frees.

    Threads may share a model; they wait for each other. Several models work side by side.
    """

    def __init__(self, engine: _engine.Model, device: Device | str | None, made: tuple[Any, ...] | None) -> None:
        self._engine = engine
        self._device = device
        self._made = made
        self._explainer: tuple[int, _engine.Explainer] | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._unsaid: list[str] = []
        self._outputs: str | None = None
        """What a module makes of the scores that are explained: softmax, sigmoid, or nothing."""

    @classmethod
    def open(
        cls,
        name: str | os.PathLike[str] = BUNDLED,
        *,
        device: Device | str | None = None,
        arch: str | None = None,
        prefix: str | None = None,
        strict: bool | None = None,
        input: str | None = None,
        score: str | None = None,
        grid: Sequence[int] | None = None,
        box: Sequence[float] | None = None,
        head_activation: str | None = None,
        labels: Sequence[str] | str | None = None,
        scores: Literal["softmax", "sigmoid", "none"] | None = None,
        size: int | Sequence[int] | None = None,
        resize: int | Sequence[int] | None = None,
        crop_pct: float | None = None,
        crop_mode: Literal["center", "squash", "border", "whole"] | None = None,
        interpolation: str | None = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        transform_input: bool | None = None,
    ) -> Model:
        """Opens a model: the bundled one by its name, a .safetensors file, what torch.save wrote, an .onnx file, or a folder
        with one. What was assumed about it is an `AssumptionWarning`.

        The options are those of the command line, and take precedence over what files say.

        Args:
            name: The name or the path.
            device: An index, a part of an adapter's name, "cpu", or a `Device`; the best one if not given.
            arch: Architecture of the file, if it does not name its own.
            prefix: What stands before the names of the network's tensors, where a file holds several networks.
            strict: Refuse tensors outside the network instead of ignoring them.
            input: Input of an ONNX file that takes the images, where it has several.
            score: Output of an ONNX file that holds the class scores, where it is not the first.
            grid: Rows and columns of a transformer's patches, where an ONNX file does not tell them.
            box: Part of the image over which the scores of a segmentation are averaged: left, top, right, bottom, 0 to 1.
            head_activation: Activation between the linear layers of a classifier of your own.
            labels: Names of the classes, or a file of them.
            scores: What the class scores mean.
            size: Height and width of the network's input.
            resize: What photos are resized to before the crop.
            crop_pct: Part of the resized photo's sides that the crop keeps.
            crop_mode: How a photo of another aspect meets the input; "whole" explains all of it.
            interpolation: Filter that resizes photos.
            mean: Mean of each channel, or of all, in 0..1.
            std: Standard deviation of each channel, or of all, in 0..1.
            transform_input: Whether the network converts from ImageNet's normalisation.
        """
        options = {k: v for k, v in locals().items() if k not in ("cls", "name", "device") and v is not None}
        name = os.fspath(name)
        model = cls(_engine.Model.open(name, _options(options)), device, (_reopened, name, options))
        for remark in model.remarks:
            warnings.warn(f"{name}: {remark}", AssumptionWarning, stacklevel=2)
        return model

    @classmethod
    def from_torch(
        cls,
        module: torch.nn.Module,
        *,
        size: int | Sequence[int] | None = None,
        device: Device | str | None = None,
        check: bool = True,
        **options: Any,
    ) -> Model:
        """Takes a module of PyTorch's as it is now, in eval mode. Later changes of its weights are not seen.

        torchvision's and timm's networks are recognised by their class and their tensors. Every other module goes through
        `torch.onnx` (which needs the package onnx), in memory. Either way the module and this model see one random image, and
        the model is refused if their scores differ.

        Args:
            module: The network: images [N, C, H, W] in, scores [N, classes] out.
            size: Height and width of its input; the usual ones if not given.
            device: As of `open`.
            check: Whether to compare the scores of a random image.
            options: labels, scores, mean, std and others of `open`.

        Raises:
            WeightsError: The network has an operator that is not supported, which is named, or its scores differ.
        """
        from . import convert

        return convert.model(cls, module, size, device, check, options)

    @property
    def name(self) -> str:
        """The file, or the bundled model's name."""
        return self._engine.name

    @property
    def architecture(self) -> str:
        """Its name in torchvision or timm."""
        return self._engine.architecture

    @property
    def description(self) -> str:
        """What it is, how photos are prepared, and who said so."""
        return self._engine.description

    @property
    def remarks(self) -> list[str]:
        """What was assumed about it, or left out of its files."""
        return self._engine.remarks

    @property
    def labels(self) -> list[str]:
        """Names of the classes, or their numbers."""
        return self._engine.labels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input."""
        height, width = self._engine.size
        return height, width

    @property
    def default_layer(self) -> str:
        """The last feature map before global pooling."""
        return self._engine.default_layer

    @property
    def layers(self) -> dict[str, Layer]:
        """The layers by their module paths, in PyTorch's order, for images of `size`."""
        return {path: Layer(*shape) for path, *shape in self._engine.layers()}

    @property
    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Copies of the trained tensors."""
        return self._engine.tensors()

    @property
    def device(self) -> Device:
        """Where it is explained. It is opened when it is first needed."""
        return _device(self._device)

    def explain(
        self,
        images: Any,
        *,
        target_layers: str | Sequence[str] | None = None,
        targets: Any = None,
        method: str | Sequence[str] = "gradcam",
        top: int = 1,
        predictions: int = 5,
        batch_size: int = 8,
        on_error: Literal["raise", "return"] = "raise",
        score: Literal["logit", "probability", "log-probability", "rest"] = "logit",
        negative: bool = False,
        together_with: Target | Sequence[Target] = (),
        against: Target | Sequence[Target] = (),
        similar_to: NDArray[np.float32] | None = None,
        tap: Literal["pre", "post"] = "post",
        normalise: Literal["minmax", "max", "percentile", "signed", "none"] = "minmax",
        compat: Literal["none", "pytorch-grad-cam", "torchcam", "captum", "tf-keras-vis"] = "none",
        samples: int | None = None,
        noise: float | None = None,
        seed: int = 0,
        channels: int | None = None,
        patch: int | None = None,
        aug_smooth: bool = False,
        eigen_smooth: bool = False,
        embedding: bool = False,
    ) -> Any:
        """Explains images: an `Explanation` for one image, a list of them for several.

        Args:
            images: A path, the bytes of a file, a PIL image, an array of uint8 [H, W, C]; a list of these; or normalised numbers
                [N, C, H, W] or [C, H, W] of NumPy or PyTorch.
            target_layers: Module paths; the maps of several layers are fused by the mean. See `layers`.
            targets: A class by index or label, for all images; a list with one or several for each image; or, for a single
                image, a list of classes. The most probable ones if not given.
            method: One or several of `gradcam.methods()`.
            top: How many of the most probable classes to explain, without targets.
            predictions: How many of the most probable classes to name.
            batch_size: Images that pass the network at once.
            on_error: Whether a picture that cannot be read raises, or its exception stands in its place in the list.
            score: The number of the class whose gradient is taken.
            negative: Show what speaks against the class.
            together_with: Show the class and these together, by the mean of their scores.
            against: Show what tells the class from these.
            similar_to: An `Explanation.embedding`: show what makes images similar to that one, instead of a class.
            tap: Whether a layer that ends in an activation is looked at before it or after it.
            normalise: How a map is scaled.
            compat: Make the heat map as another library does.
            samples: Images that a method averages over.
            noise: Standard deviation of the noise, as a part of the image's range.
            seed: Other noise and other masks for another seed.
            channels: Let scorecam and ablationcam try only the channels whose values differ most.
            patch: Side of the squares of occlusion, in pixels of the input.
            aug_smooth: Average the maps of the image, of a darker and a brighter one, and of all three mirrored.
            eigen_smooth: Take the first principal component of a layer's channels where a method takes their sum.
            embedding: Return embeddings too.
        """
        pictures, single = _images.given(images)
        methods = [method] if isinstance(method, str) else list(method)
        layers = [target_layers] if isinstance(target_layers, str) else target_layers
        if layers is not None and not all(isinstance(layer, str) for layer in layers):
            raise TypeError("target_layers are module paths; gradcam.compat takes modules")
        if on_error not in ("raise", "return"):
            raise RequestError(f"on_error is {on_error!r}; it is 'raise' or 'return'")
        if batch_size < 1:
            raise RequestError(f"batch_size is {batch_size}; at least one image passes at once")
        if len(pictures) == 0:
            raise RequestError("there is nothing to explain: no images")
        request = {
            "targets": _images.targets(targets, len(pictures), single, top),
            "layers": None if layers is None else list(layers),
            "methods": methods, "score": score, "negative": negative,
            "together_with": _images.classes(together_with), "against": _images.classes(against),
            "tap": tap, "normalise": normalise, "compat": compat, "samples": samples, "noise": noise, "seed": seed,
            "channels": channels, "patch": patch, "aug_smooth": aug_smooth, "eigen_smooth": eigen_smooth,
            "predictions": predictions, "embedding": embedding,
            "batch_size": batch_size, "skip": on_error == "return",
        }  # fmt: skip
        text, signed = _json(request), normalise == "signed"
        explainer = self._ready()
        if isinstance(pictures, np.ndarray):
            explained = explainer.tensor(pictures, text, similar_to)
            names = ["the image"] if single else [f"image {i}" for i in range(len(explained))]
            found: list[Any] = [explanation(name, of, signed=signed) for name, of in zip(names, explained)]
        else:
            self._say()
            found = [
                of if isinstance(of, BaseException) else
                explanation(name, of[0], signed=signed, picture=picture, crop=of[1], remark=of[2])
                for (name, picture), of in zip(pictures, explainer.photos(pictures, text, similar_to))
            ]  # fmt: skip
        return found[0] if single else found

    def _ready(self) -> _engine.Explainer:
        """The explainer of this process."""
        with self._lock:
            if self._closed:
                raise RequestError("the model is closed; open it again")
            if self._explainer is None or self._explainer[0] != os.getpid():
                self._explainer = (os.getpid(), _engine.Explainer(self._engine, self.device))
            return self._explainer[1]

    def _say(self) -> None:
        """Says what was assumed about photos, once."""
        unsaid, self._unsaid = self._unsaid, []
        for remark in unsaid:
            warnings.warn(f"{self.name}: {remark}", AssumptionWarning, stacklevel=3)

    def close(self) -> None:
        """Frees its memory on the device."""
        with self._lock:
            if self._explainer is not None and self._explainer[0] == os.getpid():
                self._explainer[1].close()
            self._explainer, self._closed = None, True

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process opens the model again, on that process's device."""
        if self._made is None:
            raise TypeError("this model cannot be pickled; pass the path, or the module, and open it there")
        open, *arguments = self._made
        device = self._device if not isinstance(self._device, Device) else self._device.name
        return (open, (*arguments, device))

    def __repr__(self) -> str:
        return f"<gradcam.Model {self.name}: {self.description}>"


def _reopened(name: str, options: dict[str, Any], device: str | None) -> Model:
    return Model.open(name, device=device, **options)


def _options(options: dict[str, Any]) -> str:
    """Options of a model, as the engine reads them."""
    read = dict(options)
    for side in ("size", "resize"):
        if isinstance(read.get(side), int):
            read[side] = [read[side]] * 2
    for numbers in ("mean", "std"):
        if isinstance(read.get(numbers), (int, float)):
            read[numbers] = [read[numbers]]
    return _json(read)


def _json(request: dict[str, Any]) -> str:
    def plain(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise TypeError(f"{value!r} is a {type(value).__name__}, which says nothing here")

    return json.dumps(request, default=plain)


_opened: dict[tuple[int, str], Model] = {}


def explain(images: Any, *, model: Model | str | os.PathLike[str] | torch.nn.Module = BUNDLED, **how: Any) -> Any:
    """Explains images with a model: an `Explanation` for one image, a list of them for several.

    Args:
        images: As of `Model.explain`.
        model: A `Model`, a name or a path of one, or a module of PyTorch's. It stays open for the next call.
        how: What else `Model.explain` takes: target_layers, targets, method, top, batch_size and others.
    """
    if isinstance(model, (str, os.PathLike)):
        key = (os.getpid(), os.fspath(model))
        with _lock:
            if key not in _opened:
                _opened[key] = Model.open(model)
            model = _opened[key]
    elif not isinstance(model, Model):
        from . import convert

        model = convert.current(model, _images.given(images)[0])
    return model.explain(images, **how)
