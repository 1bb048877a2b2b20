#!/usr/bin/env python3
"""Copies wine's wined3d.dll with one jump less, so that DX12 works on a Vulkan driver without VK_EXT_descriptor_indexing, such as
Debian's lavapipe. There vkd3d 1.6 does not register descriptor heaps, but looks them up all the same, finds none, and leaves out
every descriptor table. Without the jump it does not give up. The pattern is that of Debian's wine 8.0.

usage: patch_wined3d.py OUT.dll (if the pattern is not there, says so, with exit code 1)"""

import pathlib
import sys

ORIGINAL = pathlib.Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows/wined3d.dll")
# test rbp, rbp; jne …; imul rax, rbx, 0xcc
PATTERN = bytes.fromhex("4885ed 0f85bc000000 4869c3cc000000")
JUMP = slice(3, 9)
# With this mark wine would load its own file instead.
MARK, MARKED = b"Wine builtin DLL", slice(0x40, 0x50)

code = bytearray(ORIGINAL.read_bytes() if ORIGINAL.exists() else b"")
if code.count(PATTERN) != 1 or code[MARKED] != MARK:
    sys.exit("this wine's wined3d.dll is not the one whose defect is known")
at = code.find(PATTERN)
code[at + JUMP.start : at + JUMP.stop] = b"\x90" * (JUMP.stop - JUMP.start)
code[MARKED] = bytes(len(MARK))
pathlib.Path(sys.argv[1]).write_bytes(code)
