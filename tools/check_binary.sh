#!/usr/bin/env bash
# Fails if the release binary is over 16 MiB, or links more than libc, libm and libgcc_s.
set -euo pipefail

bytes=$(stat -c %s "$1")
libraries=$(ldd "$1" | awk '{print $1}' | grep -v -e linux-vdso -e ld-linux | sort | tr '\n' ' ')
echo "$1: $bytes bytes; linked with $libraries"
[ "$bytes" -le $((16 * 1024 * 1024)) ] || { echo "over 16 MiB" >&2; exit 1; }
for library in $libraries; do
    case $library in
        libc.so.* | libm.so.* | libgcc_s.so.*) ;;
        *) echo "links $library" >&2; exit 1 ;;
    esac
done
