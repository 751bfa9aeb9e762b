"""A policy written in a notebook's cell, at work in one of our own child processes.

It is packed in the kernel, travels over the child's control pipe and nowhere else, is tried on a few examples, and then
answers in place of a policy of ours. One that raises, answers nonsense or does not come back is told to the owner,
once, with its own lines of code; from then on a harmless answer is given instead, until the owner ends the run.
"""

from __future__ import annotations

import base64
import inspect
import linecache
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import cloudpickle
import msgspec

from demo_workers.errors import PolicyError
from demo_workers.policies.custom import DOORS, FAILURES, checked, own_lines, raised
from demo_workers.services.children import control
from demo_workers.services.children.time_limit import ALARM_S, TooLong, time_limit

MAX_BYTES = 256 * 1024
"""Of a packed function with all that it holds on to."""


class Packed(msgspec.Struct, forbid_unknown_fields=True):
    """A function on its way: its pickle in base64, and the cell it was written in, for tracebacks."""

    function: str
    filename: str
    lines: list[str]


class Kind(NamedTuple):
    """What a policy is called with on trial, and the answer that does no harm."""

    examples: Iterable[Any]
    harmless: Any


KINDS = {"next_try": Kind(FAILURES, None), "admit": Kind(DOORS, True)}
"""The policies that a reader can write, by name."""


def pack(name: str, function: Callable[..., Any]) -> dict[str, Any]:
    """A function as the control pipe carries it.

    Args:
        name: ``next_try`` or ``admit``.
        function: takes one argument.

    Raises:
        PolicyError: it cannot be called with one argument, cannot be packed, or is too large.
    """
    try:
        inspect.signature(function).bind(object())
    except (TypeError, ValueError) as error:
        raise PolicyError(f"{name} = {function!r}: must be a function of one argument ({error}).") from None
    try:
        pickled = cloudpickle.dumps(function)
    except Exception as error:  # whatever the reader's objects raise when they are pickled
        remedy = "Let it use plain values and imports only."
        raise PolicyError(f"{name}: cannot be sent to another process ({error}). {remedy}") from error
    if len(pickled) > MAX_BYTES:
        remedy = "It holds on to something large: pass numbers instead."
        raise PolicyError(f"{name} = {len(pickled)} bytes packed: must be at most {MAX_BYTES}. {remedy}")
    code = getattr(function, "__code__", None)
    filename = code.co_filename if code else ""
    lines = linecache.getlines(filename)
    packed = Packed(base64.b64encode(pickled).decode(), filename, lines if sum(map(len, lines)) < MAX_BYTES else [])
    return dict(msgspec.to_builtins(packed))


def source_of(function: Callable[..., Any]) -> str:
    """The function's text as far as it is known, for the record."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        return repr(function)


class HostedPolicy:
    """The function in the child, called like one of ours.

    Args:
        name: ``next_try`` or ``admit``.
        packed: what ``pack`` made.
        failed: told about the first mistake of the function.
    """

    def __init__(self, name: str, packed: dict[str, Any], failed: Callable[[PolicyError], None]) -> None:
        self._name, self._failed = name, failed
        self._kind = KINDS[name]
        self._packed = msgspec.convert(packed, Packed)
        self._broken = False
        self._function: Callable[[Any], Any]

    def rehearse(self) -> None:
        """Unpack it and try it on the examples, all within one time limit.

        Raises:
            PolicyError: it made a mistake.
        """
        packed = self._packed
        if packed.lines:
            text = "".join(packed.lines)
            linecache.cache[packed.filename] = (len(text), None, packed.lines, packed.filename)
        try:
            with time_limit():
                self._function = cloudpickle.loads(base64.b64decode(packed.function))
                for example in self._kind.examples:
                    self._answer(example)
        except TooLong as error:
            raise self._too_long(error) from None

    def __call__(self, argument: Any) -> Any:
        """The function's answer, or the harmless one after its first mistake."""
        if self._broken:
            return self._kind.harmless
        try:
            with time_limit():
                return self._answer(argument)
        except TooLong as error:
            mistake = self._too_long(error)
        except PolicyError as error:
            mistake = error
        self._broken = True
        self._failed(mistake)
        return self._kind.harmless

    def _answer(self, argument: Any) -> Any:
        try:
            answer = self._function(argument)
        except TooLong:
            raise
        except BaseException as error:  # SystemExit too: a reader's function must not end our process
            raise raised(self._name, error, argument, self._packed.filename) from None
        return checked(self._name, answer, argument)

    def _too_long(self, error: TooLong) -> PolicyError:
        text = f"{self._name} had not returned after {ALARM_S:g} s: must answer at once. Look for a loop without an end"
        return PolicyError(f"{text}; it was here:\n{own_lines(error, self._packed.filename)}")


def host(name: str, packed: dict[str, Any]) -> tuple[HostedPolicy | None, dict[str, Any]]:
    """Take a policy in: what to call, if it passed its examples, and the reply to whoever sent it.

    Its later mistakes are told to the owner as ``policy_mistake``.
    """

    def failed(mistake: PolicyError) -> None:
        control.emit("policy_mistake", policy=name, error=str(mistake))

    hosted = HostedPolicy(name, packed, failed)
    try:
        hosted.rehearse()
    except PolicyError as mistake:
        return None, {"mistake": str(mistake)}
    return hosted, {}
