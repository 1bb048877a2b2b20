"""Measures how many faults in shaders `gradcam verify` catches: replaces single tokens, and verifies each such mutant.

    cargo build
    python tools/mutate_shaders.py [--count N] [--only FILE] [--seed N] OUT.json

The tokens are signs, bounds, comparisons, constants, strides and coordinates. The script cycles through all files, in an order
that the seed decides. A mutant that is not a valid shader does not count. OUT.json has an entry for each mutant: its place, the
replacement, and the case and kernel that caught it.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT = 150
# `peak` only measures time, so it has no value to compare. verify does not cover matrix units.
LEFT_OUT = {"peak", "shared/accumulate_matrices"}
SWAPS = {
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "+=": "-=", "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=",
    "&&": "||", "||": "&&", "&": "|", ">>": "<<", "min": "max", "max": "min", "xy": "yx", "yx": "xy", "x": "y", "y": "x", "z": "x",
}
TOKEN = re.compile(
    r"(?<![\w$(])(?P<int>\d+)(?P<u>u?)(?![\w.])"  # not digits in names, nor in `$(…)`
    r"|(?<![\w.])(?P<float>\d+\.\d+)"
    r"|(?<= )(?P<op>\+=|<=|>=|==|&&|\|\||>>|[-+*/%<>&])(?= )"
    r"|(?<=\.)(?P<part>xy|yx|[xyz])\b"
    r"|\b(?P<call>min|max)(?=\()"
)


def mutants_of(text):
    """Position, length and replacement of each token that can be replaced."""
    found, inside, at = [], False, 0
    for line in text.splitlines(keepends=True):
        code = line.split("//")[0]
        inside = inside or code.startswith("struct Params")
        skip = inside or code.startswith(("#", "@group", "@compute", "struct"))
        inside = inside and not code.startswith("}")
        for m in [] if skip else TOKEN.finditer(code):
            kind = m.lastgroup if m.lastgroup != "u" else "int"
            old = m.group(kind)
            if kind == "int":
                new = str(int(old) + 1)
            elif kind == "float":
                new = repr(float(old) * 1.5 if float(old) else 0.5)
            else:
                new = SWAPS[old]
            found.append((at + m.start(kind), len(old), new))
        at += len(line)
    return found


def users(folder):
    """For each file, the shaders that import it."""
    texts = {str(p.relative_to(folder))[:-5]: p.read_text() for p in folder.rglob("*.wgsl")}
    parts = lambda path: {path}.union(*(parts(f"shared/{f}") for f in re.findall(r"^#import (\w+)", texts[path], re.M)))
    all_parts = {path: parts(path) for path in texts if "/" not in path}
    return {file: sorted(s for s, parts in all_parts.items() if file in parts and s not in LEFT_OUT) for file in texts}


def verify(program, folder, kernels):
    """The first outcome that disagrees, or None if all agree."""
    report = folder / "report.json"
    command = [program, "verify", "--fail-fast", "--json", "--report", report]
    command += [word for kernel in kernels for word in ("--kernel", kernel)]
    environment = {**os.environ, "GRADCAM_SHADERS": str(folder / "shaders")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        _, complaint = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"case": "", "failure": {"reason": f"no end within {LIMIT} s", "kernel": None}}
    if process.returncode == 0:
        return None
    if not report.exists():
        return {"case": "", "failure": {"reason": complaint.strip(), "kernel": None}}
    outcomes = [o for a in json.loads(report.read_text())["adapters"] for o in a["outcomes"]]
    return next(o for o in outcomes if o["failure"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=130)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append")
    parser.add_argument("--program", default=ROOT / "target/debug/gradcam")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    shaders = ROOT / "shaders"
    parts = users(shaders)
    chance = random.Random(args.seed)
    queues = {}
    for file in sorted(parts):
        mutants = mutants_of((shaders / f"{file}.wgsl").read_text())
        chance.shuffle(mutants)
        if mutants and parts[file] and file not in LEFT_OUT and (not args.only or file in args.only):
            queues[file] = mutants
    order = [(file, i) for i in range(max(map(len, queues.values()))) for file in queues if i < len(queues[file])]
    done, rows, dead = 0, [], 0
    for file, i in order:
        if done == args.count:
            break
        at, length, new = queues[file][i]
        start = time.time()
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            shutil.copytree(shaders, folder / "shaders")
            path = folder / "shaders" / f"{file}.wgsl"
            text = path.read_text()
            path.write_text(text[:at] + new + text[at + length:])
            outcome = verify(args.program, folder, parts[file])
        if outcome and "create_shader_module" in outcome["failure"]["reason"]:
            dead += 1
            continue
        done += 1
        line = text.count("\n", 0, at) + 1
        source = text.splitlines()[line - 1].strip()
        row = {"file": file, "line": line, "source": source, "old": text[at : at + length], "new": new, "caught": bool(outcome)}
        row["column"] = at - text.rfind("\n", 0, at)
        if outcome:
            row |= {"variant": outcome.get("variant"), "case": outcome["case"], **{k: outcome["failure"][k] for k in ("reason", "kernel")}}
        rows.append(row)
        args.out.write_text(json.dumps(rows, indent=1))
        verdict = f"{row['kernel']}, {row['case']}: {row['reason']}" if outcome else "SURVIVES"
        print(f"{done:3} {file}:{line}:{row['column']} {row['old']} → {new} in `{source[:60]}`: {verdict} ({time.time() - start:.0f} s)", flush=True)
    caught = sum(row["caught"] for row in rows)
    print(f"{caught} of {len(rows)} caught, in {len({row['file'] for row in rows})} files; {dead} were no valid shaders")


main()
