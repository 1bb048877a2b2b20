"""Writes tests/goldens/methods/: maps of pytorch-grad-cam's and Captum's methods on six networks, with weights from a formula.

    python tools/make_method_goldens.py [NAME ...]

Each network has a file. It holds the gain of the formula and, for each case (a layer, or "pixels", at a size), the variants of
two images, two classes for each, and every fifth row and column of their maps as 16-bit numbers: for each method, and by LayerCAM for each
target.
"""
import sys
import warnings
from pathlib import Path

import captum.attr
import networks
import numpy as np
import pytorch_grad_cam as pgc
import torch
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.numpy import save_file

warnings.filterwarnings("ignore")
GOLDENS = Path(__file__).parent.parent / "tests/goldens/methods"
SIZES = [(64, 72), (59, 77)]
# The default layer, and one where gradients differ from pixel to pixel.
NETWORKS = {
    "vgg11_bn": ("features", "features.14"),
    "resnet18": ("layer4", "layer2"),
    "densenet121": ("features", "features.denseblock3.denselayer5"),
    "mobilenet_v2": ("features", "features.14"),
    "efficientnet_b0": ("features", "features.4"),
    "convnext_tiny": ("features", "features.4"),
}


def oriented(maps):
    """Principal components have no sign of their own. NumPy's is arbitrary; here the greatest magnitude is positive."""
    return np.stack([-m if -m.min() > m.max() else m for m in maps])


class EigenCAM(pgc.EigenCAM):
    def get_cam_image(self, *args):
        return oriented(super().get_cam_image(*args))


class EigenGradCAM(pgc.EigenGradCAM):
    def get_cam_image(self, *args):
        return oriented(super().get_cam_image(*args))


class ActivationMap(pgc.GradCAM):
    def get_cam_image(self, _input, _layer, _targets, activations, _grads, _eigen):
        return activations.mean(axis=1)


