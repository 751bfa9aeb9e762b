"""Holds another process still, and sees to it that it does not stay behind so.

A stopped process cannot notice that its owner has gone. So a small process of its own holds it: when the owner's pipe
ends, in whatever way, the held process and its group are killed. Run as a file (``python -I -S freezer.py``) with
little of the standard library. The first line on standard input is ``{"pid": N}``; ``{"id": 1, "verb": "thaw"}`` lets
the process go on and ends this one.
"""

from __future__ import annotations

import json
import os
import signal
import sys

POLITE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Stop it, hold it, let it go or kill it."""
    for number in POLITE:
        signal.signal(number, signal.SIG_IGN)  # the pipe alone says when to leave
    lines = sys.stdin
    first = lines.readline()
    if not first:
        return
    pid = int(json.loads(first)["pid"])
    _signal(pid, signal.SIGSTOP)
    _tell(event="ready", pid=pid)
    for line in lines:
        command = json.loads(line)
        if command.get("verb") == "thaw":
            _signal(pid, signal.SIGCONT)
            _tell(id=command["id"], ok=True)
            return
        _tell(id=command.get("id"), ok=False, error="a freezer knows one verb, thaw")
    _signal(pid, signal.SIGKILL)  # the owner has gone


def _signal(pid: int, number: int) -> None:
    try:
        # its children too: a work horse goes on working while its worker stands still
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # it ended a moment ago


def _tell(**message: object) -> None:
    try:
        os.write(1, json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # the owner has gone, which the end of standard input says too


if __name__ == "__main__":
    main()
