"""What the tests share."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def cat() -> str:
    return str(ROOT / "examples/chelsea.png")


@pytest.fixture
def photos() -> list[str]:
    return [str(ROOT / "examples" / name) for name in ("chelsea.png", "coffee.png", "rocket.jpg")]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A network of three layers, as a file."""
    return str(make_tiny(tmp_path_factory.mktemp("tiny") / "tiny.onnx"))


def make_tiny(path: pathlib.Path) -> pathlib.Path:
    """Writes convolution, ReLU, global mean and scores of five classes, without any library for ONNX."""

    def varint(value: int) -> bytes:
        out = b""
        while value > 0x7F:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    def field(number: int, content: bytes | int) -> bytes:
        if isinstance(content, int):
            return varint(number << 3) + varint(content)
        return varint(number << 3 | 2) + varint(len(content)) + content

    def node(op: str, inputs: list[str], output: str) -> bytes:
        named = b"".join(field(1, name.encode()) for name in inputs)
        return field(
            1, named + field(2, output.encode()) + field(3, f"/{output}/{op}".encode()) + field(4, op.encode())
        )

    def tensor(name: str, values: np.ndarray) -> bytes:
        dims = b"".join(field(1, extent) for extent in values.shape)
        return field(5, dims + field(2, 1) + field(8, name.encode()) + field(9, values.astype("<f4").tobytes()))

    def port(number: int, name: str, dims: list[int]) -> bytes:
        shape = b"".join(field(1, field(1, extent) if extent else b"") for extent in dims)
        return field(number, field(1, name.encode()) + field(2, field(1, field(1, 1) + field(2, shape))))

    random = np.random.default_rng(1)
    graph = b"".join(
        [
            node("Conv", ["x", "w", "b"], "conv"),
            node("Relu", ["conv"], "relu"),
            node("GlobalAveragePool", ["relu"], "pool"),
            node("Flatten", ["pool"], "flat"),
            node("Gemm", ["flat", "v"], "scores"),
            tensor("w", random.standard_normal((8, 3, 3, 3))),
            tensor("b", random.standard_normal(8) * 0.1),
            tensor("v", random.standard_normal((8, 5))),
            port(11, "x", [0, 3, 32, 32]),
            port(12, "scores", [0, 5]),
        ]
    )
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 17)))
    return path
