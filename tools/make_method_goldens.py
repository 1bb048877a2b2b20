"""Writes tests/goldens/methods/: maps of pytorch-grad-cam's, Captum's and TorchCAM's methods on six networks, with weights from
a formula.

    python tools/make_method_goldens.py [NAME ...]

Each network has a file. It holds the gain of the formula and, for each case (a layer, both layers, or "pixels", at a size), the
variants of two images, two classes for each, and every fifth row and column of their maps: for each method, for each target by
LayerCAM, and for each library that can be followed. Numbers of 0 to 1 are stored in 16 bits.
"""
import sys
import warnings
from pathlib import Path

import captum.attr
import networks
import numpy as np
import pytorch_grad_cam as pgc
import torch
import torchcam.methods
from PIL import Image
from pytorch_grad_cam.utils.image import scale_cam_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget, FinerWeightedTarget
from safetensors.numpy import save_file
from scipy.ndimage import zoom

warnings.filterwarnings("ignore")
# In-place activations would change recorded outputs.
relu, relu6 = torch.nn.functional.relu, torch.nn.functional.relu6
torch.nn.functional.relu = lambda x, inplace=False: relu(x)
torch.nn.functional.relu6 = lambda x, inplace=False: relu6(x)
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


# A mark for each map whose least and greatest value are the same but for their sign.
ambiguous = []


def oriented(maps):
    """Principal components have no sign of their own. NumPy's is arbitrary; here the greatest magnitude is positive."""
    ambiguous.extend(None for m in maps if abs(m.min() + m.max()) < 1e-3 * m.max())
    return np.stack([-m if -m.min() > m.max() else m for m in maps])


class EigenCAM(pgc.EigenCAM):
    def get_cam_image(self, *args):
        return oriented(super().get_cam_image(*args))


class EigenGradCAM(pgc.EigenGradCAM):
    def get_cam_image(self, *args):
        return oriented(super().get_cam_image(*args))


class KPCACAM(pgc.KPCA_CAM):
    def get_cam_image(self, *args):
        return oriented(super().get_cam_image(*args))


class CAM(pgc.GradCAM):
    """The classifier's weights, after a layer that only a global mean and a linear layer follow."""

    def get_cam_weights(self, _input, _layer, targets, _activations, _grads):
        linear = [m for m in self.model.modules() if isinstance(m, torch.nn.Linear)][-1]
        return linear.weight[[target.category for target in targets]].detach().numpy()


class SmoothGradCAMPlusPlus(pgc.GradCAM):
    """The paper's weights, with means over samples of noise. TorchCAM takes the last sample's gradient for its mean."""

    def get_cam_weights(self, x, layer, targets, activations, _grads):
        gradients = []
        for i in range(SAMPLES):
            with pgc.GradCAM(model=self.model, target_layers=[layer]) as sample:
                sample(input_tensor=noisy(x, i), targets=targets)
                gradients.append(sample.activations_and_grads.gradients[0].double())
        first, second, third = (torch.stack([g**k for g in gradients]).mean(0) for k in (1, 2, 3))
        a = torch.from_numpy(activations).double()
        alpha = second / (2 * second + (third * a).sum((2, 3), keepdim=True) + 1e-8)
        return (alpha * first.clamp(min=0)).sum((2, 3)).float().numpy()


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


# Without gradients; for one network only, because each takes hundreds of passes.
SCORED = {"resnet18"}
# Networks whose default layer is followed by a global mean and a linear layer.
LINEAR = {"resnet18", "mobilenet_v2", "efficientnet_b0"}
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
    "seg-eigen-cam": pgc.SegEigenCAM,
    "kpca-cam": KPCACAM,
    "fem": pgc.FEM,
    "activation-map": ActivationMap,
}
SPECIAL = {"cam": CAM, "smoothgradcam++": SmoothGradCAMPlusPlus}
# What is explained of a class, by LayerCAM.
TARGETS = {
    "probability": lambda c: lambda y: torch.softmax(y, -1)[c],
    "log-probability": lambda c: lambda y: torch.log_softmax(y, -1)[c],
    "negative": lambda c: lambda y: -y[c],
    "against": lambda c: lambda y: y[c] - y[[5, 90]].mean(),
    "with": lambda c: lambda y: (y[c] + y[5] + y[90]) / 3,
}
AT_PIXELS = {
    "saliency": lambda model: captum.attr.Saliency(model),
    "input-x-gradient": lambda model: captum.attr.InputXGradient(model),
    "guided-backprop": lambda model: captum.attr.GuidedBackprop(model),
    "deconvnet": lambda model: captum.attr.Deconvolution(model),
    "guided-gradcam": None,
}


# The samples of methods that average gradients, and of random masks.
SAMPLES = 6
# The variant of the image to which others are similar.
OTHER = 99
# Of Faster Score-CAM.
CHANNELS = 50


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


