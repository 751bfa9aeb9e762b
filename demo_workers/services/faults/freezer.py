"""Holds another process still, and sees to it that it does not stay behind so.

A stopped process cannot notice that its owner has gone. So a small process of its own holds it: when the owner's pipe
ends, in whatever way, the held process and its group are killed. Run as a file (``python -I -S freezer.py``) with
little of the standard library. The first line on standard input is ``{"pid": N}``. Once that stands still, its owner
can see whom it has started outside its group, and has them held too: ``{"id": 1, "verb": "hold", "pids": [...]}``.
``{"id": 2, "verb": "thaw"}`` lets them all go on and ends this process.
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
    held = [int(json.loads(first)["pid"])]
    _signal(held, signal.SIGSTOP)
    _tell(event="ready", pid=held[0])
    for line in lines:
        command = json.loads(line)
        if command.get("verb") == "hold":
            more = [int(pid) for pid in command["pids"]]
            held += more
            _signal(more, signal.SIGSTOP)
        elif command.get("verb") == "thaw":
            _signal(held, signal.SIGCONT)
        else:
            _tell(id=command.get("id"), ok=False, error="a freezer knows the verbs hold and thaw")
            continue
        _tell(id=command["id"], ok=True)
        if command["verb"] == "thaw":
            return
    _signal(held, signal.SIGKILL)  # the owner has gone


def _signal(pids: list[int], number: int) -> None:
    for pid in pids:
        for kill in (os.killpg, os.kill):  # one that leads no group of its own is met by the second
            try:
                kill(pid, number)
            except (ProcessLookupError, PermissionError):
                pass  # it ended a moment ago


def _tell(**message: object) -> None:
    try:
        os.write(1, json.dumps(message).encode() + b"\n")
    except OSError:
        pass  # the owner has gone, which the end of standard input says too


if __name__ == "__main__":
    main()
