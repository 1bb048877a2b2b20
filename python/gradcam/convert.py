"""Modules of PyTorch's as models: recognised by class and tensors, or through ONNX, in memory. Both are checked."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import threading
import warnings
import weakref
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from . import _engine
from ._engine import Device
from .errors import GradcamError, RequestError, WeightsError
from .images import numbers
from .model import _options

if TYPE_CHECKING:
    from .model import Model

LIBRARIES = ("torchvision", "timm")
"""Where the classes are from whose tensors are enough."""

TOLERANCE = 1e-3
"""How far the scores of the random image may be apart, as a part of the greatest of them."""


def model(
    cls: type[Model],
    module: torch.nn.Module,
    size: int | Sequence[int] | None,
    device: Device | str | None,
    check: bool,
    options: dict[str, Any],
) -> Model:
    """The model of a module, see `Model.from_torch`."""
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"a torch.nn.Module is needed, not a {type(module).__name__}")
    arguments = (size, check, options)
    size = (size, size) if isinstance(size, int) else None if size is None else (int(size[0]), int(size[1]))
    what = type(module).__name__
    refused = None
    with _evaluating(module):
        if type(module).__module__.partition(".")[0] in LIBRARIES:
            try:
                made = cls(_recognised(module, what, size, options), device, None)
                if check:
                    _compare(made, module)
                return _finished(made, module, arguments)
            except (WeightsError, RequestError) as error:
                refused = error
        try:
            made = cls(_exported(module, what, size, options), device, None)
            if check:
                _compare(made, module)
        except GradcamError as error:
            raise error from refused
    return _finished(made, module, arguments)


def _finished(made: Model, module: torch.nn.Module, arguments: tuple[Any, ...]) -> Model:
    made._unsaid = made.remarks
    made._made = (_Again(module), *arguments)
    return made


class _Again:
    """Makes the model again, in another process. The module is not kept alive for that."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module: weakref.ref[torch.nn.Module] | torch.nn.Module = weakref.ref(module)

    def __call__(self, size: Any, check: bool, options: dict[str, Any], device: str | None) -> Model:
        from .model import Model

        return Model.from_torch(self._module(), size=size, device=device, check=check, **options)

    def __getstate__(self) -> dict[str, Any]:
        return {"module": self._module()}

    def _module(self) -> torch.nn.Module:
        module = self.module() if isinstance(self.module, weakref.ref) else self.module
        if module is None:
            raise TypeError("the module that this model is made of is gone, so the model cannot be pickled")
        return module


@contextlib.contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """In eval mode, and then in the mode that each module had."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def _recognised(
    module: torch.nn.Module, what: str, size: tuple[int, int] | None, options: dict[str, Any]
) -> _engine.Model:
    """By class and tensors."""
    options = dict(options)
    config = getattr(module, "pretrained_cfg", None)
    if config:
        # What timm writes beside its weights.
        config = {k: v for k, v in dict(config).items() if isinstance(v, (str, int, float, bool, list, tuple))}
        text = json.dumps({"architecture": config.get("architecture"), "pretrained_cfg": config})
        options["beside"] = [("config.json", text)]
    if isinstance(getattr(module, "transform_input", None), bool):
        options.setdefault("transform_input", module.transform_input)
    if size is not None:
        options["size"] = size
    # Of integers are counters.
    state = {name: tensor for name, tensor in module.state_dict().items() if tensor.is_floating_point()}
    tensors = [(name, numbers(tensor).astype(np.float32, copy=False)) for name, tensor in state.items()]
    return _engine.Model.of_tensors(what, tensors, _options(options))


def _channels(module: torch.nn.Module) -> int:
    """What the first convolution takes."""
    for part in module.modules():
        if isinstance(part, (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)):
            return part.in_channels
    return 3


def _exported(
    module: torch.nn.Module, what: str, size: tuple[int, int] | None, options: dict[str, Any]
) -> _engine.Model:
    """Through ONNX."""
    first = next(module.parameters(), torch.zeros(()))
    # One image would become a constant.
    image = torch.zeros((2, _channels(module), *(size or (224, 224))), device=first.device, dtype=first.dtype)
    errors = []
    for dynamo in (False, True):
        try:
            content = _onnx(module, image, dynamo)
        except Exception as error:  # The exporter raises whatever it meets.
            errors.append(error)
            continue
        return _engine.Model.parse(what, content, _options(options))
    reasons = "; ".join((str(error).strip().splitlines() or [type(error).__name__])[0] for error in errors)
    raise WeightsError(f"{what}: torch.onnx cannot export it: {reasons}") from errors[0]


def _onnx(module: torch.nn.Module, image: torch.Tensor, dynamo: bool) -> bytes:
    content: Any = io.BytesIO()
    with _quietly():
        if dynamo:
            batch = torch.export.Dim("n")
            program: Any = torch.onnx.export(module, (image,), dynamo=True, verbose=False, dynamic_shapes=({0: batch},))
            return bytes(program.model_proto.SerializeToString())
        torch.onnx.export(
            module,
            (image,),
            content,
            dynamo=False,
            opset_version=17,
            input_names=["input"],
            dynamic_axes={"input": {0: "n"}},
            # Norms stay layers of their own. The engine folds them where nobody looks.
            training=torch.onnx.TrainingMode.PRESERVE,
        )
    return bytes(content.getvalue())


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's remarks, and without kernels that it does not know."""
    logger = logging.getLogger("torch.onnx")
    level, fast = logger.level, torch.backends.mha.get_fastpath_enabled()
    logger.setLevel(logging.ERROR)
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        torch.backends.mha.set_fastpath_enabled(fast)


