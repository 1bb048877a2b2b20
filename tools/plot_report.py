"""Turns the output of tools/gpu_report.sh into the tables of docs/benchmarks.md, and a chart: OUT/images_per_second.svg.

    python tools/plot_report.py OUT/
"""
import html
import json
import math
import sys
from pathlib import Path

if len(sys.argv) != 2:
    sys.exit(__doc__)
out = Path(sys.argv[1])


def read(name):
    """A step's JSON, or an empty list if the step failed."""
    try:
        return json.loads((out / name).read_text())
    except (OSError, ValueError) as error:
        print(f"plot_report: {out / name}: {error}", file=sys.stderr)
        return []


def table(head, rows):
    """Prints a Markdown table with right-aligned numbers."""
    print("| " + " | ".join(head) + " |\n|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def ms(value):
    return f"{value:.2f}"


# The chart has its own background, because the page around it may be dark while the reader's system is light.
STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #1d2327 } .right { text-anchor: end } .middle { text-anchor: middle }
.head { font-weight: 600 } .faint { fill: #5b6770 } .page { fill: #fff } .rule { fill: #d9dee2 }
.gradcam { fill: #2b87bd } .pytorch-grad-cam { fill: #d9772f }
@media (prefers-color-scheme: dark) {
text { fill: #e6eaed } .faint { fill: #9aa7b0 } .page { fill: #14181b } .rule { fill: #333b41 }
}
</style>"""
LEFT, LENGTH, BAR = 210, 500, 12


def chart(title, rows):
    """A bar chart of images per second, as an SVG. A row is a network, a batch size, and the rate of each engine by name."""
    def text(x, y, words, kind=""):
        marks.append(f'<text x="{x:.0f}" y="{y:.0f}" class="{kind}">{html.escape(words)}</text>')

    def box(x, y, width, height, kind):
        marks.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}"/>')

    names = list(dict.fromkeys(name for row in rows for name in row[2]))
    networks = list(dict.fromkeys(row[0] for row in rows))
    most = max(rate for row in rows for rate in row[2].values())
    power = 10 ** math.floor(math.log10(most / 4))
    step = next(power * n for n in (1, 2, 5, 10) if power * n * 5 >= most)
    bottom = 64 + len(rows) * (len(names) * BAR + 5) + len(networks) * 8
    width, marks = LEFT + LENGTH + 60, []
    box(0, 0, width, bottom + 28, "page")
    text(12, 22, title, "head")
    for i, name in enumerate(names):
        box(LEFT + 140 * i, 34, 10, 10, name)
        text(LEFT + 140 * i + 16, 43, name)
    for i in range(math.floor(most / step) + 1):
        x = LEFT + LENGTH * i * step / most
        box(x, 54, 1, bottom - 54, "rule")
        text(x, bottom + 16, f"{i * step:g}", "middle faint")
    y, before = 56, None
    for network, batch, rates in rows:
        y += 0 if network == before else 8
        middle = y + len(names) * BAR / 2 + 4
        text(12, middle, "" if network == before else network, "head")
        text(LEFT - 8, middle, f"batch {batch}", "right faint")
        for i, rate in enumerate(rates.get(name) for name in names):
            if rate:
                box(LEFT, y + i * BAR, LENGTH * rate / most, BAR - 1, names[i])
                text(LEFT + LENGTH * rate / most + 5, y + i * BAR + 10, f"{rate:.{0 if rate >= 100 else 1}f}")
        y, before = y + len(names) * BAR + 5, network
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 28}" width="{width}">\n{STYLE}\n'
            + "\n".join(marks) + "\n</svg>\n")


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

beside = {(row["network"], row["batch"]): {"pytorch-grad-cam": 1e3 / row["rounds"][0]["pytorch-grad-cam"][0]}
          for row in theirs["rows"]}
bars = [(row["model"], row["batch"], {"gradcam": row["images_per_second"], **beside.get((row["model"], row["batch"]), {})})
        for row in whole]
if bars:
    (out / "images_per_second.svg").write_text(chart(f"Images a second, {whole[0]['adapter']}", bars))

other = [row for name in ("variants.json", "precisions.json") for row in read(name) if not row.get("error")]
table(["network", "batch", "variant", "precision", "ms an image", "MiB"],
      [[row["model"], str(row["batch"]), row["variant"], row["precision"], ms(row["ms_per_image"]),
        str(row["gpu_bytes"] >> 20)] for row in other])
