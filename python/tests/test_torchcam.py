"""TorchCAM's interface."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
theirs = pytest.importorskip("torchcam.methods")
torchvision = pytest.importorskip("torchvision")

from test_torch import seeded  # noqa: E402

from gradcam.compat.torchcam import methods as ours  # noqa: E402


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return seeded(torchvision.models.resnet18())


@pytest.mark.parametrize("method", ours.__all__)
def test_as_torchcam(resnet, method: str) -> None:
    images = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    for layers in ["layer4"] if method == "CAM" else [resnet.layer4, ["layer3", resnet.layer4]]:
        for normalized in (True, False):
            found = []
            for library in (theirs, ours):
                with getattr(library, method)(resnet, layers) as extractor:
                    scores = resnet(images)
                    found.append(extractor([3, 7], scores, normalized))
            assert len(found[0]) == len(found[1])
            for expected, maps in zip(*found):
                assert maps.shape == expected.shape
                assert (maps - expected).abs().max() < 1e-3 * expected.abs().max()
            if normalized and method != "CAM":
                fused = [getattr(library, method).fuse_cams(maps) for library, maps in zip((theirs, ours), found)]
                assert (fused[0] - fused[1]).abs().max() < 1e-3


def test_reading_the_module_is_not_seen() -> None:
    """A module that is read when it is first explained sees another image meanwhile."""
    module = seeded(torchvision.models.resnet18())
    images = torch.randn(2, 3, 64, 64)
    with ours.LayerCAM(module, "layer4") as extractor:
        module(images)
        first = extractor([1, 2])
        assert first[0].shape == (2, 2, 2) and torch.equal(extractor([1, 2])[0], first[0])


def test_hooks_and_refusals(resnet) -> None:
    images = torch.randn(1, 3, 64, 64)
    with ours.LayerCAM(resnet) as extractor:
        assert extractor.target_names == ["layer4"]
        with pytest.raises(AssertionError, match="need to be forwarded"):
            extractor(0)
        resnet(images)
        with pytest.raises(ValueError, match="Incorrect"):
            extractor(-1)
        with pytest.raises(ValueError, match="batch size"):
            extractor([1, 2])
        assert extractor(5)[0].shape == (1, 2, 2)
    assert not resnet._forward_pre_hooks
    with pytest.raises(ValueError, match="unknown `target_layer`"):
        ours.GradCAM(resnet, "layer9")
    with pytest.raises(TypeError):
        ours.GradCAM(resnet, 3)
    with pytest.raises(ImportError, match="no ScoreCAM"):
        from gradcam.compat.torchcam.methods import ScoreCAM  # noqa: F401
