"""Writes tests/data/photos/: small pictures in many codings, and a hash of the RGB bytes that Pillow decodes from each.

    python tools/make_photo_goldens.py

It needs cjpeg, of Debian's package libjpeg-turbo-progs.
"""
import subprocess
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests/data/photos"
SIZES = [(96, 64), (75, 50), (33, 8), (17, 23), (9, 40), (8, 9)]
# By Pillow, and by libjpeg-turbo's own program.
CODINGS = {
    "444": {"subsampling": 0},
    "422": {"subsampling": 1},
    "420": {"subsampling": 2},
    "420-progressive": {"subsampling": 2, "progressive": True},
    "444-progressive": {"subsampling": 0, "progressive": True},
    "420-restarts": {"subsampling": 2, "restart_marker_blocks": 2},
}
SAMPLINGS = {"440": "1x2", "411": "4x1", "410": "4x2", "rows": "1x1,1x2,1x1", "first": "1x1,2x2,1x1"}


def fnv(data):
    """FNV-1a of 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def main():
    DATA.mkdir(parents=True, exist_ok=True)
    # Much colour at small scales, so that the colours' own resolution matters.
    photo = Image.open(ROOT / "examples/coffee.png").convert("RGB")
    for i, size in enumerate(SIZES):
        small = photo.resize(size)
        for coding, options in CODINGS.items():
            small.save(DATA / f"{size[0]}x{size[1]}-{coding}.jpg", quality=(90, 60)[i % 2], **options)
        small.save(DATA / "x.ppm")
        for coding, sampling in SAMPLINGS.items():
            file = DATA / f"{size[0]}x{size[1]}-{coding}.jpg"
            subprocess.run(["cjpeg", "-quality", "85", "-sample", sampling, "-outfile", file, DATA / "x.ppm"], check=True)
        subprocess.run(["cjpeg", "-arithmetic", "-outfile", DATA / "arithmetic.jpg", DATA / "x.ppm"], check=True)
        (DATA / "x.ppm").unlink()
        small.convert("L").save(DATA / f"{size[0]}x{size[1]}-grey.jpg", quality=80)
    small = photo.resize((40, 27))
    small.convert("CMYK").save(DATA / "cmyk.jpg", quality=80)
    pictures = sorted(DATA.glob("*x*.jpg")) + [DATA / "cmyk.jpg"] + [ROOT / "examples/rocket.jpg", ROOT / "tests/data/cmyk.jpg"]
    lines = [f"{path.relative_to(ROOT)} {fnv(Image.open(path).convert('RGB').tobytes())}" for path in pictures]
    (DATA / "pillow.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
