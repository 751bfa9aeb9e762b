"""Compiles a policy as it stands, with the helpers that it calls."""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import cache
from types import FunctionType
from typing import Any

import numba


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, compiled, and so is every function of its own module that it names.

    A policy must not import its compiler: the live system calls policies as they are, in processes that start in a
    fraction of the time that Numba takes.
    """
    assert isinstance(function, FunctionType)
    named = {step.argval for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}
    found = {name: function.__globals__.get(name) for name in named}
    helpers = {name: compiled(helper) for name, helper in found.items() if isinstance(helper, FunctionType)}
    code, defaults = function.__code__, function.__defaults__
    copy = FunctionType(code, {**function.__globals__, **helpers}, function.__name__, defaults)
    jitted: Callable[..., Any] = numba.njit(copy)
    return jitted
