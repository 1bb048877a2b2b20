"""TorchCAM's interface, computed here: change `torchcam` into `gradcam.compat.torchcam` in the imports.

from gradcam.compat.torchcam.methods import LayerCAM
"""
