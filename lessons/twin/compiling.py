"""Compiles functions as they stand, with the helpers that they call: the policies, and the twin's engine.

Compiled code is kept in the user's cache directory and nowhere else. Where that cannot be written, it is compiled anew
in each process, which is said.
"""

from __future__ import annotations

import dis
import hashlib
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from inspect import getfile
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
import numba
import platformdirs
from numba.core import event

from demo_workers import closed_tape, policies, scenario, variates
from demo_workers.records import events
from lessons.twin import hooks
from lessons.twin.progress import Progress
from lessons.twin.uniform import uniform, uniform_compiled

STAND_INS: dict[Callable[..., Any], Callable[..., Any]] = {
    uniform: uniform_compiled,
    hooks.ask_next_try: hooks.no_next_try,
    hooks.ask_admit: hooks.no_admit,
}
"""What compiled code calls in place of what only plain Python can."""

KEPT = 4
"""Directories of compiled code that are kept: one for each state of the sources, those used last."""

LOADING_S, COMPILING_S = 0.01, 0.2
"""What each function takes to load, and to compile first (seconds), where a request takes plain Python 50 µs."""

_OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
"""Without reference counting, which nothing here needs and which makes rows of records twenty times slower."""


@cache
def cache_directory() -> Path:
    """Where compiled code is kept: the user's cache, one directory for each state of the sources and kind of machine.

    Numba's own key is the source of one function; it does not see a helper in another module that has changed.
    """
    digest = hashlib.sha256(f"{numba.__version__} {sys.implementation.cache_tag} {llvm.get_host_cpu_name()}".encode())
    for path in _sources():
        digest.update(path.read_bytes())
    return platformdirs.user_cache_path("asynchronism-workbook") / f"twin-{digest.hexdigest()[:16]}"


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, to be compiled when it is first called, with every function that it names.

    A policy must not import its compiler: the live system calls policies as they are, in processes that start in a
    fraction of the time that Numba takes.
    """
    return _jitted(function, keep=_can_keep())


def call(function: Callable[..., Any], arguments: tuple[Any, ...], heard: Progress) -> Any:
    """What the compiled function returns; it is loaded first if it must be, or compiled, which is told.

    Args:
        function: whatever ``compiled`` takes.
        arguments: what it is called with.
        heard: hears how many functions have been compiled, and of how many; nothing where none must be.
    """
    jitted: Any = compiled(function)
    with event.install_listener("numba:compile", _Listener(function, heard)):
        if not jitted.signatures:
            _get_ready(function, jitted, tuple(map(numba.typeof, arguments)))
        return jitted(*arguments)


def wait_s(*functions: Callable[..., Any]) -> float:
    """How long it will take until compiled functions can be called (seconds); those called before take no time."""
    new = [function for function in functions if not getattr(compiled(function), "signatures", ())]
    return sum(len(set(_tree(function))) * (LOADING_S if _kept(function) else COMPILING_S) for function in new)


class _Listener(event.Listener):
    """Counts functions that have been compiled, each once, for however many types."""

    def __init__(self, function: Callable[..., Any], heard: Progress) -> None:
        self._function, self._heard = function, heard
        self._left = set[str]()
        self._of = 0

    def on_start(self, event: event.Event) -> None:
        if self._of == 0:
            self._left = {_name(one) for one in _tree(self._function)}
            self._of = len(self._left)
            self._heard(0, self._of)

    def on_end(self, event: event.Event) -> None:
        name = _name(event.data["dispatcher"].py_func)
        if name in self._left:  # else it is one of Numba's own, or one of ours for other types
            self._left.remove(name)
            self._heard(self._of - len(self._left), self._of)


def _get_ready(function: Callable[..., Any], jitted: Any, types: tuple[Any, ...]) -> None:
    try:
        jitted.compile(types)
        if _can_keep():
            _ready(function).write_text(_stamp(function), encoding="utf-8")
            os.utime(cache_directory())
            _prune()
    except OSError as error:  # it is compiled, but there was no room to keep it
        warnings.warn(f"The twin's compiled code could not be kept: {error}. {_REMEDY}", stacklevel=2)


_REMEDY = "It is compiled anew in each process. Make room there, or name another place in XDG_CACHE_HOME."


@cache
def _can_keep() -> bool:
    """Whether the cache directory can be written. Numba alone would then turn to the folders of the sources."""
    directory = cache_directory()
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        warnings.warn(f"The twin's compiled code cannot be kept: {error}. {_REMEDY}", stacklevel=2)
        return False
    numba.config.CACHE_DIR = str(directory)  # type: ignore[attr-defined]  # made at import
    return True


@cache
def _jitted(function: Callable[..., Any], *, keep: bool, inner: bool = False) -> Callable[..., Any]:
    # only what is called from Python needs a wrapper for that, and only that is kept: the others' code is within it
    more = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True} if inner else {"cache": keep}
    assert isinstance(function, FunctionType)
    assert Path(getfile(function)) in _sources(), (
        f"{function} must be among the sources that the cache's name stands for"
    )
    helpers = {name: _jitted(helper, keep=keep, inner=True) for name, helper in _called(function)}
    code, defaults = function.__code__, function.__defaults__
    copy = FunctionType(code, {**function.__globals__, **helpers}, function.__name__, defaults)
    options: dict[str, Any] = _OPTIONS | more
    jitted: Callable[..., Any] = numba.njit(**options)(copy)
    return jitted


def _called(function: FunctionType) -> Iterator[tuple[str, FunctionType]]:
    """The functions that a function names, by the names it has for them, or their stand-ins."""
    for name in sorted({str(step.argval) for step in dis.get_instructions(function) if step.opname == "LOAD_GLOBAL"}):
        found: Any = function.__globals__.get(name)
        if isinstance(found, FunctionType):
            helper: Any = STAND_INS.get(found, found)
            yield name, helper


def _tree(function: Any) -> Iterator[Any]:
    """A function and all that it calls, perhaps several times."""
    yield function
    for _, helper in _called(function):
        yield from _tree(helper)


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__name__}"


@cache
def _sources() -> tuple[Path, ...]:
    """All files whose code or constants are compiled."""
    folders = [Path(__file__).parent, Path(getfile(policies)).parent]
    files = [Path(getfile(module)) for module in (closed_tape, events, scenario, variates)]
    return (*sorted(path for folder in folders for path in folder.rglob("*.py")), *files)


def _ready(function: Callable[..., Any]) -> Path:
    """Says that a function's compiled code is all there."""
    return cache_directory() / f"{_name(function)}.ready"


def _kept(function: Callable[..., Any]) -> bool:
    try:
        return _ready(function).read_text(encoding="utf-8") == _stamp(function)
    except OSError:
        return False


def _stamp(function: Callable[..., Any]) -> str:
    """What Numba goes by when it looks for kept code: a file that was only touched is compiled anew."""
    path = getfile(function)
    found = os.stat(path)
    return f"{path} {found.st_mtime} {found.st_size}"


def _prune() -> None:
    others = [path for path in cache_directory().parent.glob("twin-*") if path.is_dir()]
    for old in sorted(others, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
