"""The load lab's record in the words of the flow view: rows of events in, steps out."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Any

from demo_workers.records.events import ClientOutcome, Events, Kind, Outcome, Result
from lessons.show.flow.steps import Does, Step

_ENDS = {
    Result.OK: Does.DONE,
    Result.FAILED: Does.FAILED,
    Result.DROPPED: Does.REMOVED,
    Result.CANCELLED: Does.REMOVED,
    Result.LOST: Does.LOST,
}
_DECISIONS = {
    Outcome.ADMITTED: Does.HELD,
    Outcome.DUPLICATE: Does.KNOWN,
    Outcome.SHED: Does.REFUSED,
    Outcome.THROTTLED: Does.REFUSED,
}
_UNANSWERED = (ClientOutcome.TIMED_OUT, ClientOutcome.GAVE_UP, ClientOutcome.ERRORED)
COLUMNS = ["kind", "code", "attempt", "actor", "request", "t", "value"]


class Reader:
    """Reads the rows of one run, batch after batch.

    Args:
        workers: how many boxes there are for them.
    """

    def __init__(self, workers: int) -> None:
        self._boxes = Boxes(workers)
        self._kept: list[Step] = []

    def resize(self, workers: int) -> None:
        """Another number of workers from now on."""
        self._boxes.resize(workers)

    def steps(self, rows: Events, until_s: float = math.inf) -> list[Step]:
        """The steps of new rows, in the order of their times.

        Args:
            rows: new ones.
            until_s: later steps are kept for the next call. The two files are written and read by several processes;
                when all that happened before this moment has been read, never more are inside than there were.
        """
        steps = self._kept
        for kind, code, attempt, actor, request, t, value in rows[COLUMNS].tolist():
            if kind == Kind.SENT:
                steps.append(Step(t, Does.SENT, request, attempt, actor))
            elif kind == Kind.ANSWERED:
                steps += _answered(t, code, request, attempt, value)
            elif kind == Kind.DECIDED:
                if does := _DECISIONS.get(code):
                    steps.append(Step(t, does, request, attempt, actor))
            elif kind == Kind.STARTED:
                steps.append(Step(t, Does.DELIVERED, request, attempt, self._boxes.of(actor)))
            elif kind == Kind.ENDED and code in _ENDS:
                lane = self._boxes.of(actor) if actor >= 0 else -1
                steps.append(Step(value if math.isnan(t) else t, _ENDS[code], request, attempt, lane))
        steps.sort(key=_time)
        ready = bisect_right(steps, until_s, key=_time)
        self._kept = steps[ready:]
        return steps[:ready]


def _time(step: Step) -> float:
    return step.t


def _answered(t: float, code: int, request: int, attempt: int, pause_s: float) -> list[Step]:
    """What an answer, or its absence, means to the client."""
    if code == ClientOutcome.SUCCEEDED:
        return [Step(t, Does.ANSWERED, request, attempt)]
    said = [Step(t, Does.ABANDONED, request, attempt)] if code in _UNANSWERED else []
    if math.isnan(pause_s):
        return [*said, Step(t, Does.GAVE_UP, request, attempt)]
    return [*said, Step(t, Does.WAITING, request, attempt, pause_s=pause_s)]


class Boxes:
    """Which worker stands where. Numbers of workers grow when some are replaced; there are only so many boxes.

    Args:
        count: of boxes.
    """

    def __init__(self, count: int) -> None:
        self._at: list[Any] = [None] * count  # the worker in each box
        self._of: dict[int, int] = {}
        self._seen: list[int] = list(range(count))  # boxes, the one that was quiet for longest first

    def of(self, worker: int) -> int:
        """The worker's box; a new one takes the box of whoever was quiet for longest. -1 where there is none."""
        box = self._of.get(worker)
        if box is None:
            if not self._seen:
                return -1
            box = next((b for b in self._seen if self._at[b] is None), self._seen[0])
            self._of.pop(self._at[box], None)
            self._at[box], self._of[worker] = worker, box
        self._seen.remove(box)
        self._seen.append(box)
        return box

    def resize(self, count: int) -> None:
        """More boxes at the end, or fewer."""
        for worker in self._at[count:]:
            self._of.pop(worker, None)
        self._at = self._at[:count] + [None] * (count - len(self._at))
        self._seen = [b for b in self._seen if b < count] + [b for b in range(count) if b not in self._seen]
