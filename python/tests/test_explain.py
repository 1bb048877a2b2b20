"""Pictures and tensors in, explanations out, without PyTorch."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import gradcam
from gradcam import errors


def test_without_torch() -> None:
    """Importing, and explaining a photo, take nothing but NumPy."""
    code = (
        "import sys, gradcam, numpy; gradcam.explain(numpy.zeros((40, 60, 3), numpy.uint8)); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'torch', 'PIL', 'cv2', 'onnx', 'ray'}))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"


def test_a_photo(cat: str) -> None:
    explanation = gradcam.explain(cat)
    assert explanation.prediction.label == "tiger cat"
    assert explanation.prediction.probability == pytest.approx(0.3932, abs=1e-4)
    assert [p.index for p in explanation.predictions[:3]] == [282, 285, 281]
    assert explanation.heatmap.shape == (224, 224) and explanation.raw.shape == (7, 7)
    assert (explanation.heatmap.min(), explanation.heatmap.max()) == (0, pytest.approx(1, abs=1e-6))
    assert explanation.logits.shape == (1000,) and explanation.logits[282] == explanation.prediction.logit
    assert explanation.status == "ok" and explanation.image == cat


def test_one_photo_in_all_forms(cat: str) -> None:
    image = pytest.importorskip("PIL.Image")
    pixels = np.asarray(image.open(cat).convert("RGB"))
    content = open(cat, "rb").read()
    flipped_twice = pixels[::-1, ::-1][::-1, ::-1]
    forms = [cat, content, bytearray(content), pixels, image.open(cat), np.asfortranarray(pixels), flipped_twice]
    expected, *others = gradcam.explain(forms)
    for other in others:
        assert np.array_equal(other.heatmap, expected.heatmap) and np.array_equal(other.logits, expected.logits)
    assert np.array_equal(gradcam.explain(pixels).heatmap, expected.heatmap)


def test_channels_of_pictures(cat: str) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (50, 40), np.uint8)
    colours = np.repeat(grey[:, :, None], 3, 2)
    transparent = np.dstack([colours, grey])
    maps = gradcam.explain([grey, grey[:, :, None], colours, transparent])
    assert all(np.array_equal(of.logits, maps[0].logits) for of in maps)


def test_targets(photos: list[str]) -> None:
    all = gradcam.explain(photos, targets="espresso")
    assert [of.prediction.index for of in all] == [967] * 3
    each = gradcam.explain(photos, targets=[282, "espresso", np.int64(657)])
    assert [of.prediction.index for of in each] == [282, 967, 657]
    several = gradcam.explain(photos, targets=[[281, 282], [967, 968], [657, 744]])
    assert [[m.prediction.index for m in of.maps] for of in several] == [[281, 282], [967, 968], [657, 744]]
    assert [m.prediction.index for m in gradcam.explain(photos[0], targets=[281, "tiger cat"]).maps] == [281, 282]
    assert [m.prediction.index for m in gradcam.explain(photos[0], top=2).maps] == [282, 285]
    assert np.array_equal(each[0].heatmap, gradcam.explain(photos[0]).heatmap)
    with pytest.raises(errors.RequestError, match="targets are given for 2 images of 3"):
        gradcam.explain(photos, targets=[1, 2])
    with pytest.raises(errors.RequestError, match="there is no class 1000"):
        gradcam.explain(photos, targets=1000)
    with pytest.raises(errors.UnknownNameError, match="did you mean espresso"):
        gradcam.explain(photos, targets="expresso")


def test_methods_share_a_pass(cat: str) -> None:
    explanation = gradcam.explain(cat, method=["gradcam", "layercam", "saliency"], targets=[282, 281])
    methods = [(m.prediction.index, m.method) for m in explanation.maps]
    assert methods == [(c, m) for c in (282, 281) for m in ("gradcam", "layercam", "saliency")]
    assert set(gradcam.methods()) > {"gradcam", "scorecam", "rise"}


def test_batches_and_tensors(tiny: str) -> None:
    random = np.random.default_rng(0)
    images = random.standard_normal((7, 3, 32, 32), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", errors.AssumptionWarning)
        model = gradcam.Model.open(tiny)
    whole = model.explain(images, batch_size=7)
    for batch_size in (1, 2, 3):
        parts = model.explain(images, batch_size=batch_size)
        assert all(np.array_equal(a.heatmap, b.heatmap) for a, b in zip(whole, parts))
    layouts = {
        "reversed": (images[::-1], whole[::-1]),
        "channels last": (np.ascontiguousarray(images.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2), whole),
        "every second": (images[::2], whole[::2]),
        "double": (images.astype(np.float64), whole),
        "list": (list(images), whole),
        "other byte order": (images.astype(">f4"), whole),
    }
    for name, (given, expected) in layouts.items():
        found = model.explain(given)
        assert len(found) == len(expected) and all(
            np.array_equal(a.logits, b.logits) for a, b in zip(found, expected)
        ), name
    assert isinstance(model.explain(images[0]), gradcam.Explanation)
    assert model.layers["relu"] == gradcam.Layer(8, 30, 30) and model.default_layer == "relu"


@pytest.mark.filterwarnings("ignore::gradcam.AssumptionWarning")
def test_numbers_against_numpy(tiny: str) -> None:
    """Grad-CAM of a small network by its definition."""
    model = gradcam.Model.open(tiny)
    w, b, v = (model.tensors[name] for name in ("conv.weight", "conv.bias", "scores.weight"))
    image = np.random.default_rng(2).standard_normal((3, 32, 32), dtype=np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3), (1, 2))
    activations = np.maximum(np.einsum("cijkl,ockl->oij", windows, w) + b[:, None, None], 0)
    scores = v.T @ activations.mean((1, 2))
    raw = np.einsum("o,oij->ij", v[:, 3] / 900, activations)
    explanation = model.explain(image, targets=3)
    assert np.allclose(explanation.logits, scores, rtol=1e-5, atol=1e-5)
    assert np.allclose(explanation.raw, raw, rtol=1e-4, atol=1e-6)


def test_overlays(cat: str, tmp_path) -> None:
    explanation = gradcam.explain(cat)
    overlay = explanation.overlay(alpha=0.4, colormap="turbo")
    assert overlay.shape == (300, 451, 3) and overlay.dtype == np.uint8
    assert np.array_equal(gradcam.explain(open(cat, "rb").read()).overlay(alpha=0.4, colormap="turbo"), overlay)
    for name, mark in (("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8\xff")):
        explanation.save(tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(mark)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "a.png"], "nothing unfinished is left"
    assert explanation._repr_png_().startswith(b"\x89PNG")
    tensor = gradcam.explain(np.zeros((3, 224, 224), np.float32))
    assert tensor._repr_png_() is None
    white = np.full((50, 60, 3), 255, np.uint8)
    assert tensor.overlay(image=white).shape == (50, 60, 3)
    with pytest.raises(errors.RequestError, match="a tensor has no photo"):
        tensor.overlay()
    with pytest.raises(errors.RequestError, match=r"overlays are \.png or \.jpg"):
        explanation.save(tmp_path / "a.tiff")
    with pytest.raises(errors.WriteError, match="No such file"):
        explanation.save(tmp_path / "none/a.png")
    with pytest.raises(errors.RequestError, match="alpha is 2"):
        explanation.overlay(alpha=2)
    with pytest.raises(errors.UnknownNameError, match="turbo"):
        explanation.overlay(colormap="turb")


def test_the_program_draws_the_same(cat: str, tmp_path) -> None:
    """An overlay that is drawn later differs from the device's by at most one step of 255."""
    image = pytest.importorskip("PIL.Image")
    for name in ("jet", "viridis"):
        drawn = gradcam.explain(cat).overlay(colormap=name)
        heat = gradcam.explain(cat).heatmap
        table = np.array(gradcam.colormaps()[name])
        # The middle of the photo, where each pixel of the input is one of the map.
        assert table.shape == (256, 3) and heat.shape == (224, 224)
        pixels = np.asarray(image.open(cat).convert("RGB"))
        outside = drawn[:, :70]
        assert np.array_equal(outside, pixels[:, :70]), "what the network did not see stays as it is"


