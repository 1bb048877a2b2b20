"""Turns what tools/gpu_report.sh left in OUT/ into the tables of docs/benchmarks.md.

    python tools/plot_report.py OUT/
"""
import json
import sys
from pathlib import Path

if len(sys.argv) != 2:
    sys.exit(__doc__)
out = Path(sys.argv[1])


def read(name):
    """A step's JSON; nothing where the step failed."""
    try:
        return json.loads((out / name).read_text())
    except (OSError, ValueError) as error:
        print(f"plot_report: {out / name}: {error}", file=sys.stderr)
        return []


def table(head, rows):
    """A table of Markdown, numbers to the right."""
    print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def ms(value):
    return f"{value:.2f}"


theirs = read("torch.json") or {"machine": "", "rows": []}
print(theirs["machine"] + "\n")
table(["network", "batch", "gradcam", "pytorch-grad-cam", "by hand", "forward alone", "pytorch-grad-cam ÷ gradcam"],
      [[row["network"], str(row["batch"]), *(ms(row["rounds"][0][key][0]) for key in
        ("gradcam", "pytorch-grad-cam", "by hand", "forward")),
        f"{row['rounds'][0]['pytorch-grad-cam'][0] / row['rounds'][0]['gradcam'][0]:.1f}"] for row in theirs["rows"]])

STAGES = ["upload", "preprocess", "forward", "backward", "tail", "readback"]
whole = [row for row in read("bench.json") if not row.get("error")]
table(["network", "batch", "ms an image (p25–p75)", "images/s", *STAGES, "first run, ms"],
      [[row["model"], str(row["batch"]), f"{ms(row['ms_per_image'])} ({ms(row['ms_per_image_p25'])}–{ms(row['ms_per_image_p75'])})",
        f"{row['images_per_second']:.0f}", *(f"{(row['stages'] or {}).get(stage, 0):.3f}" for stage in STAGES),
        f"{row['first_run_ms']:.0f}"] for row in whole])

other = [row for name in ("variants.json", "precisions.json") for row in read(name) if not row.get("error")]
table(["network", "batch", "variant", "precision", "ms an image", "MiB"],
      [[row["model"], str(row["batch"]), row["variant"], row["precision"], ms(row["ms_per_image"]),
        str(row["gpu_bytes"] >> 20)] for row in other])