def _compare(made: Model, module: torch.nn.Module) -> None:
    """Fails if module and model give a random image different scores."""
    first = next(module.parameters(), torch.zeros(()))
    shape = (1, made._engine.channels, *made.size)
    image = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    with torch.no_grad():
        scores = module(torch.from_numpy(image).to(first.device, first.dtype))
    scores = scores if isinstance(scores, torch.Tensor) else getattr(scores, "logits", None)
    if scores is None or scores.ndim != 2:
        raise WeightsError(
            f"{made.name}: its output is no tensor [N, classes]; wrap it in a module that returns the scores"
        )
    theirs, ours = numbers(scores)[0].astype(np.float64), made.explain(image)[0].logits.astype(np.float64)
    if theirs.shape != ours.shape:
        raise WeightsError(f"{made.name}: has {len(theirs)} scores, and {len(ours)} as {made.architecture}")
    greatest = np.abs(theirs).max()
    apart = np.abs(theirs - ours).max()
    if apart <= TOLERANCE * greatest:
        return
    # A final softmax or sigmoid is stepped over.
    if np.abs(theirs - outputs(ours, made._engine.scores)).max() <= TOLERANCE * greatest:
        made._outputs = made._engine.scores
        return
    raise WeightsError(
        f"{made.name}: its scores for a random image are up to {apart:.3g} apart from those of the model that was made of "
        f"it ({made.architecture}), of at most {greatest:.3g}, so it is not explained; please report this network"
    )


def outputs(scores: NDArray[Any], function: str | None) -> NDArray[Any]:
    """What a module returns of scores [..., classes]."""
    if function == "softmax":
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True))
    return 1 / (1 + np.exp(-scores)) if function == "sigmoid" else scores


_current: weakref.WeakKeyDictionary[torch.nn.Module, tuple[Any, dict[Any, Model]]] = weakref.WeakKeyDictionary()
_lock = threading.RLock()


def _state(module: torch.nn.Module) -> list[Any]:
    """Changes when a tensor is replaced, or written by an optimiser or `load_state_dict`."""
    tensors = [*module.named_parameters(), *module.named_buffers()]
    return [(name, id(tensor), tensor.data_ptr(), tensor._version) for name, tensor in tensors]


def current(module: torch.nn.Module, images: Any, device: Device | str | None = None) -> Model:
    """The model of a module as it is now. It is made once for images of a size, and again when weights have changed."""
    from .model import Model

    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"a model is a name, a path, a gradcam.Model or a torch.nn.Module, not a {type(module).__name__}"
        )
    size = images.shape[2:] if isinstance(images, np.ndarray) else None
    with _lock:
        state = _state(module)
        known, models = _current.get(module, (None, {}))
        if known != state:
            for stale in models.values():
                stale.close()
            models = {}
            _current[module] = (state, models)
        key = (size, device)
        if key not in models:
            models[key] = Model.from_torch(module, size=size, device=device)
        return models[key]


def paths(module: torch.nn.Module, layers: Sequence[torch.nn.Module | str]) -> list[str]:
    """The paths of layers, found by identity; names stay."""
    names: dict[int, str] = {}
    for name, part in module.named_modules(remove_duplicate=False):
        names.setdefault(id(part), name)
    found: list[str] = []
    for layer in layers:
        if isinstance(layer, str):
            found.append(layer)
            continue
        if id(layer) not in names:
            raise RequestError(f"the target layer {type(layer).__name__} is no part of the model")
        found.append(names[id(layer)])
    return found


def tensor(images: torch.Tensor) -> NDArray[np.float32]:
    """Images as an array [N, C, H, W]."""
    if not isinstance(images, torch.Tensor):
        raise TypeError(f"input_tensor is a torch.Tensor, not a {type(images).__name__}")
    if images.ndim != 4 or not images.is_floating_point():
        raise RequestError(f"input_tensor is of {images.dtype} {list(images.shape)}; floating [N, C, H, W] is needed")
    return numbers(images).astype(np.float32, copy=False)