def test_failed_photos(cat: str, tmp_path) -> None:
    text = tmp_path / "text.jpg"
    text.write_text("no photo")
    found = gradcam.explain([cat, text, tmp_path / "none.png", cat], on_error="return")
    kinds = [type(of) for of in found]
    assert kinds == [gradcam.Explanation, errors.PictureError, errors.ReadError, gradcam.Explanation]
    assert np.array_equal(found[0].heatmap, found[3].heatmap)
    with pytest.raises(errors.PictureError, match=r"text\.jpg"):
        gradcam.explain([cat, text])
    with pytest.raises(OSError):
        gradcam.explain(tmp_path / "none.png")


def test_memory_has_a_limit(cat: str, tiny: str, tmp_path) -> None:
    """What does not fit is refused with the figures, and as one picture of many like any other failure."""
    large = tmp_path / "large.ppm"
    large.write_bytes(b"P6 3000 3000 255\n" + bytes(3000 * 3000 * 3))
    # In a process of its own, because other tests' models count too.
    code = f"""
import gradcam
from gradcam import errors
gradcam.set_memory_limit(1000)
try:
    gradcam.Model.open({tiny!r}, device="cpu")
except errors.MemoryLimitError as error:
    assert isinstance(error, MemoryError)
    print(error)
gradcam.set_memory_limit(60 << 20)
model = gradcam.Model.open({tiny!r}, device="cpu")
print([type(of).__name__ for of in model.explain([{cat!r}, {str(large)!r}, {cat!r}], on_error="return")])
gradcam.set_memory_limit(0)
print(model.explain({str(large)!r}).status)
"""
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    refused, kinds, status = run.stdout.splitlines()
    assert "MiB of memory needed, but 0 MiB are free" in refused
    assert kinds == "['Explanation', 'MemoryLimitError', 'Explanation']" and status


