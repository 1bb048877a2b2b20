"""Writes docs/models.md: every architecture with its size and its measured difference from PyTorch.

    python tools/models_table.py

Runs tests/zoo.rs, including the networks over 100 million parameters, and reads its output.
"""
import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
test = ["cargo", "test", "--test", "zoo", "--", "--nocapture"]
printed = "".join(
    subprocess.run(test, cwd=ROOT, env=os.environ | giants, stdout=subprocess.PIPE, text=True, check=True).stdout
    for giants in ({}, {"GRADCAM_TEST_GIANTS": "1"})
)
line = re.compile(r"^(?P<library>\w+) (?P<name>\w+): logits (?P<logits>\S+), heat maps (?P<maps>\S+), ", re.MULTILINE)
errors = {(m["library"], m["name"]): (m["logits"], m["maps"]) for m in line.finditer(printed)}
program = ["cargo", "run", "--quiet", "--", "models", "--json"]
rows = json.loads(subprocess.run(program, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)["architectures"]
rows = [row for row in rows if not row["family"]]

table = [
    "# Networks",
    "",
    f"gradcam loads weights for these {len(rows)} architectures, under torchvision's and timm's tensor names and [some",
    "others](own-network.md), and for any ResNet by its shapes. Parameters and multiply-adds are those with ImageNet's 1000",
    "classes at the given size. Heads of any size and inputs of any sensible size work. Where torchvision and timm share names",
    "and tensors there is one row.",
    "",
    "The last two columns are the largest differences from pytorch-grad-cam 1.5.7 on PyTorch 2.15. Those of logits are",
    "relative to the largest logit. Those of heat maps are in 0..1.",
    "",
    "* At the default layer they are over two images of 224×256, and also of 193×227 unless the network has over 100",
    "  million parameters. One network of each family is also measured at an early and a middle layer.",
    "* `tests/zoo.rs` measured them on lavapipe, Mesa 22.3.6, with the variant `textures-subgroup`. Weights come from a",
    "  formula, see `tools/networks.py`.",
    "* 97 of the networks under 100 million parameters agree within the same tolerances in every variant, on Mesa 22.3.6 and",
    "  25.0.7, with run-time checks and without",
    "  (`GRADCAM_TEST_VARIANT=buffers GRADCAM_TEST_CHECKED=1 cargo test --test zoo`).",
    "",
    "| architecture | names | parameters, M | multiply-adds, G | size | default layer | logits | heat maps |",
    "|---|---|---:|---:|---:|---|---:|---:|",
]
for row in rows:
    logits, maps = errors[row["library"], row["name"]]
    table.append(
        f"| {row['name']} | {row['library']} | {row['parameters'] / 1e6:.1f} | {row['multiply_adds'] / 1e9:.2f} | {row['size']} "
        f"| `{row['default_layer']}` | {logits} | {maps} |"
    )
(ROOT / "docs/models.md").write_text("\n".join(table) + "\n")
