"""Modules of PyTorch's: recognised, exported, checked; and pytorch-grad-cam's interface."""

from __future__ import annotations

import gc
import pickle
import weakref

import numpy as np
import pytest

import gradcam
from gradcam import errors

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
nn = torch.nn


def seeded(module: nn.Module, seed: int = 0) -> nn.Module:
    """Norms that are no identity."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1, generator=generator)
            part.running_var.uniform_(0.5, 1.5, generator=generator)
            part.weight.data.uniform_(0.5, 1.5, generator=generator)
            part.bias.data.normal_(0, 0.3, generator=generator)
    return module.eval()


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    torch.manual_seed(0)
    return seeded(torchvision.models.resnet18())


def by_autograd(module: nn.Module, layer: nn.Module, images, classes: list[int]) -> np.ndarray:
    """Grad-CAM's raw maps by PyTorch."""
    kept = []
    handle = layer.register_forward_hook(lambda _, __, output: kept.append(output))
    scores = module(images)
    handle.remove()
    score = scores[torch.arange(len(classes)), classes].sum()
    (gradients,) = torch.autograd.grad(score, kept)
    return (gradients.mean((2, 3), keepdim=True) * kept[0]).sum(1).detach().numpy()


class OneChannel(nn.Module):
    """A network of nobody's library."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 6, 5, 2, 2), nn.GroupNorm(2, 6), nn.SiLU())
        self.blocks = nn.ModuleList([nn.Conv2d(6, 6, 3, padding=1, groups=2), nn.Conv2d(6, 6, (1, 3), padding=(0, 1))])
        self.head = nn.Linear(6, 4)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = x + torch.tanh(block(x))
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize(
    ("make", "architecture", "layer"),
    [
        (lambda: torchvision.models.resnet18(num_classes=7), "resnet18", "layer3.1"),
        (lambda: torchvision.models.densenet121(num_classes=5), "densenet121", "features.denseblock2"),
        (lambda: torchvision.models.googlenet(transform_input=True, init_weights=False), "googlenet", "inception4c"),
        (OneChannel, "ONNX", "blocks.0"),
    ],
)
def test_modules(make, architecture: str, layer: str) -> None:
    torch.manual_seed(1)
    module = seeded(make())
    size = (65, 49) if architecture != "ONNX" else (64, 48)
    model = gradcam.Model.from_torch(module, size=size)
    assert architecture in model.architecture
    images = torch.randn(2, 1 if architecture == "ONNX" else 3, *size)
    found = model.explain(images, targets=[1, 3], target_layers=layer)
    with torch.no_grad():
        scores = module(images).numpy()
    raw = by_autograd(module, module.get_submodule(layer), images, [1, 3])
    for i, of in enumerate(found):
        assert np.allclose(of.logits, scores[i], atol=1e-4 * np.abs(scores).max())
        assert np.allclose(of.raw, raw[i], atol=1e-4 * np.abs(raw[i]).max())


def test_timm_config() -> None:
    timm = pytest.importorskip("timm")
    module = timm.create_model("resnet26", num_classes=9).eval()
    model = gradcam.Model.from_torch(module)
    assert model.architecture == "resnet26"
    assert "mean by config" in model.description


def test_changed_forward_is_seen(resnet: nn.Module) -> None:
    """The class and the tensors are ResNet's, but not what it computes."""

    class Doubled(torchvision.models.ResNet):
        def forward(self, x):
            return 2 * super().forward(x)

    module = Doubled(torchvision.models.resnet.BasicBlock, [2, 2, 2, 2])
    module.load_state_dict(resnet.state_dict())
    image = torch.randn(1, 3, 64, 64)
    model = gradcam.Model.from_torch(module.eval(), size=64)
    assert np.allclose(model.explain(image)[0].logits, module(image).detach().numpy()[0], atol=1e-4)
    # A method that was replaced on the instance leaves the class as it was.
    patched = seeded(torchvision.models.resnet18())
    patched.layer4.forward = lambda x: torchvision.models.ResNet.__bases__ and x.repeat(1, 2, 1, 1)
    model = gradcam.Model.from_torch(patched, size=64)
    assert "ONNX" in model.architecture
    assert np.allclose(model.explain(image)[0].logits, patched(image).detach().numpy()[0], atol=1e-4)


def test_missing_operators_are_named() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.lstm, self.head = nn.Conv2d(3, 3, 3), nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 4)

        def forward(self, x):
            return self.head(self.lstm(self.conv(x).flatten(2).transpose(1, 2))[0][:, -1])

    with pytest.raises(errors.WeightsError, match=r"Odd: an operator is not supported .*: LSTM"):
        gradcam.Model.from_torch(Odd(), size=16)

    class Dynamic(nn.Module):
        def forward(self, x):
            return {"scores": x.mean((2, 3))}

    with pytest.raises(errors.WeightsError):
        gradcam.Model.from_torch(Dynamic(), size=16)
    with pytest.raises(TypeError, match=r"torch\.nn\.Module is needed"):
        gradcam.Model.from_torch(torch.zeros(3))


