"""What is explained of a class, under pytorch-grad-cam's names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassifierOutputTarget:
    """The score of a class before softmax."""

    category: int


@dataclass(frozen=True)
class ClassifierOutputSoftmaxTarget:
    """The probability of a class."""

    category: int


@dataclass(frozen=True)
class ClassifierOutputReST:
    """The score of a class plus the logarithm of its probability: arXiv 2501.06261."""

    category: int


@dataclass(frozen=True)
class BinaryClassifierOutputTarget:
    """The score of a network with one output, or what speaks against it."""

    category: int
