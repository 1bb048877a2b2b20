"""pytorch-grad-cam's helpers."""
