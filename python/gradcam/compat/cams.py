"""The classes that pytorch-grad-cam has, one for each method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from .. import convert
from ..errors import RequestError
from ..images import _index

Targets = Sequence[Any] | None
Score = Literal["logit", "probability", "rest"]

TARGETS: dict[str, Score] = {
    "ClassifierOutputTarget": "logit",
    "ClassifierOutputSoftmaxTarget": "probability",
    "ClassifierOutputReST": "rest",
    "BinaryClassifierOutputTarget": "logit",
}
"""The number of a class that a target explains, by the name of its class."""


def _asked(target: Any) -> tuple[tuple[Score, bool], int]:
    """The number, whether what speaks against it is meant, and the class."""
    name = type(target).__name__
    if name == "BinaryClassifierOutputTarget":
        return ("logit", target.category != 1), 0
    if name in TARGETS:
        return (TARGETS[name], False), _index(target.category, "the category of a target")
    known = ", ".join(TARGETS)
    raise RequestError(
        f"the target {name} is not known: {known} are; other functions of the scores need pytorch-grad-cam"
    )


class BaseCAM:
    """What all methods share. A module is read once, and again when its weights have changed.

    Args:
        model: The network. It is set to eval mode, as pytorch-grad-cam does.
        target_layers: Modules of it; the maps of several are averaged.
        reshape_transform: None: tokens of a transformer come back into their grid by themselves.
        device: As of `gradcam.Model.open`. This argument is no other library's.
    """

    method = ""
    smooths = True
    """Whether `eigen_smooth` matters to it."""

    def __init__(
        self,
        model: torch.nn.Module,
        target_layers: Sequence[torch.nn.Module],
        reshape_transform: Callable[..., Any] | None = None,
        *,
        device: Any = None,
    ) -> None:
        if reshape_transform is not None:
            raise RequestError(
                "reshape_transform is not followed: tokens come back into their grid by themselves; leave it out"
            )
        if isinstance(target_layers, torch.nn.Module):
            raise TypeError("target_layers is a list of modules")
        self.model = model.eval()
        self.target_layers = list(target_layers)
        self.batch_size = 32
        self.outputs: torch.Tensor | None = None
        self._paths: list[str] | None = convert.paths(model, self.target_layers)
        self._device = device
        self._method: dict[str, Any] = {}

    def __call__(
        self,
        input_tensor: torch.Tensor,
        targets: Targets = None,
        aug_smooth: bool = False,
        eigen_smooth: bool = False,
    ) -> NDArray[np.float32]:
        """Heat maps [N, H, W] in 0..1 of images [N, C, H, W].

        Args:
            input_tensor: Normalised images.
            targets: One for each image; the most probable class if not given.
            aug_smooth: Average over the image, a darker and a brighter one, and all three mirrored.
            eigen_smooth: Take the first principal component of the channels instead of their sum.
        """
        images = convert.tensor(input_tensor)
        model = convert.current(self.model, images, self._device)
        how = {
            "target_layers": self._paths, "method": self.method, "compat": "pytorch-grad-cam",
            "aug_smooth": aug_smooth, "eigen_smooth": eigen_smooth and self.smooths, "predictions": 0,
            "batch_size": max(self.batch_size, 1), **self._method,
        }  # fmt: skip
        # What a module ends in is a part of its outputs here.
        of_outputs: Score = "probability" if model._outputs else "logit"
        if targets is None:
            explanations = dict(enumerate(model.explain(images, score=of_outputs, **how)))
        else:
            if len(targets) != len(images):
                raise RequestError(
                    f"targets are given for {len(targets)} images of {len(images)}; one for each is needed"
                )
            groups: dict[tuple[Score, bool], list[tuple[int, int]]] = {}
            for image, target in enumerate(targets):
                (score, negative), category = _asked(target)
                if model._outputs and score != "logit":
                    ends = f"the model ends in a {model._outputs}, so its outputs are probabilities"
                    raise RequestError(f"{ends}; take ClassifierOutputTarget")
                score = of_outputs if score == "logit" else score
                groups.setdefault((score, negative), []).append((image, category))
            explanations = {}
            for (score, negative), members in groups.items():
                own = images if len(members) == len(images) else images[[image for image, _ in members]]
                classes = [category for _, category in members]
                found = model.explain(own, targets=classes, score=score, negative=negative, **how)
                explanations.update((image, of) for (image, _), of in zip(members, found))
        ordered = [explanations[image] for image in range(len(images))]
        logits = np.stack([of.logits for of in ordered])
        self.outputs = torch.from_numpy(convert.outputs(logits, model._outputs))
        return np.stack([of.heatmap for of in ordered])

    def __enter__(self) -> BaseCAM:
        return self

    def __exit__(self, *_: object) -> None:
        """The model stays on the device for the next one, and is freed with the module."""


class GradCAM(BaseCAM):
    """Selvaraju et al., arXiv 1610.02391."""

    method = "gradcam"


class HiResCAM(BaseCAM):
    """Draelos and Carin, arXiv 2011.08891."""

    method = "hirescam"


class GradCAMElementWise(BaseCAM):
    """Grad-CAM with a ReLU before the sum over channels."""

    method = "gradcam-elementwise"


class GradCAMPlusPlus(BaseCAM):
    """Chattopadhyay et al., arXiv 1710.11063."""

    method = "gradcam++"


class XGradCAM(BaseCAM):
    """Fu et al., arXiv 2008.02312."""

    method = "xgradcam"


class LayerCAM(BaseCAM):
    """Jiang et al., IEEE TIP 2021."""

    method = "layercam"


class EigenCAM(BaseCAM):
    """Muhammad and Yeasin, arXiv 2008.00299."""

    method, smooths = "eigencam", False


class EigenGradCAM(BaseCAM):
    """The first principal component of activations times gradients."""

    method, smooths = "eigengradcam", False


class SegEigenCAM(BaseCAM):
    """EigenCAM, weighted by gradients, of the right sign."""

    method, smooths = "seg-eigen-cam", False


class KPCA_CAM(BaseCAM):
    """Karmani et al., arXiv 2410.00267, with the kernel that pytorch-grad-cam takes."""

    method, smooths = "kpca-cam", False

    def __init__(self, *args: Any, kernel: str = "sigmoid", gamma: float | None = None, **kwargs: Any) -> None:
        if kernel != "sigmoid" or gamma is not None:
            raise RequestError("KPCA_CAM has the kernel 'sigmoid' with its usual gamma; leave both out")
        super().__init__(*args, **kwargs)


class FEM(BaseCAM):
    """Ahmed Asif Fuad et al., 2020."""

    method, smooths = "fem", False

    def __init__(self, *args: Any, k: int = 2, **kwargs: Any) -> None:
        if k != 2:
            raise RequestError(f"FEM takes what exceeds the mean by 2 deviations, not {k}; leave k out")
        super().__init__(*args, **kwargs)


class ScoreCAM(BaseCAM):
    """Wang et al., arXiv 1910.01279."""

    method = "scorecam"


class AblationCAM(BaseCAM):
    """Desai and Ramaswamy, WACV 2020."""

    method = "ablationcam"

    def __init__(
        self,
        model: torch.nn.Module,
        target_layers: Sequence[torch.nn.Module],
        reshape_transform: Callable[..., Any] | None = None,
        ablation_layer: Any = None,
        batch_size: int = 32,
        ratio_channels_to_ablate: float = 1.0,
        *,
        device: Any = None,
    ) -> None:
        if ablation_layer is not None:
            raise RequestError("ablation_layer is not followed: channels of any layer are set to 0; leave it out")
        if ratio_channels_to_ablate != 1.0:
            raise RequestError(
                "ratio_channels_to_ablate is not followed; gradcam.explain(..., channels=N) tries N channels"
            )
        super().__init__(model, target_layers, reshape_transform, device=device)
        self.batch_size = batch_size


class FullGrad(BaseCAM):
    """Srinivas and Fleuret, arXiv 1905.00780. It looks at all biases, whatever layers are named."""

    method = "fullgrad"

    def __init__(
        self, model: torch.nn.Module, target_layers: Any = (), reshape_transform: Any = None, **more: Any
    ) -> None:
        super().__init__(model, [], reshape_transform, **more)
        self._paths = None

    def __call__(
        self, input_tensor: torch.Tensor, targets: Targets = None, aug_smooth: bool = False, eigen_smooth: bool = False
    ) -> NDArray[np.float32]:
        """As of `BaseCAM`, without `eigen_smooth`."""
        if eigen_smooth:
            raise RequestError("FullGrad has no channels of a layer to smooth; leave eigen_smooth out")
        return super().__call__(input_tensor, targets, aug_smooth)


class FinerCAM(BaseCAM):
    """Zhang et al., arXiv 2501.11309: what tells the most probable class from those with the closest scores."""

    method = "finercam"

    def __init__(
        self,
        model: torch.nn.Module,
        target_layers: Sequence[torch.nn.Module],
        reshape_transform: Callable[..., Any] | None = None,
        base_method: type[BaseCAM] = GradCAM,
        *,
        device: Any = None,
    ) -> None:
        if base_method.__name__ != "GradCAM":
            raise RequestError(f"FinerCAM is computed by GradCAM, not by {base_method.__name__}; leave base_method out")
        super().__init__(model, target_layers, reshape_transform, device=device)

    def __call__(  # type: ignore[override]  # as in pytorch-grad-cam
        self,
        input_tensor: torch.Tensor,
        targets: Targets = None,
        eigen_smooth: bool = False,
        alpha: float = 1,
        comparison_categories: Sequence[int] | None = None,
        target_idx: int | None = None,
    ) -> NDArray[np.float32]:
        """As of `BaseCAM`; compared are the three classes with the closest scores."""
        if alpha != 1 or comparison_categories not in (None, [1, 2, 3]):
            raise RequestError(
                "FinerCAM compares with the three closest classes; leave alpha and comparison_categories out"
            )
        if target_idx is not None:
            raise RequestError("target_idx is not followed; give targets")
        return super().__call__(input_tensor, targets, eigen_smooth=eigen_smooth)


class RefineCAM:
    """The product of the maps of several layers by one method: what all of them show.

    Args:
        model: The network.
        target_layers: Modules of it.
        reshape_transform: None.
        base_method: One of the classes here.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        target_layers: Sequence[torch.nn.Module],
        reshape_transform: Callable[..., Any] | None = None,
        base_method: type[BaseCAM] = GradCAMPlusPlus,
        **more: Any,
    ) -> None:
        self.base_cam_per_layer = [base_method(model, [layer], reshape_transform, **more) for layer in target_layers]

    def __call__(
        self, input_tensor: torch.Tensor, targets: Targets = None, eigen_smooth: bool = False
    ) -> NDArray[np.float32]:
        """Heat maps [N, H, W] in 0..1, as of `BaseCAM`."""
        maps = [cam(input_tensor, targets, eigen_smooth=eigen_smooth) for cam in self.base_cam_per_layer]
        product: NDArray[np.float32] = np.prod(maps, axis=0)
        product -= product.min(axis=(1, 2), keepdims=True)
        product /= 1e-7 + product.max(axis=(1, 2), keepdims=True)
        return product
