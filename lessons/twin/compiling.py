"""Compiles functions as they stand, with the helpers that they call: the policies, and the twin's engine."""

from __future__ import annotations

import dis
import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import platformdirs

import demo_workers
from lessons.twin import hooks
from lessons.twin.uniform import uniform, uniform_compiled

STAND_INS: dict[Callable[..., Any], Callable[..., Any]] = {
    uniform: uniform_compiled,
    hooks.ask_next_try: hooks.no_next_try,
    hooks.ask_admit: hooks.no_admit,
}
"""What compiled code calls in place of what only plain Python can."""

_OPTIONS: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}
"""Without reference counting, which nothing here needs and which makes rows of records twenty times slower."""


@cache
def cache_directory() -> Path:
    """Where compiled code is kept: the user's cache, one directory for each state of the sources.

    Numba's own key is the source of one function; it does not see a helper in another module that has changed.
    """
    tops = (Path(__file__).parent, Path(demo_workers.__file__).parent)
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(path for top in tops for path in top.rglob("*.py")):
        digest.update(path.read_bytes())
    return platformdirs.user_cache_path("asynchronism-workbook") / f"twin-{digest.hexdigest()[:16]}"


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, compiled, and so is every function that it names.

    A policy must not import its compiler: the live system calls policies as they are, in processes that start in a
    fraction of the time that Numba takes.
    """
    assert isinstance(function, FunctionType)
    numba.config.CACHE_DIR = str(cache_directory())  # type: ignore[attr-defined]  # made at import
    named = {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}
    found = {name: function.__globals__.get(name) for name in named}
    called = {name: helper for name, helper in found.items() if isinstance(helper, FunctionType)}
    helpers = {name: compiled(STAND_INS.get(helper, helper)) for name, helper in called.items()}
    code, defaults = function.__code__, function.__defaults__
    copy = FunctionType(code, {**function.__globals__, **helpers}, function.__name__, defaults)
    jitted: Callable[..., Any] = numba.njit(**_OPTIONS)(copy)
    return jitted
