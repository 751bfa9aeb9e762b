"""The child's end of the control pipe.

The first line on standard input is the configuration, each further one a command; replies and news go to standard
output, one JSON object a line. The end of standard input means that the owner has gone: the child ends at once. A
thread of its own reads, so that this works while the main thread computes, blocks or has stalled its event loop.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import io
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import msgspec

from demo_workers.errors import LabError

Handler = Callable[..., Any]
MAX_LINE = 1 << 20
"""Bytes of the longest line in either direction, without its end."""
FAREWELL_S = 0.3
"""Seconds that ``on_eof`` has before the process ends without it."""


def read_config() -> dict[str, Any]:
    """The configuration, which is the first line; ends the process when the owner has gone before sending it.

    From here on the control pipe is hidden: ``print`` goes to the log, ``input`` finds nothing.

    Raises:
        LabError: the line is longer than ``MAX_LINE``.
    """
    line = next(_pipe().lines, None)
    if line is None:
        os._exit(0)
    return dict(msgspec.json.decode(line))


def emit(event: str, **fields: Any) -> None:
    """Tell the owner some news; from any thread.

    Waits while the owner leaves 64 KiB unread, so this is for rare news and not for a record.

    Raises:
        LabError: the line would be longer than ``MAX_LINE``.
    """
    _pipe().write({"event": event, **fields})


def watch_stdin(on_eof: Callable[[], None] | None = None) -> None:
    """End this process when the owner has gone; for children that take no commands.

    Args:
        on_eof: called first, in a thread of its own, for at most ``FAREWELL_S``.
    """
    _read_in_thread(lambda line: None, on_eof)


async def serve(handlers: Mapping[str, Handler], on_eof: Callable[[], None] | None = None) -> NoReturn:
    """Answer commands on the running loop until the owner has gone or the caller cancels it.

    A command that awaits does not hold up the next one; commands that do not await are done in their order.

    Args:
        handlers: verb → function or coroutine function. It takes the command's fields as keywords and returns a
            mapping (the fields of the reply) or None. What it raises becomes a reply with ``ok`` false.
        on_eof: as in ``watch_stdin``.
    """
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def begin(line: bytes) -> None:
        task = loop.create_task(_answer(handlers, line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    _read_in_thread(lambda line: loop.call_soon_threadsafe(begin, line), on_eof)
    await asyncio.Event().wait()
    raise AssertionError("nobody sets this event")


async def _answer(handlers: Mapping[str, Handler], line: bytes) -> None:
    number = None
    try:
        command = msgspec.json.decode(line)
        number, verb = command.pop("id"), command.pop("verb")
        if verb not in handlers:
            raise LabError(f"verb = {verb!r}: must be one of {', '.join(sorted(handlers))}. Use one of these.")
        result = handlers[verb](**command)
        if inspect.isawaitable(result):
            result = await result
        _pipe().write({"id": number, "ok": True, **(result or {})})
    except Exception as error:
        # the owner raises it at the place that asked; where it happened stays in the log
        if not isinstance(error, LabError):
            traceback.print_exc()
        text = f"{type(error).__name__}: {error}"
        _pipe().write({"id": number, "ok": False, "error": text[: MAX_LINE // 8]})


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without their ends.

        Raises:
            LabError: a line is longer than ``MAX_LINE``.
        """
        self._rest += chunk
        # what came before this chunk has no line's end: a long line is not searched again and again
        if b"\n" in chunk:
            *lines, rest = bytes(self._rest).split(b"\n")
            self._rest = bytearray(rest)
        else:
            lines = []
        if (longest := max(map(len, [*lines, self._rest]))) > MAX_LINE:
            raise LabError(f"control line = {longest} bytes: must be at most {MAX_LINE}. Send large things as files.")
        return lines


class _Pipe:
    """The two file descriptors, moved out of the way of whatever prints to or reads from 0 and 1."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        os.dup2(2, 1)
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(line_buffering=True)  # os._exit flushes nothing
        self._lock = threading.Lock()
        self.lines = self._lines()

    def write(self, message: dict[str, Any]) -> None:
        data = msgspec.json.encode(message)
        if len(data) > MAX_LINE:
            raise LabError(f"control line = {len(data)} bytes: must be at most {MAX_LINE}. Send large things as files.")
        rest = memoryview(data + b"\n")
        with self._lock:
            try:
                while rest:
                    rest = rest[os.write(self._out, rest) :]
            except BrokenPipeError:
                pass  # the owner has gone, which the reading thread sees too; it alone ends the process

    def _lines(self) -> Iterator[bytes]:
        # plain os.read: a thread blocked in a buffered reader holds a lock that the interpreter wants when it ends
        lines = Lines()
        while chunk := os.read(self._in, 1 << 16):
            yield from lines.feed(chunk)


@functools.cache
def _pipe() -> _Pipe:
    return _Pipe()


def _read_in_thread(take: Callable[[bytes], object], on_eof: Callable[[], None] | None) -> None:
    lines = _pipe().lines

    def read() -> None:
        try:
            for line in lines:
                take(line)
        except Exception:
            # a line too long, or a loop that is closed: without commands there is nothing left to live for
            traceback.print_exc()
        finally:
            _end(on_eof)

    threading.Thread(target=read, name="control", daemon=True).start()


def _end(on_eof: Callable[[], None] | None) -> None:
    try:
        if on_eof is not None:
            farewell = threading.Thread(target=on_eof, daemon=True)
            farewell.start()
            farewell.join(FAREWELL_S)
    finally:
        os._exit(0)
