"""Lists the library's public API, as rustdoc sees it, so that a change of it shows in a diff.

    python tools/public_api.py            writes docs/public-api.txt
    python tools/public_api.py --check    fails if it is not up to date

Needs only `cargo doc`. Each line is an item, or a method, field or variant of one.
"""
import html
import re
import shutil
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
listing = root / "docs" / "public-api.txt"
pages = root / "target" / "doc" / "gradcam"
shutil.rmtree(pages, ignore_errors=True)  # otherwise pages of removed items would stay
subprocess.run(["cargo", "doc", "--quiet", "--no-deps", "--lib"], cwd=root, check=True)

KINDS = ("struct", "enum", "trait", "fn", "constant", "type", "macro")
# The parts of an item's page that are its own, not those of traits that others define.
PART = re.compile(r'<section id="(?:method|tymethod|associatedconstant)\.(\w+)" class="method">.*?'
                  r'<h4 class="code-header">(.*?)</h4>|id="(?:variant|structfield)\.(\w+)"', re.S)

lines = []
# Items re-exported at the root, and items of each public module.
for index in sorted(pages.glob("**/index.html")):
    room = "::".join(("gradcam", *index.relative_to(pages).parent.parts))
    for kind, name in sorted(set(re.findall(rf'href="({"|".join(KINDS)})\.(\w+)\.html"', index.read_text()))):
        lines.append(f"{kind} {room}::{name}")
        page = (index.parent / f"{kind}.{name}.html").read_text()
        own = page.split('id="trait-implementations"')[0]
        for method, signature, part in PART.findall(own):
            text = " ".join(html.unescape(re.sub(r"<[^>]+>|ⓘ", "", signature)).split())
            lines.append(f"    {text or part}")
text = "\n".join(lines) + "\n"

if sys.argv[1:] == ["--check"]:
    if not listing.exists() or listing.read_text() != text:
        sys.exit("public_api: docs/public-api.txt is not what `cargo doc` shows; run tools/public_api.py and look at the diff")
elif sys.argv[1:]:
    sys.exit(__doc__)
else:
    listing.write_text(text)