def test_modes_are_restored() -> None:
    module = torchvision.models.resnet18()
    module.train()
    module.layer1.eval()
    before = [part.training for part in module.modules()]
    gradcam.Model.from_torch(module, size=64)
    assert [part.training for part in module.modules()] == before


def test_modules_as_models(resnet: nn.Module, cat: str) -> None:
    """Weights that change are read again, and a module that is gone frees its model."""
    image = torch.randn(1, 3, 64, 64)
    module = torchvision.models.resnet18().eval()
    module.load_state_dict(resnet.state_dict())

    def logits(module):
        return gradcam.explain(image, model=module)[0].logits

    first = logits(module)
    assert np.array_equal(logits(module), first)
    with torch.no_grad():
        module.fc.bias += 1
    assert np.allclose(logits(module), first + 1, atol=1e-4)
    torch.optim.SGD(module.fc.parameters(), lr=1).zero_grad()
    module.fc(torch.ones(1, 512)).sum().backward()
    torch.optim.SGD(module.fc.parameters(), lr=1).step()
    assert np.allclose(logits(module), module(image).detach().numpy()[0], atol=1e-3)
    with pytest.warns(gradcam.AssumptionWarning, match="how photos were prepared is not said"):
        gradcam.explain(cat, model=module)
    reference = weakref.ref(module)
    del module
    gc.collect()
    assert reference() is None


def test_pickled_modules(resnet: nn.Module) -> None:
    image = torch.randn(1, 3, 64, 64)
    model = gradcam.Model.from_torch(resnet, size=64)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.explain(image)[0].heatmap, model.explain(image)[0].heatmap)


# pytorch-grad-cam's interface

