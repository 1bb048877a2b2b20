"""Threads, interrupts, and other processes."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import gradcam
from gradcam import errors

pytestmark = pytest.mark.filterwarnings("ignore::gradcam.AssumptionWarning")
IMAGE = np.random.default_rng(0).standard_normal((3, 32, 32), dtype=np.float32)


def test_two_threads_with_two_models(tiny: str) -> None:
    """Each finds what it finds alone, and two threads may share one model."""
    models = [gradcam.Model.open(tiny, device=gradcam.Device()) for _ in range(2)]
    expected = models[0].explain(IMAGE).heatmap
    wrong: list[str] = []

    def work(model: gradcam.Model) -> None:
        for _ in range(40):
            if not np.array_equal(model.explain(IMAGE).heatmap, expected):
                wrong.append("another map")

    threads = [threading.Thread(target=work, args=(models[i % 2],)) for i in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong


def test_the_lock_is_free_meanwhile(cat: str) -> None:
    """Python goes on while the device works."""
    model = gradcam.Model.open()
    model.explain([cat] * 2)
    ticks = 0
    over = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not over.is_set():
            ticks += 1
            time.sleep(0.001)

    thread = threading.Thread(target=tick)
    thread.start()
    begin = time.perf_counter()
    model.explain([cat] * 16)
    seconds = time.perf_counter() - begin
    over.set()
    thread.join()
    assert ticks > 20 * seconds


@pytest.mark.parametrize("how", ["['%s'] * 100000", "'%s', method='rise', samples=1000"])
def test_interrupt(cat: str, how: str) -> None:
    """Ctrl-C ends a long call soon, and the model still works."""
    code = f"""
    import gradcam, os, signal, threading, time
    # Who started the tests may have wanted the signal ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model = gradcam.Model.open()
    before = model.explain({cat!r}).heatmap
    threading.Timer(2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    begin = time.perf_counter()
    try:
        model.explain({how % cat})
        print("not interrupted")
    except KeyboardInterrupt:
        print("after", time.perf_counter() - begin, flush=True)
    assert (model.explain({cat!r}).heatmap == before).all()
    print("works")
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=280)
    words = run.stdout.split()
    assert words[0] == "after" and words[2] == "works", run.stdout + run.stderr
    assert float(words[1]) < 4


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarms")
def test_signal_handlers(tiny: str, cat: str) -> None:
    """One that explains too is told that it cannot, and what it interrupts goes on."""
    model = gradcam.Model.open()
    expected = model.explain(cat).heatmap
    said: list[str] = []

    def handler(*_: object) -> None:
        try:
            model.explain(cat)
        except errors.RequestError as error:
            said.append(str(error))

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2, 0.2)
    try:
        found = model.explain([cat] * 40)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert all(np.array_equal(of.heatmap, expected) for of in found)
    assert said and all("signal handler" in text for text in said)


def explained(path: str) -> np.ndarray:
    return gradcam.Model.open(path).explain(IMAGE).heatmap


def explained_by(model: gradcam.Model) -> np.ndarray:
    return model.explain(IMAGE).heatmap


@pytest.mark.parametrize("start", ["spawn", "forkserver", "fork"])
def test_other_processes(tiny: str, start: str) -> None:
    """A model is sent as how to open it. Processes of their own open their own devices, also after a fork."""
    model = gradcam.Model.open(tiny)
    expected = model.explain(IMAGE).heatmap
    with multiprocessing.get_context(start).Pool(1) as pool:
        assert np.array_equal(pool.apply_async(explained, (tiny,)).get(120), expected)
        assert np.array_equal(pool.apply_async(explained_by, (model,)).get(120), expected)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_device_does_not_survive_a_fork(tiny: str) -> None:
    """It says so, and the process that was forked ends."""
    device = gradcam.Device()
    model = gradcam.Model.open(tiny, device=device)
    expected = model.explain(IMAGE).heatmap
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            model.explain(IMAGE)
            text = "no error"
        except errors.DeviceError as error:
            text = str(error)
        os.write(write, text.encode())
        del model, device
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert "before this process was forked" in os.read(read, 1000).decode()
    assert np.array_equal(model.explain(IMAGE).heatmap, expected)


def test_memory_is_flat(tiny: str) -> None:
    """After a thousand calls of all kinds, memory stays. `tools/` measures ten thousand."""
    status = pathlib.Path("/proc/self/statm")
    if not status.exists():
        pytest.skip("there is no /proc")
    model = gradcam.Model.open(tiny)
    picture = np.zeros((40, 50, 3), np.uint8)

    def calls(count: int) -> int:
        for i in range(count):
            model.explain(IMAGE, method=["gradcam", "layercam"][i // 50 % 2])
            model.explain(picture).overlay()
            with pytest.raises(errors.RequestError):
                model.explain(IMAGE, targets=9)
        return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 10

    calls(200)
    before, after = calls(200), calls(600)
    assert after - before < 4 << 10, f"{before} kiB, then {after} kiB"