def at_layers(method, model, layers, x, targets, **options):
    with method(model=model, target_layers=layers) as cam:
        return cam(input_tensor=x, targets=targets, **options)


def at_layer(method, model, layer, x, classes, target=ClassifierOutputTarget, **options):
    method = {**AT_LAYERS, **SPECIAL, **OF_SCORES}[method]
    return at_layers(method, model, [layer], x, [target(c) for c in classes], **options)


def finer(model, layer, x, classes):
    """FinerCAM's default target, for given classes."""
    with torch.no_grad():
        y = model(x)
    nearest = [sorted((abs(float(one[i] - one[c])), i) for i in range(len(one)) if i != c)[:3] for one, c in zip(y, classes)]
    rivals = [[i for _, i in others] for others in nearest]
    # Where the probabilities vanish beside the 1e-9 that the target adds to them, so does its map.
    if any(float(p[r].sum()) < 1e-5 for p, r in zip(torch.softmax(y, -1), rivals)):
        return None
    targets = [FinerWeightedTarget(c, r, 1) for c, r in zip(classes, rivals)]
    return at_layers(pgc.GradCAM, model, [layer], x, targets)


def occlusion(model, x, classes):
    given = captum.attr.Occlusion(model)
    return given.attribute(x, (3, 16, 16), (3, 8, 8), target=classes, baselines=0).detach()[:, 0]


