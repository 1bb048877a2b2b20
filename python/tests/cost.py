"""What the binding costs, beside the program's own measurement, and whether memory stays over ten thousand calls.

python python/tests/cost.py PROGRAM
"""

from __future__ import annotations

import os
import pathlib
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np

import gradcam

BATCH = 8
ROUNDS = 7
CALLS = 10_000


def by_program(program: str) -> float:
    """Milliseconds of a batch by the crate."""
    return float(subprocess.run([program], check=True, capture_output=True, text=True).stdout)


def by_package(model: gradcam.Model, images: np.ndarray) -> float:
    """The same, for as long as the program measures."""
    times = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < 3 or len(times) < 5:
        before = time.perf_counter()
        model.explain(images, batch_size=BATCH, predictions=0)
        times.append((time.perf_counter() - before) * 1e3)
    return statistics.median(times)


def memory() -> int:
    """Resident kibibytes."""
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10


def main() -> None:
    warnings.simplefilter("ignore")
    model = gradcam.Model.open()
    images = np.random.default_rng(0).standard_normal((BATCH, 3, 224, 224), dtype=np.float32)
    model.explain(images, batch_size=BATCH)
    pairs = [(by_program(sys.argv[1]), by_package(model, images)) for _ in range(ROUNDS)]
    for program, package in pairs:
        print(
            f"batch of {BATCH}: crate {program:.1f} ms, package {package:.1f} ms, {package / program:.3f}", flush=True
        )
    print(f"median of ratios: {statistics.median(package / program for program, package in pairs):.3f}")

    small = np.random.default_rng(0).standard_normal((3, 32, 32), dtype=np.float32)
    picture = np.zeros((64, 64, 3), np.uint8)
    tiny = gradcam.Model.open(sys.argv[2]) if len(sys.argv) > 2 else model
    for call in range(CALLS):
        tiny.explain(small if call % 2 else picture)
        if call % 1000 == 999:
            print(f"after {call + 1} calls: {memory()} kiB", flush=True)


if __name__ == "__main__":
    main()
