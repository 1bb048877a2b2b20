"""See why a CNN decided: Grad-CAM and other methods in compute shaders, on any GPU.

import gradcam

explanation = gradcam.explain("cat.jpg")
print(explanation.prediction.label, explanation.prediction.probability)
explanation.save("cat.gradcam.png")
"""

import os as _os
from importlib.metadata import version as _version

from . import _engine, errors
from ._engine import Device, colormaps, methods, set_memory_limit
from .errors import AssumptionWarning, GradcamError
from .explanation import Explanation, Map, Prediction
from .model import BUNDLED, Layer, Model, explain, use_device

# Drivers read these when the first device is opened.
_os.environ.update(_engine.driver_settings())

__version__ = _version("gradcam")
__all__ = [
    "BUNDLED", "AssumptionWarning", "Device", "Explanation", "GradcamError", "Layer", "Map", "Model", "Prediction",
    "colormaps", "errors", "explain", "methods", "set_memory_limit", "use_device",
]  # fmt: skip