def rise(model, x, classes):
    """RISE's grids of 7 × 7 cells with the random numbers of shaders/masks.wgsl."""
    h, w = x.shape[2:]
    cells = np.array([-(-h // 7), -(-w // 7)])
    total = torch.zeros(len(x), h, w)
    for i in range(SAMPLES):
        with np.errstate(over="ignore"):
            own = hashed(np.uint32(i) ^ hashed(np.uint32(0) ^ hashed(np.uint32(0))))
            bits = (hashed(own + np.arange(49, dtype=np.uint32)) >> np.uint32(31)).reshape(7, 7)
            shift = np.array([hashed(own), hashed(hashed(own))]) % cells
        size = [int(8 * c) for c in cells]
        grid = torch.from_numpy(bits.astype(np.float32))[None, None]
        mask = torch.nn.functional.interpolate(grid, size, mode="bilinear")[0, 0]
        mask = mask[shift[0]:shift[0] + h, shift[1]:shift[1] + w]
        with torch.no_grad():
            scores = model(x * mask)[torch.arange(len(x)), classes]
        total += scores[:, None, None] * mask
    return total / (SAMPLES * 0.5)


def similar(model, layer, x):
    """GradCAM of the cosine of the last linear layer's input with that of another image."""
    linear = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1]
    kept = []
    hook = linear.register_forward_pre_hook(lambda _m, inputs: kept.append(inputs[0]))
    with torch.no_grad():
        model(networks.images(1, *x.shape[2:], OTHER).to(x.dtype))
    other = kept[0][0]
    targets = [lambda _y, i=i: torch.cosine_similarity(kept[-1][i], other, dim=0) for i in range(len(x))]
    maps = at_layers(pgc.GradCAM, model, [layer], x, targets)
    hook.remove()
    return maps


def followed(name, model, layers, x, classes):
    """Maps of other libraries' steps, at the input's size."""
    h, w = x.shape[2:]
    found = {}
    modules = dict(model.named_modules())
    for method in ("GradCAM", "GradCAMpp", "XGradCAM", "LayerCAM"):
        with getattr(torchcam.methods, method)(model, list(layers)) as extractor:
            maps = extractor(class_idx=list(classes), scores=model(x))
            fused = extractor.fuse_cams(maps).detach().numpy()
        large = [np.array(Image.fromarray(np.float32(m), mode="F").resize((w, h), Image.Resampling.BICUBIC)) for m in fused]
        ours = {"GradCAM": "gradcam", "GradCAMpp": "gradcam++", "XGradCAM": "xgradcam", "LayerCAM": "layercam"}[method]
        found[f"torchcam {ours}"] = np.stack(large)
    if len(layers) > 1:
        return found
    module = modules[layers[0]]
    captums = {"gradcam": captum.attr.LayerGradCam, "hirescam": captum.attr.LayerGradientXActivation}
    for ours, method in captums.items():
        raw = method(model, module).attribute(x, torch.tensor(classes)).detach().sum(1, keepdim=True)
        found[f"captum {ours}"] = captum.attr.LayerAttribution.interpolate(raw, (h, w))[:, 0].numpy()
    # tf-keras-vis needs Keras models. These are its steps.
    kept = []
    record = module.register_forward_hook(lambda _m, _i, out: kept.append(out))
    y = model(x)
    g = torch.autograd.grad(y[torch.arange(len(x)), classes].sum(), kept[0])[0]
    a = kept[0].detach()
    record.remove()
    second, third = g**2, g**3
    divisor = 2 * second + third * a.sum((2, 3), keepdim=True)
    alpha = second / (divisor + (second == 0))
    total = alpha.sum((2, 3), keepdim=True)
    alpha = alpha / (total + (total == 0))
    weights = {
        "gradcam": g.mean((2, 3), keepdim=True),
        "gradcam++": (g.relu() * alpha).sum((2, 3), keepdim=True),
        "layercam": g.relu(),
    }
    if float((2 + g * a.sum((2, 3), keepdim=True)).abs().min()) < 0.1:
        # Last bits decide, because nothing keeps the divisor from 0.
        del weights["gradcam++"]
    for ours, weight in weights.items():
        raw = (weight * a).sum(1).relu().detach().numpy()
        large = np.stack([zoom(m, [h / m.shape[0], w / m.shape[1]], order=1) for m in raw])
        low, high = large.min((1, 2), keepdims=True), large.max((1, 2), keepdims=True)
        found[f"tf-keras-vis {ours}"] = (large - low) / (high - low + 1e-7)
    return found


def at_pixels(method, model, default, x, classes):
    if method == "guided-gradcam":
        guided = AT_PIXELS["guided-backprop"](model).attribute(x.clone().requires_grad_(True), target=torch.tensor(classes))
        raw = guided.detach().abs().amax(1) * torch.from_numpy(at_layer("gradcam", model, default, x, classes))
    elif method == "fullgrad":
        with pgc.FullGrad(model, []) as cam:
            return cam(input_tensor=x.clone(), targets=[ClassifierOutputTarget(c) for c in classes])
    elif method in AVERAGED:
        raw = AVERAGED[method](model, x, torch.tensor(classes))
    else:
        given = AT_PIXELS[method](model).attribute(x.clone().requires_grad_(True), target=torch.tensor(classes)).detach()
        raw = given.sum(1) if method == "input-x-gradient" else given.abs().amax(1)
    # pytorch-grad-cam's steps; the map has the image's size already.
    once = scale_cam_image(np.maximum(raw.numpy(), 0), x.shape[:-3:-1])
    return scale_cam_image(np.maximum(once, 0))


def maps_of(name, model, layers, default, x, classes):
    """Maps `[2, 2, h, w]` of two classes for each of two images by each method."""
    found = {}
    modules = dict(model.named_modules())
    of_classes = list(zip(*classes))
    for c in of_classes if layers else ():
        for method, maps in followed(name, model, layers, x, c).items():
            found.setdefault(method, []).append(maps)
    found = {method: np.stack(maps, axis=1) for method, maps in found.items() if len(maps) == len(of_classes)}
    if len(layers) > 1:
        targets = [[ClassifierOutputTarget(one) for one in c] for c in of_classes]
        both = [modules[layer] for layer in layers]
        found["gradcam"] = np.stack([at_layers(pgc.GradCAM, model, both, x, t) for t in targets], axis=1)
        single = [[at_layers(pgc.GradCAMPlusPlus, model, [one], x, t) for one in both] for t in targets]
        # RefineCAM's own steps; it has no way to hand a copy on.
        found["refinecam"] = np.stack([scale_cam_image(np.prod(maps, axis=0)) for maps in single], axis=1)
        return found
    layer = modules[layers[0]] if layers else None
    # Several images cross many kinks of ReLUs, where the last bits of the noise decide.
    smooth = not any(isinstance(m, (torch.nn.ReLU, torch.nn.ReLU6)) for m in model.modules())
    extra = [m for m in SPECIAL if (smooth if m == "smoothgradcam++" else name in LINEAR and layers[:1] == NETWORKS[name][:1])]
    # Where a linear layer is a convolution here, there are more biases.
    full = ["fullgrad"] if name != "convnext_tiny" else []
    for method in ([*AT_LAYERS, *extra] if layer else [*AT_PIXELS, *full, *(AVERAGED if smooth else ())]):
        # Captum changes ReLU modules only. Ours changes every ReLU.
        plain = any(isinstance(m, torch.nn.ReLU) for m in model.modules()) and not hasattr(model, "classifier_relu")
        if method in ("guided-backprop", "deconvnet", "guided-gradcam") and not plain:
            continue
        ambiguous.clear()
        of_class = [at_layer(method, model, layer, x, c) if layer else at_pixels(method, model, default, x, c) for c in of_classes]
        if not ambiguous:
            found[method] = np.stack(of_class, axis=1)
    for what, target in TARGETS.items() if layer else ():
        found[what] = np.stack([at_layer("layercam", model, layer, x, c, target) for c in of_classes], axis=1)
    if layer:
        finest = [finer(model, layer, x, c) for c in of_classes]
        if all(maps is not None for maps in finest):
            found["finercam"] = np.stack(finest, axis=1)
        # Of further images more values lie at ReLU6's second kink: PyTorch's f32 and f64 differ by 1.5e-3 there.
        if not any(isinstance(m, torch.nn.ReLU6) for m in model.modules()):
            found["aug-smooth"] = np.stack([at_layer("gradcam", model, layer, x, c, aug_smooth=True) for c in of_classes], axis=1)
        found["similar"] = np.stack([similar(model, layer, x) for _ in of_classes], axis=1)
        ambiguous.clear()
        smoothed = [at_eigen(model, layer, x, c) for c in of_classes]
        if not ambiguous:
            found["eigen-smooth"] = np.stack(smoothed, axis=1)
    return found


class FewChannels(pgc.ScoreCAM):
    """Faster Score-CAM: through the channels with the greatest variance only."""

    def get_cam_image(self, x, layer, targets, activations, grads, eigen):
        order = np.argsort(-activations.var(axis=(2, 3)), axis=1)[:, :CHANNELS]
        few = np.take_along_axis(activations, order[:, :, None, None], axis=1)
        return super().get_cam_image(x, layer, targets, few, grads, eigen)


def strongest(model, layer, x, classes):
    return at_layers(FewChannels, model, [layer], x, [ClassifierOutputTarget(c) for c in classes])


def at_eigen(model, layer, x, classes):
    """GradCAM with `eigen_smooth`, whose sign is arbitrary."""
    class Oriented(pgc.GradCAM):
        def get_cam_image(self, *args):
            return oriented(super().get_cam_image(*args))

    return at_layers(Oriented, model, [layer], x, [ClassifierOutputTarget(c) for c in classes], eigen_smooth=True)


def conditioned(name, model, layers, tells, h, w, variants=8):
    """The variants, classes and maps of the two images on which PyTorch's f32 agrees best with its f64, also of
    slightly other images: where no kink is so near that last bits decide."""
    best = [None, None]
    for variant in range(variants):
        x = networks.images(2, h, w, variant)
        first = networks.telling_classes(model, tells, x)
        classes = [[c, (c + 37) % networks.CLASSES] for c in first]
        maps = maps_of(name, model, layers, tells, x, classes)
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(variant)).double()
        model.double()
        others = [maps_of(name, model, layers, tells, x.double() * (1 + much * noise), classes) for much in (0, 2e-6)]
        model.float()
        for i in range(2):
            apart = [np.abs(maps[m][i] - other[m][i]).max() / max(1e-9, np.abs(maps[m][i]).max())
                     for other in others for m in maps if m in other]
            difference = float(max(apart))
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
    for i, own in enumerate([(layers[0],), (layers[1],), layers, ()]):
        h, w = SIZES[i % 2]
        best = conditioned(name, model, own, modules[own[0] if len(own) == 1 else layers[0]], h, w)
        key = f"{'+'.join(own) or 'pixels'} {h}x{w}"
        golden[f"{key} images"] = np.array([b[1] for b in best], dtype=np.int64)
        golden[f"{key} classes"] = np.array([b[2] for b in best], dtype=np.int64)
        found = {method: np.stack([b[3][method] for b in best]) for method in best[0][3] if method in best[1][3]}
        x = torch.stack([networks.images(2, h, w, b[1])[i] for i, b in enumerate(best)])
        of_classes = list(zip(*(b[2] for b in best)))
        if own == layers[:1] and name in SCORED:
            for method in OF_SCORES:
                found[method] = np.stack([at_layer(method, model, modules[own[0]], x, c) for c in of_classes], axis=1)
            found["strongest channels"] = np.stack([strongest(model, modules[own[0]], x, c) for c in of_classes], axis=1)
        if not own and name in SCORED:
            for method, scored in (("occlusion", occlusion), ("rise", rise)):
                raws = [scored(model, x, torch.tensor(c)).numpy() for c in of_classes]
                found[method] = np.stack([scale_cam_image(scale_cam_image(np.maximum(raw, 0))) for raw in raws], axis=1)
        for method, maps in found.items():
            maps = maps[:, :, ::5, ::5]
            is_part = maps.min() >= 0 and maps.max() <= 1
            golden[f"{key}/{method}"] = np.round(maps * 65535).astype(np.uint16) if is_part else np.ascontiguousarray(maps, np.float32)
        print(f"{name} {key}: f32 and f64 agree within {max(b[0] for b in best):.1e}", flush=True)
    GOLDENS.mkdir(parents=True, exist_ok=True)
    save_file(golden, GOLDENS / f"{name}.safetensors")
    (GOLDENS / f"{name}.safetensors").chmod(0o644)
