"""pytorch-grad-cam's interface, computed here: change `pytorch_grad_cam` into `gradcam.compat` in the imports, and nothing else.

    from gradcam.compat import GradCAM
    from gradcam.compat.utils.image import show_cam_on_image
    from gradcam.compat.utils.model_targets import ClassifierOutputTarget

Targets of pytorch-grad-cam itself are understood too. What is not offered is refused by name.
"""

from . import utils
from .absent import absent
from .cams import (
    FEM,
    KPCA_CAM,
    AblationCAM,
    BaseCAM,
    EigenCAM,
    EigenGradCAM,
    FinerCAM,
    FullGrad,
    GradCAM,
    GradCAMElementWise,
    GradCAMPlusPlus,
    HiResCAM,
    LayerCAM,
    RefineCAM,
    ScoreCAM,
    SegEigenCAM,
    XGradCAM,
)

__all__ = [
    "FEM", "AblationCAM", "BaseCAM", "EigenCAM", "EigenGradCAM", "FinerCAM", "FullGrad", "GradCAM", "GradCAMElementWise",
    "GradCAMPlusPlus", "HiResCAM", "KPCA_CAM", "LayerCAM", "RefineCAM", "ScoreCAM", "SegEigenCAM", "XGradCAM", "utils",
]  # fmt: skip

_MISSING = {
    "ShapleyCAM": "it needs second derivatives",
    "RandomCAM": "its maps are random",
    "SESS": "it explains crops of several scales",
    "GuidedBackpropReLUModel": 'gradcam.explain(..., method="guided-backprop") has its map',
    "DeepFeatureFactorization": "it factorises activations",
}

__getattr__ = absent("gradcam.compat", _MISSING, "pytorch_grad_cam")