METHODS = [
    "AblationCAM", "FEM", "FullGrad", "GradCAM", "GradCAMElementWise", "GradCAMPlusPlus",
    "HiResCAM", "KPCA_CAM", "LayerCAM", "RefineCAM", "ScoreCAM", "SegEigenCAM", "XGradCAM",
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_as_pytorch_grad_cam(resnet: nn.Module, method: str) -> None:
    from gradcam import compat

    theirs = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    images = torch.randn(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    targets = [ClassifierOutputTarget(3), ClassifierOutputTarget(7)]
    several = [[resnet.layer4[-1]], [resnet.layer3, resnet.layer4[-1]]]
    for layers in several:
        for how in [{}, {"aug_smooth": True}]:
            if how and method in ("RefineCAM", "ScoreCAM", "AblationCAM"):
                continue  # It has none, or would take a minute.
            expected = getattr(theirs, method)(resnet, layers)(images, targets, **how)
            cam = getattr(compat, method)(resnet, layers)
            found = cam(images, targets, **how)
            assert found.shape == expected.shape and found.dtype == np.float32
            assert np.abs(found - expected).max() < 1e-3, (method, len(layers), how)


@pytest.mark.parametrize("method", ["EigenCAM", "EigenGradCAM"])
def test_principal_components(resnet: nn.Module, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sign of a principal component is whatever LAPACK makes it in pytorch-grad-cam: one of the two is met."""
    from gradcam import compat

    theirs = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection

    images = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    found = getattr(compat, method)(resnet, [resnet.layer3])(images)
    either = []
    for sign in (1, -1):
        for module in (theirs.eigen_cam, theirs.eigen_grad_cam):
            monkeypatch.setattr(module, "get_2d_projection", lambda a, sign=sign: sign * get_2d_projection(a))
        either.append(getattr(theirs, method)(resnet, [resnet.layer3])(images, None))
    for image in range(2):
        assert min(np.abs(found[image] - expected[image]).max() for expected in either) < 1e-3


def test_targets_of_pytorch_grad_cam(resnet: nn.Module) -> None:
    from gradcam import compat

    theirs = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils import model_targets as their_targets

    from gradcam.compat.utils import model_targets as our_targets

    images = torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    names = ["ClassifierOutputTarget", "ClassifierOutputSoftmaxTarget", "ClassifierOutputReST"]
    expected_cam = theirs.GradCAM(resnet, [resnet.layer4])
    cam = compat.GradCAM(resnet, [resnet.layer4])
    for chosen in [[name] * 3 for name in names] + [names]:

        def made(module, chosen=chosen):
            return [getattr(module, name)(i) for i, name in enumerate(chosen)]

        expected = expected_cam(images, made(their_targets))
        for module in (their_targets, our_targets):
            assert np.abs(cam(images, made(module)) - expected).max() < 1e-3, chosen
        assert np.allclose(cam.outputs, expected_cam.outputs.detach(), atol=1e-4)
    expected = expected_cam(images, None)
    assert np.abs(cam(images, None) - expected).max() < 1e-3
    assert np.abs(cam(images) - expected).max() < 1e-3

    one = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1)).eval()
    for category in (0, 1):
        target = [their_targets.BinaryClassifierOutputTarget(category)] * 3
        expected = theirs.GradCAM(one, [one[1]])(images, target)
        assert np.abs(compat.GradCAM(one, [one[1]])(images, target) - expected).max() < 1e-3


def test_the_readme_of_pytorch_grad_cam(resnet: nn.Module, cat: str) -> None:
    """Its example, with the imports as they are there and as they are here."""
    pytest.importorskip("pytorch_grad_cam")
    image = pytest.importorskip("PIL.Image")
    example = """
from {package} import GradCAM, HiResCAM, ScoreCAM, GradCAMPlusPlus, AblationCAM, XGradCAM, EigenCAM, FullGrad
from {package}.utils.model_targets import ClassifierOutputTarget
from {package}.utils.image import show_cam_on_image, preprocess_image

target_layers = [model.layer4[-1]]
input_tensor = preprocess_image(rgb_img, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
targets = [ClassifierOutputTarget(281)]
with GradCAM(model=model, target_layers=target_layers) as cam:
  grayscale_cam = cam(input_tensor=input_tensor, targets=targets)
  grayscale_cam = grayscale_cam[0, :]
  visualization = show_cam_on_image(rgb_img, grayscale_cam, use_rgb=True)
  model_outputs = cam.outputs
"""
    results = []
    for package in ("pytorch_grad_cam", "gradcam.compat"):
        rgb_img = np.float32(image.open(cat).convert("RGB").resize((224, 160))) / 255
        names = {"model": resnet, "rgb_img": rgb_img}
        exec(example.format(package=package), names)
        results.append(names)
    theirs, ours = results
    assert np.allclose(ours["input_tensor"], theirs["input_tensor"], atol=1e-6)
    assert np.abs(ours["grayscale_cam"] - theirs["grayscale_cam"]).max() < 1e-3
    assert np.allclose(ours["model_outputs"], theirs["model_outputs"].detach(), atol=1e-4)
    # A heat map that differs in the sixth digit may fall into the next of 256 colours.
    steps = np.abs(ours["visualization"].astype(int) - theirs["visualization"])
    assert steps.max() <= 4 and (steps > 1).mean() < 0.01


@pytest.mark.parametrize("end", [nn.Softmax(1), nn.Sigmoid()])
def test_modules_that_end_in_probabilities(end: nn.Module) -> None:
    """The drop-in explains what the module returns, as pytorch-grad-cam does."""
    from gradcam import compat

    theirs = pytest.importorskip("pytorch_grad_cam")
    torch.manual_seed(3)
    body = [nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)]
    module = nn.Sequential(*body, end).eval()
    images = torch.randn(2, 3, 32, 32)
    cam, expected_cam = compat.GradCAM(module, [module[1]]), theirs.GradCAM(module, [module[1]])
    assert np.abs(cam(images) - expected_cam(images, None)).max() < 1e-3
    assert np.allclose(cam.outputs, expected_cam.outputs.detach(), atol=1e-5)
    with pytest.raises(errors.RequestError, match="its outputs are probabilities"):
        cam(images, [compat.utils.model_targets.ClassifierOutputReST(0)] * 2)


def test_refusals_of_the_drop_in(resnet: nn.Module) -> None:
    from gradcam import compat

    images = torch.zeros(1, 3, 64, 64)
    cam = compat.GradCAM(resnet, [resnet.layer4])

    class Own:
        def __call__(self, output):
            return output.sum()

    for make, error, text in [
        (lambda: compat.GradCAM(resnet, [nn.ReLU()]), errors.RequestError, "is no part of the model"),
        (lambda: compat.GradCAM(resnet, resnet.layer4), TypeError, "list of modules"),
        (lambda: compat.GradCAM(resnet, [resnet.layer4], lambda x: x), errors.RequestError, "leave it out"),
        (lambda: cam(images, [Own()]), errors.RequestError, "the target Own is not known"),
        (lambda: cam(images, []), errors.RequestError, "targets are given for 0 images of 1"),
        (lambda: cam(images[0]), errors.RequestError, r"\[N, C, H, W\] is needed"),
        (lambda: cam(images.long()), errors.RequestError, "floating"),
        (lambda: cam(images.numpy()), TypeError, "torch.Tensor"),
        (lambda: cam(images * float("nan")), errors.RequestError, "NaN"),
        (lambda: compat.GradCAM(resnet, [resnet.fc])(images), errors.RequestError, "before the classifier"),
        (lambda: compat.FullGrad(resnet, [])(images, None, eigen_smooth=True), errors.RequestError, "eigen_smooth"),
    ]:
        with pytest.raises(error, match=text):
            make()
    with pytest.raises(ImportError, match="no ShapleyCAM: it needs second derivatives"):
        from gradcam.compat import ShapleyCAM  # noqa: F401
