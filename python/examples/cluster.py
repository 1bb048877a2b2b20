"""Explains a folder of photos on a cluster, writes Parquet and overlays, and goes on where an earlier run ended.

python cluster.py photos maps                    # on this machine, or with RAY_ADDRESS on a cluster
python cluster.py photos maps --overlays pictures --concurrency 4 --num-gpus 1 --model resnet50.pth
"""

import argparse
import os
import pathlib
import time

import pyarrow.dataset
import ray

import gradcam.ray

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def done(place: str) -> set[str]:
    """The photos that an earlier run explained, or could not explain."""
    if not os.path.isdir(place) or not any(pathlib.Path(place).glob("*.parquet")):
        return set()
    return set(pyarrow.dataset.dataset(place, format="parquet").to_table(["path"])["path"].to_pylist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", help="a folder that all nodes see")
    parser.add_argument("maps", help="a folder for Parquet files")
    parser.add_argument("--overlays", help="a folder for pictures")
    parser.add_argument("--model", default=gradcam.BUNDLED)
    parser.add_argument("--method", default="gradcam")
    parser.add_argument("--concurrency", type=int, default=1, help="workers")
    parser.add_argument("--num-gpus", type=float, default=0, help="GPUs of a worker")
    parser.add_argument(
        "--num-cpus", type=float, default=0.5, help="cores of a worker; some have to be left for reading and writing"
    )
    parser.add_argument("--batch-size", type=int, default=64)
    how = parser.parse_args()

    before = done(how.maps)
    photos = (p for p in sorted(pathlib.Path(how.photos).rglob("*")) if p.suffix.lower() in ENDINGS and p.is_file())
    left = [path for path in map(str, map(pathlib.Path.resolve, photos)) if path not in before]
    print(f"{len(left)} photos to explain, {len(before)} done before")
    if not left:
        return
    begin = time.perf_counter()
    dataset = ray.data.read_binary_files(left, include_paths=True, ray_remote_args={"num_cpus": 0.25})
    explained = dataset.map_batches(
        gradcam.ray.Explain,
        fn_constructor_kwargs={
            "model": how.model,
            "method": how.method,
            "overlays": how.overlays and os.path.abspath(how.overlays),
            "root": how.photos,
        },
        batch_size=how.batch_size,
        concurrency=how.concurrency,
        num_gpus=how.num_gpus or None,
        num_cpus=how.num_cpus,
    )
    explained.write_parquet(os.path.abspath(how.maps), mode="append", ray_remote_args={"num_cpus": 0.25})
    seconds = time.perf_counter() - begin
    errors = pyarrow.dataset.dataset(how.maps, format="parquet").to_table(["error"])["error"].to_pylist()
    failed = sum(error != "" for error in errors)
    print(
        f"{len(left) / seconds:.1f} photos/s, {seconds:.1f} s in all; {failed} could not be explained: see the column error"
    )


if __name__ == "__main__":
    main()
