#!/usr/bin/env bash
# Feeds damaged files to what reads files, and stops at the first one that crashes it, or takes more than 512 MiB.
# usage: tools/fuzz.sh SECONDS [TARGET...]     so long for each of: weights config photo tensors onnx
#        tools/fuzz.sh RUNS runs [TARGET...]   so many files for each
# What was found stays in target/fuzz, and later runs go on from there. A crash is repeated with the command that is printed.
# libFuzzer needs no nightly compiler: without AddressSanitizer, because no reader has unsafe code of its own. With it:
# cargo +nightly fuzz run TARGET
set -euo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh fuzz

most=${1:?seconds, or a number of files}
shift
limit=-max_total_time=$most
if [ "${1:-}" = runs ]; then
    limit=-runs=$most
    shift
fi
targets=("$@")
[ $# -gt 0 ] || targets=(weights config photo tensors onnx)
place=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

# What counts how often each edge of the program is passed, and what comparisons compare.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags="$flags -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg=fuzzing"
# With --target, build scripts and macros are not instrumented.
RUSTFLAGS=$flags CARGO_TARGET_DIR=$place cargo build --quiet --release --manifest-path fuzz/Cargo.toml --target "$host"

corpus() { # TARGET
    mkdir -p "$place/corpus/$1"
    case $1 in
        onnx) python3 -c "
import sys, zipfile
archive = zipfile.ZipFile('tests/goldens/onnx_ops.zip')
for number, name in enumerate(name for name in archive.namelist() if name.endswith('.onnx')):
    open(f'{sys.argv[1]}/{number}', 'wb').write(archive.read(name))" "$place/corpus/onnx"; cp fuzz/seeds/onnx/* "$place/corpus/onnx" ;;
        photo) cp fuzz/seeds/photo/* tests/data/photos/* tests/data/palette.png "$place/corpus/photo" ;;
        weights) cp fuzz/seeds/weights/* tests/data/*.pth "$place/corpus/weights" ;;
        *) cp "fuzz/seeds/$1"/* "$place/corpus/$1" ;;
    esac
}

for target in "${targets[@]}"; do
    corpus "$target"
    mkdir -p "$place/crashes"
    log=$place/$target.log
    program=$place/$host/release/$target
    if ! "$program" "$limit" -rss_limit_mb=512 -timeout=20 -max_len=8192 -print_final_stats=1 \
        -artifact_prefix="$place/crashes/$target-" "$place/corpus/$target" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "fuzz: $target failed; again with: $program FILE" >&2
        exit 1
    fi
    awk -v target="$target" '
        /number_of_executed_units/ { runs = $2 }
        /average_exec_per_sec/ { speed = $2 }
        /peak_rss_mb/ { peak = $2 }
        END { print "fuzz: " target ": " runs " files, " speed " a second, peak " peak " MiB, no crash" }' "$log"
done
