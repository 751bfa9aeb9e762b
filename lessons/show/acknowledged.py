"""A widget that sends its browser no more than it can show: the same back pressure the workbook teaches.

A browser acknowledges each message. With two of them unacknowledged, or the tab closed or hidden, nothing is wanted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anywidget

MOST_UNSEEN = 2
"""Messages that may be on their way."""
FORGIVEN_S = 2.0
"""After this long one more is risked, once per sign of life: a lost acknowledgement must not end the show."""
SHARPEST = 2.0


class Facts(NamedTuple):
    """What the browser said of itself, and how it went. ``seen`` is the last message acknowledged."""

    connected: bool = False
    hidden: bool = False
    reduced: bool = False
    dark: bool = False
    ratio: float = 1.0
    sent: int = 0
    seen: int = 0
    skipped: int = 0


class Acknowledged(anywidget.AnyWidget):
    """What the live picture and the flow view share.

    Args:
        on_ready: called when a browser reports. It may run on any thread, so it may only set plain values or use
            ``loop.call_soon_threadsafe``.
        clock: seconds, for tests.
    """

    def __init__(
        self, on_ready: Callable[[], None] = lambda: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._facts = Facts()
        self._tell, self._clock = on_ready, clock
        self._sent_at, self._forgave = 0.0, False
        super().__init__()
        self.on_msg(self.receive)

    @property
    def facts(self) -> Facts:
        """The state of the other side."""
        return self._facts

    def receive(self, _: object, content: Mapping[str, Any], buffers: object = None) -> None:
        """Take a message from the browser. Runs on any thread."""
        facts = self._facts
        if content.get("kind") == "ack":
            self._facts = facts._replace(seen=max(facts.seen, min(int(content.get("n", 0)), facts.sent)))
            self._forgave = False
        elif content.get("kind") == "ready":
            self._facts = facts._replace(
                connected=True,
                hidden=bool(content.get("hidden")),
                reduced=bool(content.get("reduced")),
                dark=bool(content.get("dark")),
                ratio=min(max(float(content.get("dpr", 1.0)), 1.0), SHARPEST),
                seen=facts.sent,  # whatever was on its way went to a view that is gone
            )
            self._forgave = False
            self._tell()

    def wanted(self) -> bool:
        """Whether another message would be looked at now; a refusal is counted as skipped."""
        facts = self._facts
        if not facts.connected or facts.hidden:
            return False
        if facts.sent - facts.seen < MOST_UNSEEN:
            return True
        if not self._forgave and self._clock() - self._sent_at > FORGIVEN_S:
            self._forgave = True
            return True
        self._facts = facts._replace(skipped=facts.skipped + 1)
        return False

    def post(self, content: Mapping[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Send a message, numbered."""
        self._sent_at = self._clock()
        self._facts = self._facts._replace(sent=self._facts.sent + 1)
        self.send({**content, "n": self._facts.sent}, list(buffers))


def script(*files: Path) -> str:
    """The JavaScript of a widget in one, with what all of them share before it."""
    shared = Path(__file__).with_name("ready.js")
    return "".join(file.read_text(encoding="utf-8") for file in (shared, *files))
