"""Keeps a foreign program (a Redis server) and a runtime directory from outliving their owner.

Run as a file of its own (``python -I -S leash.py``) with little of the standard library, so that it is small and quick.
The first line on standard input is ``{"argv": [...], "stdin": "text for the program", "log": "file", "remove":
["directory"]}``. It starts the program in a session of its own and reports ``{"event": "started", "pid": N}``. When
its standard input ends (the owner has gone, in whatever way, or says goodbye) it kills the program, removes the
directories and leaves. When the program ends first it reports ``{"event": "exited", "code": N}`` (negative for a
signal) and stays only for the directories. Without ``argv`` it guards the directories alone, until a further line
``{"id": 1, "verb": "run", "argv": [...], "stdin": ..., "log": ...}`` brings a program: so the directories are safe
before the program is found. A program gets our environment, or what ``"env"`` says instead.

On Linux the kernel kills the program too should the leash itself be killed. That is armed here and nowhere else: the
signal comes when the *thread* that started the program ends, and this process has one thread, which ends last.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable

TYPE_CHECKING = False  # as in typing, whose import would cost a megabyte for nothing
if TYPE_CHECKING:
    from typing import Any

MARKER = ".workbook-runtime"
"""Only a directory that holds this file is ever removed."""
FEED_MAX = 4096
"""Bytes of text for the program: any pipe holds a page, so that feeding it never blocks."""
REMOVE_S = 1.0
"""Seconds in which siblings that die at the same moment may still write into a directory."""
POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_PDEATHSIG = 1  # Source: prctl(2)


def main() -> None:
    """Start, watch, end."""
    config = _read_config()
    if config is None:
        return
    os.umask(0o077)
    for number in POLITE:
        signal.signal(number, signal.SIG_IGN)  # the pipe alone says when to leave
    wakeup = _wake_on_sigchld()
    pid = _start(config) if config.get("argv") else None
    _tell(event="started", pid=pid)
    remove = config.get("remove", [])
    commands = b""
    while (heard := _wait(wakeup)) is not None:
        *lines, commands = (commands + heard).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if pid is not None or command.get("verb") != "run":
                _tell(
                    id=command.get("id"), ok=False, error="a leash runs one program at a time, and knows no other verb"
                )
                continue
            pid = _start(command)
            _tell(id=command["id"], ok=True, pid=pid)
        if pid is not None and (code := _reap(pid, os.WNOHANG)) is not None:
            _tell(event="exited", code=code)
            pid = None
            if not remove:
                return
    if pid is not None:
        _kill(pid)
        _reap(pid, 0)
    for directory in remove:
        _remove(directory)


def _read_config() -> dict[str, Any] | None:
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(0, 1)  # no further: what follows the line is a command
        if not chunk:
            return None  # the owner left before it had said what to do
        line += chunk
    return dict(json.loads(line))


def _wake_on_sigchld() -> int:
    """A descriptor that becomes readable when the program ends."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    return reading


def _start(order: dict[str, Any]) -> int:
    argv: list[str] = order["argv"]
    feed = order.get("stdin", "").encode()
    if len(feed) > FEED_MAX:
        raise ValueError(f"stdin = {len(feed)} bytes: must be at most {FEED_MAX}. Put large things into a file.")
    arm = _parent_death_signal()
    output = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    reading, writing = os.pipe()
    os.write(writing, feed)
    leash = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(reading, 0)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.setsid()
            # what is ignored stays ignored after exec; Python itself ignores the last two
            for number in (*POLITE, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            arm()
            if os.getppid() == leash:  # otherwise the leash died before the signal was armed
                os.execve(argv[0], argv, order.get("env") or os.environ)
        except OSError as error:
            os.write(2, f"{argv[0]} cannot be run: {error}\n".encode())
        finally:
            os._exit(127)
    for descriptor in (reading, writing, output):
        os.close(descriptor)
    return pid


def _parent_death_signal() -> Callable[[], object]:
    """What to call between fork and exec; prepared before the fork."""
    if sys.platform != "linux":
        return lambda: None
    try:
        import ctypes

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda: None  # a Python built without libffi: the pipe still holds
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(wakeup: int) -> bytes | None:
    """Wait until something happens: what the owner said, None when it has gone."""
    ready, _, _ = select.select([0, wakeup], [], [])
    if wakeup in ready:
        os.read(wakeup, 4096)
    return (os.read(0, 1 << 16) or None) if 0 in ready else b""


def _reap(pid: int, options: int) -> int | None:
    """How the program ended; None while it lives."""
    found, status = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(status) if found else None


def _kill(pid: int) -> None:
    # its group holds the children that save its memory; before its setsid there is no such group yet
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _tell(**message: object) -> None:
    try:
        os.write(1, json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # the owner has gone, which the end of standard input says too


def _remove(directory: str) -> None:
    if os.path.islink(directory) or not os.path.isfile(os.path.join(directory, MARKER)):
        return
    import shutil  # three megabytes that are wanted only now

    deadline = time.monotonic() + REMOVE_S
    while os.path.lexists(directory) and time.monotonic() < deadline:
        shutil.rmtree(directory, ignore_errors=True)
        time.sleep(0.01)


if __name__ == "__main__":
    main()
