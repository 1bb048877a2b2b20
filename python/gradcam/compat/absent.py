"""Names that another library has, and these modules lack: importing one tells why."""

from __future__ import annotations

from collections.abc import Callable


def absent(module: str, reasons: dict[str, str], instead: str) -> Callable[[str], object]:
    """A module's `__getattr__`.

    Args:
        module: Its name.
        reasons: Why each name is missing.
        instead: Where it can be imported from.
    """

    def lookup(name: str) -> object:
        if name in reasons:
            raise ImportError(f"{module} has no {name}: {reasons[name]}; import it from {instead}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return lookup
