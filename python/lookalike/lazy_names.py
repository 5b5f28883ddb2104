"""Names of a package that are imported when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``.

    `homes` gives, for each name, the module of the package that it is found in; a name that is
    given as its own home is the module itself. What `dir` lists is there whatever is installed,
    as `help` asks for all of it: ``__all__``.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f"{package}.{homes[name]}")
        value = module if homes[name] == name else getattr(module, name)
        setattr(sys.modules[package], name, value)  # from now on found without this function
        return value

    def list_names() -> list[str]:
        names: list[str] = sys.modules[package].__all__
        return sorted(names)

    return get, list_names
