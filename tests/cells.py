"""Functions as a notebook's cell would define them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def in_a_cell(text: str) -> Callable[..., Any]:
    """The function that a cell with this text defines: it belongs to no module that a child could import."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), scope)  # noqa: S102  # as a notebook's kernel does it
    return next(value for name, value in scope.items() if callable(value) and not name.startswith("_"))
