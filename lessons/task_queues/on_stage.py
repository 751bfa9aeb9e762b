"""Section c, drawn: letters on their way from Redis to workers, and back when somebody has noticed a trouble."""

from __future__ import annotations

from collections.abc import Sequence

from lessons.show.flow.stage import TASKS, Stage
from lessons.show.flow.steps import Does
from lessons.show.flow.viewing import FlowView


def make_view(workers: int, service_s: float) -> FlowView:
    """The flow view of section c, not shown yet.

    Args:
        workers: how many there are.
        service_s: about how long a letter takes, seconds.
    """
    return FlowView("02 letters", Stage(workers=workers, senders=1, words=TASKS, service_s=service_s))


class OnStage:
    """Tells a flow view, while it is being watched, what becomes of letters.

    Args:
        view: what shows it.
        workers: their names, from the top.
    """

    def __init__(self, view: FlowView, workers: Sequence[str]) -> None:
        self._view = view
        self._lanes = {name: lane for lane, name in enumerate(workers)}
        self._tries: dict[int, list[str]] = {}

    def posted(self, letter: int) -> None:
        """It was enqueued."""
        self._view.tell(Does.SENT, letter, lane=0)
        self._view.tell(Does.HELD, letter)

    def begun(self, letter: int, by: str) -> None:
        """A worker is at it."""
        tries = self._tries.setdefault(letter, [])
        tries.append(by)
        self._view.tell(Does.DELIVERED, letter, nth=len(tries), lane=self._lane(by))

    def sent(self, letter: int, by: str) -> None:
        """A worker has sent it; that may be one that had only seemed dead."""
        tries = self._tries.get(letter, [])
        nth = len(tries) - tries[::-1].index(by) if by in tries else 1
        self._view.tell(Does.DONE, letter, nth=nth, lane=self._lane(by))

    def back(self, letter: int, *, kept: bool) -> None:
        """It is in the queue for a second try.

        Args:
            letter: its number.
            kept: whether whoever had it has it still.
        """
        by = self._tries.get(letter, [""])[0]
        self._view.tell(Does.RETURNED, letter, nth=2, lane=-1 if kept else self._lane(by))

    def failed(self, letter: int, nth: int) -> None:
        """Its job has failed for good in this try."""
        self._view.tell(Does.FAILED, letter, nth=nth)

    def silent(self, worker: str) -> None:
        """A machine is dead, or seems so."""
        self._view.tell(Does.DIED, lane=self._lane(worker))

    def goes_on(self, worker: str) -> None:
        """A frozen machine goes on."""
        self._view.tell(Does.CAME, lane=self._lane(worker))

    def _lane(self, worker: str) -> int:
        return self._lanes.get(worker, -1)
