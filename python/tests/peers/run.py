"""Runs pytorch-grad-cam's and TorchCAM's own tests of methods, with this package's classes in place of theirs.

    python python/tests/peers/run.py

The tests come from the packages' source distributions. What fails has to fail for a reason that is told here.
"""

from __future__ import annotations

import collections
import fnmatch
import hashlib
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]

PACKAGES = {
    # Name and version: checksum, and the test files of methods.
    "grad-cam 1.5.7": (
        "f6be06f826677a2e922c3879df9be3944b14a69643d80e7bec9adfb26f6b5e42",
        ["run_all_models", "context_release", "one_channel", "finer_cam_correctness", "refine_cam", "sess"],
    ),
    # Later source distributions have no tests.
    "torchcam 0.4.0": (
        "75e1ad46ad583c1b1bf0165ddf71f94eed18c99f8478d934a9062328c45ed4ef",
        ["methods_gradient", "methods_activation"],
    ),
}

REASONS = {
    "*finercam_htcore*": "it reads the source of pytorch-grad-cam's class",
    "*FullGrad-True-*": "FullGrad's eigen_smooth, of maps at an eighth of their size, is refused",
    "*test_sess*": "SESS is not among the methods; its own class looks into pytorch-grad-cam's",
    "pytest::internal": "the same class's end",
    "*test_video_cams*": "networks of videos are not supported",
    "*SmoothGradCAMpp*": "TorchCAM 0.5's own class, which these tests of 0.4 do not fit",
    "*classifier.1*": "fc_layer is not taken: the linear layer is found by itself",
    "*CAM-None-<lambda>-None*": "fc_layer is not taken: the linear layer is found by itself",
    "*test_cam_conv1x1*": "fc_layer is not taken: the linear layer is found by itself",
}
"""Why a test fails, by its name."""


def fetched(package: str, checksum: str, place: pathlib.Path) -> pathlib.Path:
    """The source distribution's folder."""
    name, version = package.split()
    with urllib.request.urlopen(f"https://pypi.org/simple/{name}/") as page:
        links = re.findall(r'href="([^"#]*)', page.read().decode())
    link = next(link for link in links if link.endswith(f"-{version}.tar.gz"))
    with urllib.request.urlopen(link) as file:
        content = file.read()
    if hashlib.sha256(content).hexdigest() != checksum:
        sys.exit(f"{link}: its checksum is {hashlib.sha256(content).hexdigest()}")
    archive = place / "archive.tar.gz"
    archive.write_bytes(content)
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    return next(path for path in place.iterdir() if path.is_dir())


def outcomes(package: str, checksum: str, files: list[str]) -> dict[str, str]:
    """What became of each test."""
    with tempfile.TemporaryDirectory() as place:
        folder = fetched(package, checksum, pathlib.Path(place))
        (folder / "examples").mkdir(exist_ok=True)
        (folder / "examples/both.png").write_bytes((ROOT / "examples/chelsea.png").read_bytes())
        (folder / "tests/conftest.py").write_bytes((HERE / "stand_in.py").read_bytes())
        report = folder / "report.xml"
        tests = [f"tests/test_{name}.py" for name in files]
        command = [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", "-p", "no:cacheprovider", *tests]
        subprocess.run(command, cwd=folder, check=False)
        found = {}
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            failed = [part for part in case if part.tag in ("failure", "error")]
            name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
            found[name] = failed[0].get("message", "failed") if failed else ""
        return found


def main() -> None:
    wrong = False
    for package, (checksum, files) in PACKAGES.items():
        explained: collections.Counter[str] = collections.Counter()
        passed = 0
        for test, message in outcomes(package, checksum, files).items():
            pattern = next((pattern for pattern in REASONS if fnmatch.fnmatch(test, pattern)), None)
            if not message:
                passed += 1
            elif pattern is None:
                wrong = True
                print(f"{package}: {test} failed: {message}")
            else:
                explained[REASONS[pattern]] += 1
        print(f"{package}: {passed} passed")
        for reason, count in explained.items():
            print(f"{package}: {count} failed: {reason}")
    sys.exit(wrong)


if __name__ == "__main__":
    main()
