"""Explains 2,000 photos on a cluster of two Ray nodes on this machine, and kills a worker three times meanwhile.

python python/tests/cluster.py [PROGRAM]        PROGRAM: the gradcam binary, to compare with its folder run
"""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
import pyarrow.dataset
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTOS = 2000
DAMAGED = 3
BIN = pathlib.Path(sys.executable).parent
PORT = 6399


def make_photos(folder: pathlib.Path) -> None:
    """Crops of the example photos, and some files that are no photos."""
    random = np.random.default_rng(0)
    sources = [
        Image.open(ROOT / "examples" / name).convert("RGB") for name in ("chelsea.png", "coffee.png", "rocket.jpg")
    ]
    for i in range(PHOTOS):
        source = sources[i % 3]
        width, height = int(random.integers(250, 400)), int(random.integers(200, 290))
        left, top = int(random.integers(source.width - width)), int(random.integers(source.height - height))
        place = folder / f"{i % 10}" / f"{i:04}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        source.crop((left, top, left + width, top + height)).save(place, quality=88)
    for i in range(DAMAGED):
        (folder / f"damaged-{i}.jpg").write_bytes(b"\xff\xd8\xff no photo")


def workers() -> list[int]:
    """The processes that explain."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if command.startswith(b"ray::") and b"Explain" in command:
            found.append(int(process.name))
    return found


def explain(photos: pathlib.Path, maps: pathlib.Path, kills: int = 0) -> str:
    """Runs the example. Returns what it says."""
    command = [
        sys.executable,
        ROOT / "python/examples/cluster.py",
        photos,
        maps,
        "--concurrency",
        "2",
        "--batch-size",
        "64",
    ]
    environment = os.environ | {"RAY_ADDRESS": f"127.0.0.1:{PORT}"}
    run = subprocess.Popen(
        list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    killed: list[int] = []

    def kill() -> None:
        while run.poll() is None and len(killed) < kills:
            time.sleep(12)
            for worker in workers()[:1]:
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
                print(f"killed worker {worker}", flush=True)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    out, err = run.communicate(timeout=1200)
    if run.returncode != 0:
        sys.exit(err[-3000:])
    assert len(killed) == kills, f"{len(killed)} workers were killed, not {kills}"
    return out


def check(maps: pathlib.Path) -> None:
    """Every photo is there once, and those that are no photos are told."""
    table = pyarrow.dataset.dataset(maps, format="parquet").to_table()
    paths = table["path"].to_pylist()
    assert len(paths) == len(set(paths)) == PHOTOS + DAMAGED, (len(paths), len(set(paths)))
    failed = [path for path, error in zip(paths, table["error"].to_pylist()) if error]
    assert sorted(pathlib.Path(path).name for path in failed) == [f"damaged-{i}.jpg" for i in range(DAMAGED)], failed
    assert sum(status == "ok" for status in table["status"].to_pylist()) > 0.95 * PHOTOS
    print(f"{len(paths)} photos, each once; {len(failed)} named as damaged; columns {', '.join(table.column_names)}")


def main() -> None:
    program = sys.argv[1] if len(sys.argv) > 1 else None
    # Two workers share two cores, and with them the threads of a software driver.
    os.environ["LP_NUM_THREADS"] = "2"
    # All of it is on this machine.
    os.environ["RAY_AUTH_MODE"] = "disabled"
    node = ["--num-cpus=2", "--disable-usage-stats", "--object-store-memory=300000000"]
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        photos = folder / "photos"
        make_photos(photos)
        if program:
            for _ in range(2):
                begin = time.perf_counter()
                command = [program, "explain", str(photos), "--json", "--batch", "16"]
                subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
                print(f"the program: {PHOTOS / (time.perf_counter() - begin):.1f} photos/s", flush=True)
        try:
            subprocess.run(
                [BIN / "ray", "start", "--head", f"--port={PORT}", "--include-dashboard=false", *node], check=True
            )
            subprocess.run([BIN / "ray", "start", f"--address=127.0.0.1:{PORT}", *node], check=True)
            print(explain(photos, folder / "undisturbed"), flush=True)
            check(folder / "undisturbed")
            print(explain(photos, folder / "disturbed", kills=3), flush=True)
            check(folder / "disturbed")
            again = explain(photos, folder / "disturbed")
            assert again.startswith("0 photos to explain, 2003 done before"), again
        finally:
            subprocess.run([BIN / "ray", "stop", "--force"], check=False)


if __name__ == "__main__":
    main()