class ReciproCAM(pgc.GradCAM):
    """A layer's pixels, each alone. pytorch-grad-cam has no such method."""

    def get_cam_image(self, x, layer, targets, activations, _grads, _eigen):
        h, w = activations.shape[2:]
        scores = np.zeros((len(x), h, w), np.float32)
        for i in range(h * w):
            only = torch.zeros(h * w)
            only[i] = 1
            hook = layer.register_forward_hook(lambda _m, _i, out: out * only.reshape(1, 1, h, w))
            with torch.no_grad():
                y = self.model(x)
            hook.remove()
            scores[:, i // w, i % w] = [target(one) for target, one in zip(targets, y)]
        return scores


class AblationCAM(pgc.GradCAM):
    """pytorch-grad-cam's weights with channels set to 0. It sets them to -1e7 where a layer has no 0."""

    def get_cam_weights(self, x, layer, targets, activations, _grads):
        with torch.no_grad():
            original = np.array([target(one) for target, one in zip(targets, self.model(x))])
            weights = np.zeros(activations.shape[:2])
            for k in range(activations.shape[1]):
                kept = torch.ones(activations.shape[1])
                kept[k] = 0
                hook = layer.register_forward_hook(lambda _m, _i, out: out * kept[:, None, None])
                y = self.model(x)
                hook.remove()
                weights[:, k] = (original - np.array([target(one) for target, one in zip(targets, y)])) / original
        return weights.astype(np.float32)


# Without gradients; at the default layer of one network only, because each takes hundreds of passes.
SCORED = {"resnet18"}
OF_SCORES = {"scorecam": pgc.ScoreCAM, "ablationcam": AblationCAM, "recipro-cam": ReciproCAM}
AT_LAYERS = {
    "gradcam": pgc.GradCAM,
    "gradcam++": pgc.GradCAMPlusPlus,
    "hirescam": pgc.HiResCAM,
    "gradcam-elementwise": pgc.GradCAMElementWise,
    "xgradcam": pgc.XGradCAM,
    "layercam": pgc.LayerCAM,
    "eigencam": EigenCAM,
    "eigengradcam": EigenGradCAM,
    "activation-map": ActivationMap,
}
# What is explained of a class, by LayerCAM.
TARGETS = {
    "probability": lambda c: lambda y: torch.softmax(y, -1)[c],
    "log-probability": lambda c: lambda y: torch.log_softmax(y, -1)[c],
    "negative": lambda c: lambda y: -y[c],
    "against": lambda c: lambda y: y[c] - y[[5, 90]].mean(),
}
AT_PIXELS = {
    "saliency": lambda model: captum.attr.Saliency(model),
    "input-x-gradient": lambda model: captum.attr.InputXGradient(model),
    "guided-backprop": lambda model: captum.attr.GuidedBackprop(model),
    "deconvnet": lambda model: captum.attr.Deconvolution(model),
    "guided-gradcam": None,
}


# The samples of methods that average gradients.
SAMPLES = 6


def hashed(v):
    """PCG's output permutation, as in shaders/noise.wgsl."""
    state = v * np.uint32(747796405) + np.uint32(2891336453)
    word = ((state >> ((state >> np.uint32(28)) + np.uint32(4))) ^ state) * np.uint32(277803737)
    return (word >> np.uint32(22)) ^ word


def noisy(x, index):
    """Images with the noise of a sample, of 0.15 of each image's range."""
    with np.errstate(over="ignore"):
        key = hashed(np.uint32(index) ^ hashed(np.uint32(0)))
        first = hashed(np.arange(x[0].numel(), dtype=np.uint32) ^ key)
        second = hashed(first)
    u, v = ((first >> np.uint32(8)) + 1.0) / 2**24, (second >> np.uint32(8)) / 2**24
    gauss = torch.from_numpy((np.sqrt(-2 * np.log(u)) * np.cos(2 * np.pi * v)).astype(np.float32)).reshape(x[0].shape)
    return torch.stack([image + 0.15 * (image.max() - image.min()) * gauss for image in x])


def noise_grad(moment):
    """max over channels of a moment of the gradients under noise."""
    def attribute(model, x, classes):
        gradients = torch.stack([captum.attr.Saliency(model).attribute(noisy(x, i).requires_grad_(True), classes, abs=False)
                                 for i in range(SAMPLES)])
        return moment(gradients).detach().abs().amax(1)
    return attribute


def integrated(model, x, classes):
    given = captum.attr.IntegratedGradients(model)
    return given.attribute(x, target=classes, n_steps=SAMPLES).detach().sum(1)


AVERAGED = {
    "integrated-gradients": integrated,
    "smoothgrad": noise_grad(lambda g: g.mean(0)),
    "smoothgrad-squared": noise_grad(lambda g: (g * g).mean(0)),
    "vargrad": noise_grad(lambda g: g.var(0, unbiased=False)),
}


def at_layer(method, model, layer, x, classes, target=ClassifierOutputTarget):
    with {**AT_LAYERS, **OF_SCORES}[method](model=model, target_layers=[layer]) as cam:
        # The next layer gets a copy, because an in-place activation must not change the recorded output.
        hook = layer.register_forward_hook(lambda _m, _i, out: out.clone())
        maps = cam(input_tensor=x, targets=[target(c) for c in classes])
        hook.remove()
        return maps


def at_pixels(method, model, default, x, classes):
    if method == "guided-gradcam":
        guided = AT_PIXELS["guided-backprop"](model).attribute(x.clone().requires_grad_(True), target=torch.tensor(classes))
        raw = guided.detach().abs().amax(1) * torch.from_numpy(at_layer("gradcam", model, default, x, classes))
    elif method in AVERAGED:
        raw = AVERAGED[method](model, x, torch.tensor(classes))
    else:
        given = AT_PIXELS[method](model).attribute(x.clone().requires_grad_(True), target=torch.tensor(classes)).detach()
        raw = given.sum(1) if method == "input-x-gradient" else given.abs().amax(1)
    # pytorch-grad-cam's steps; the map has the image's size already.
    once = scale_cam_image(np.maximum(raw.numpy(), 0), x.shape[:-3:-1])
    return scale_cam_image(np.maximum(once, 0))


def maps_of(model, layer, default, x, classes):
    """Maps `[2, 2, h, w]` of two classes for each of two images by each method."""
    found = {}
    # Several images cross many kinks of ReLUs, where the last bits of the noise decide.
    smooth = not any(isinstance(m, (torch.nn.ReLU, torch.nn.ReLU6)) for m in model.modules())
    for method in (AT_LAYERS if layer else [*AT_PIXELS, *(AVERAGED if smooth else ())]):
        # Captum changes ReLU modules only. Ours changes every ReLU.
        plain = any(isinstance(m, torch.nn.ReLU) for m in model.modules()) and not hasattr(model, "classifier_relu")
        if method in ("guided-backprop", "deconvnet", "guided-gradcam") and not plain:
            continue
        of_class = [at_layer(method, model, layer, x, c) if layer else at_pixels(method, model, default, x, c) for c in zip(*classes)]
        found[method] = np.stack(of_class, axis=1)
    for name, target in TARGETS.items() if layer else ():
        found[name] = np.stack([at_layer("layercam", model, layer, x, c, target) for c in zip(*classes)], axis=1)
    return found


def conditioned(model, layer, tells, h, w, variants=8):
    """The variants, classes and maps of the two images on which PyTorch agrees best with itself after a change of last bits."""
    best = [None, None]
    for variant in range(variants):
        x = networks.images(2, h, w, variant)
        first = networks.telling_classes(model, tells, x)
        classes = [[c, (c + 37) % networks.CLASSES] for c in first]
        maps = maps_of(model, layer, tells, x, classes)
        shaken = x * (1 + 3e-7 * torch.randn(x.shape, generator=torch.Generator().manual_seed(variant)))
        others = maps_of(model, layer, tells, shaken, classes)
        for i in range(2):
            difference = max(float(np.abs(maps[m][i] - others[m][i]).max()) for m in maps)
            if best[i] is None or difference < best[i][0]:
                best[i] = (difference, variant, classes[i], {m: maps[m][i] for m in maps})
        if max(b[0] for b in best) < 1e-4:
            break
    return best


for name, layers in NETWORKS.items():
    if sys.argv[1:] and name not in sys.argv[1:]:
        continue
    model = networks.build("torchvision", name)
    if name == "densenet121":
        model.classifier_relu = True  # its last ReLU is a function
    golden = {"gain": np.array([networks.settle(model)], dtype=np.float32)}
    modules = dict(model.named_modules())
    for i, layer in enumerate([*layers, None]):
        h, w = SIZES[i % 2]
        best = conditioned(model, layer and modules[layer], modules[layer or layers[0]], h, w)
        key = f"{layer or 'pixels'} {h}x{w}"
        golden[f"{key} images"] = np.array([b[1] for b in best], dtype=np.int64)
        golden[f"{key} classes"] = np.array([b[2] for b in best], dtype=np.int64)
        found = {method: np.stack([b[3][method] for b in best]) for method in best[0][3]}
        if layer == layers[0] and name in SCORED:
            x = torch.stack([networks.images(2, h, w, b[1])[i] for i, b in enumerate(best)])
            for method in OF_SCORES:
                of_class = [at_layer(method, model, modules[layer], x, c) for c in zip(*(b[2] for b in best))]
                found[method] = np.stack(of_class, axis=1)
        for method, maps in found.items():
            golden[f"{key}/{method}"] = np.round(maps[:, :, ::5, ::5] * 65535).astype(np.uint16)
        print(f"{name} {key}: PyTorch agrees with itself within {max(b[0] for b in best):.1e}", flush=True)
    GOLDENS.mkdir(parents=True, exist_ok=True)
    save_file(golden, GOLDENS / f"{name}.safetensors")
    (GOLDENS / f"{name}.safetensors").chmod(0o644)