def test_errors_speak_python(cat: str) -> None:
    for how, error, text in [
        ({"method": "gradcm"}, errors.UnknownNameError, "did you mean gradcam"),
        ({"method": "eigencam", "eigen_smooth": True}, errors.RequestError, "leave eigen_smooth out"),
        ({"target_layers": "blocks.9"}, errors.UnknownNameError, "unknown layer 'blocks.9'"),
        ({"target_layers": []}, errors.RequestError, "no layer is named"),
        ({"score": "logits"}, errors.RequestError, "unknown variant `logits`"),
        ({"batch_size": 0}, errors.RequestError, "at least one image"),
        ({"top": 0}, errors.RequestError, "nothing to explain"),
        ({"top": 1001}, errors.RequestError, "only 1000 classes"),
        ({"noise": math.nan, "method": "smoothgrad"}, errors.RequestError, "cannot be read"),
        ({"on_error": "ignore"}, errors.RequestError, "'raise' or 'return'"),
        ({"target_layers": [3]}, TypeError, "module paths"),
        ({"targets": 1.5}, TypeError, "not a number"),
    ]:
        with pytest.raises(error, match=text):
            gradcam.explain(cat, **how)


def test_opening(tmp_path, tiny: str) -> None:
    with pytest.raises(errors.UnknownNameError, match="unknown model 'resnet'"):
        gradcam.Model.open("resnet")
    with pytest.raises(errors.ReadError):
        gradcam.Model.open(tmp_path / "none.onnx")
    (tmp_path / "damaged.safetensors").write_bytes(b"12345678 nothing")
    with pytest.raises(errors.WeightsError, match="damaged"):
        gradcam.Model.open(tmp_path / "damaged.safetensors")
    with pytest.warns(gradcam.AssumptionWarning, match="how photos were prepared is not said"):
        model = gradcam.Model.open(tiny, labels=["a", "b", "c", "d", "e"])
    assert model.labels == ["a", "b", "c", "d", "e"]
    with pytest.raises(errors.WeightsError, match="exported for 32×32, not for 40×40"):
        gradcam.Model.open(tiny, size=40)
    with pytest.raises(errors.WeightsError, match="3 labels are given for 5 classes"):
        gradcam.Model.open(tiny, labels=["a", "b", "c"])


@pytest.mark.filterwarnings("ignore::gradcam.AssumptionWarning")
def test_closed(tiny: str) -> None:
    image = np.zeros((3, 32, 32), np.float32)
    with gradcam.Model.open(tiny) as model:
        model.explain(image)
    with pytest.raises(errors.RequestError, match="the model is closed"):
        model.explain(image)
    model.close()


@pytest.mark.filterwarnings("ignore::gradcam.AssumptionWarning")
def test_devices(tiny: str) -> None:
    image = np.random.default_rng(0).standard_normal((3, 32, 32), dtype=np.float32)
    best, plain = gradcam.Model.open(tiny), gradcam.Model.open(tiny, device="cpu")
    assert np.allclose(best.explain(image).heatmap, plain.explain(image).heatmap, atol=1e-5)
    assert plain.device.name == "cpu"
    with pytest.raises(errors.UnknownNameError, match="unknown device 'voodoo'"):
        gradcam.Device("voodoo")
    with pytest.raises(errors.RequestError, match="backend is 'cuda'"):
        gradcam.Device(backend="cuda")
    with pytest.raises(errors.RequestError, match="timeout"):
        gradcam.Device(timeout=-1)
    with pytest.raises(errors.RequestError, match="precision"):
        gradcam.Device("cpu", precision="f16")
    device = gradcam.Device()
    model = gradcam.Model.open(tiny, device=device)
    model.explain(image)
    device.close()
    with pytest.raises(errors.DeviceLostError):
        model.explain(image)
    with pytest.raises(errors.RequestError, match="the device is closed"):
        gradcam.Model.open(tiny, device=device).explain(image)


@pytest.mark.filterwarnings("ignore::gradcam.AssumptionWarning")
def test_pickles(tiny: str, cat: str) -> None:
    explanation = gradcam.explain(cat)
    again = pickle.loads(pickle.dumps(explanation))
    assert np.array_equal(again.heatmap, explanation.heatmap)
    assert np.array_equal(again.overlay(), explanation.overlay())
    model = gradcam.Model.open(tiny, labels=list("abcde"))
    image = np.ones((3, 32, 32), np.float32)
    copy = pickle.loads(pickle.dumps(model))
    assert copy.labels == model.labels
    assert np.array_equal(copy.explain(image).heatmap, model.explain(image).heatmap)


@pytest.mark.filterwarnings("ignore::gradcam.AssumptionWarning")
def test_embeddings(photos: list[str]) -> None:
    reference = gradcam.explain(photos[0], embedding=True)
    similar = gradcam.explain(photos, similar_to=reference.embedding)
    assert similar[0].maps[0].similarity == pytest.approx(1, abs=1e-5)
    assert similar[1].maps[0].similarity < 0.9
