"""Generated requests: each is explained, or refused by an exception of this package or a TypeError, and never ends the process."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import gradcam

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

DTYPES = ["f2", "f4", ">f4", "f8", "u1", "i1", "u2", "i4", "i8", "?", "c8", "O", "U3", "M8[s]"]


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Arrays of all kinds of numbers, axes, strides and contents."""
    kind = draw(st.sampled_from(["tensor", "picture", "any"]))
    side = st.sampled_from([0, 1, 2, 7, 8, 9, 32, 33])
    shape = {
        "tensor": st.tuples(st.integers(0, 3), st.sampled_from([1, 2, 3, 3, 3, 4]), side, side),
        "picture": st.tuples(side, side, st.sampled_from([0, 1, 2, 3, 4, 5])),
        "any": st.lists(st.integers(0, 5), max_size=5).map(tuple),
    }[kind]
    shape = draw(shape)
    dtype = np.dtype(draw(st.sampled_from({"tensor": DTYPES[:4], "picture": ["u1"], "any": DTYPES}[kind])))
    array = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 200, shape).astype(dtype)
    if dtype.kind == "f" and array.size:
        array = array / dtype.type(100) - dtype.type(1)
        value = draw(st.sampled_from([None, None, None, np.nan, np.inf, -np.inf, 1e38, 0.0]))
        if value is not None:
            with np.errstate(over="ignore"):
                array.flat[draw(st.integers(0, array.size - 1))] = value
    for axis in range(array.ndim):
        step = draw(st.sampled_from([1, 1, 1, -1, 2]))
        array = np.flip(array, axis) if step == -1 else array.take(range(0, array.shape[axis], step), axis)
    if draw(st.booleans()) and array.ndim:
        array = np.asfortranarray(array)
    if draw(st.integers(0, 5)) == 0 and array.ndim:
        array = np.broadcast_to(array[:1], array.shape) if array.shape[0] else array
    array = np.asarray(array)
    array.flags.writeable = False
    return array


anything = st.one_of(
    arrays(),
    st.lists(arrays(), max_size=3),
    st.sampled_from([None, 3, 1.5, "", "none.png", b"", b"\x89PNG\r\n\x1a\n", [], (), {}, object(), [None], ["", b""]]),
)
targets = st.one_of(
    st.none(),
    st.integers(-2, 6),
    st.sampled_from(["a", "x", "", "3", 1.0, True, [], [[]], [0], [0, 1], [[0, 1]], [[0], [1, 2]], np.array([1]), {}]),
)
how = st.fixed_dictionaries(
    {},
    optional={
        "targets": targets,
        "method": st.sampled_from([*gradcam.methods(), "", "none", [], ["gradcam", "saliency"], None, 3]),
        "target_layers": st.sampled_from(
            [None, "conv", "relu", "", "none", [], ["conv", "relu"], ["conv", "conv"], [1], 3]
        ),
        "top": st.sampled_from([-1, 0, 1, 2, 5, 6, 10**30, 1.5, "1"]),
        "predictions": st.sampled_from([-1, 0, 5, 6, 10**30]),
        "batch_size": st.sampled_from([-1, 0, 1, 2, 10**30]),
        "on_error": st.sampled_from(["raise", "return", "ignore"]),
        "score": st.sampled_from(["logit", "probability", "log-probability", "rest", "none", None]),
        "negative": st.booleans(),
        "against": st.sampled_from([(), 1, [2, 3], 9, "x", -1]),
        "together_with": st.sampled_from([(), 1, [2, 3], 9, "x"]),
        "normalise": st.sampled_from(["minmax", "max", "percentile", "signed", "none", "x"]),
        "compat": st.sampled_from(["none", "pytorch-grad-cam", "torchcam", "captum", "tf-keras-vis", "x"]),
        "tap": st.sampled_from(["pre", "post", "x"]),
        "samples": st.sampled_from([None, 0, 1, 3, -1, 10**30]),
        "noise": st.sampled_from([None, 0.0, 0.1, -1.0, np.nan, np.inf]),
        "patch": st.sampled_from([None, 0, 4, 100]),
        "aug_smooth": st.booleans(),
        "eigen_smooth": st.booleans(),
        "embedding": st.booleans(),
        "similar_to": st.sampled_from(
            [None, np.ones(8, np.float32), np.ones(3, np.float32), np.full(8, np.nan, np.float32), 3]
        ),
    },
)


@pytest.fixture(scope="module")
def model(tiny: str) -> gradcam.Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gradcam.AssumptionWarning)
        return gradcam.Model.open(tiny)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(images=anything, how=how)
def test_anything(model: gradcam.Model, images: object, how: dict) -> None:
    try:
        found = model.explain(images, **how)
    except (gradcam.GradcamError, TypeError) as error:
        assert str(error) and "\n" not in str(error)
        assert "panicked" not in str(error)
        return
    for explanation in found if isinstance(found, list) else [found]:
        if isinstance(explanation, gradcam.GradcamError):
            continue
        assert explanation.logits.shape == (5,)
        for map in explanation.maps:
            assert map.heatmap.ndim == 2
            if map.status in ("ok", "all-negative", "zero", "constant"):
                assert np.isfinite(map.heatmap).all(), (explanation, how)
                if how.get("normalise") != "none" and how.get("compat") != "captum":
                    assert np.abs(map.heatmap).max() <= 1 + 1e-5
