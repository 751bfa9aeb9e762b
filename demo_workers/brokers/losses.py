"""What was promised and what was found after a fault, and a recorded table for machines that cannot make one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from importlib.resources import files
from typing import Literal

import msgspec

Fault = Literal["server killed", "power cut", "node killed", "consumer killed", "visibility expired"]


class Loss(msgspec.Struct, frozen=True, kw_only=True):
    """The books of one fault, or of several added up.

    Attributes:
        acknowledged: messages of which the producer was told that they are safe; without confirms: that it has sent.
        found: different messages that were found again, or had their effect.
        lost: acknowledged and not found.
        doubled: found again and again: copies beyond the first.
        extra: found though nobody was told so: the answer was lost, not the message. A producer that tries again makes
            these into doubles.
        kills: how many faults.
        worst: the most that one fault lost, or all together where they are counted together.
    """

    acknowledged: int
    found: int
    lost: int
    doubled: int
    extra: int
    kills: int = 1
    worst: int = 0

    @classmethod
    def of(cls, acknowledged: Iterable[Hashable], found: Iterable[Hashable], kills: int = 1) -> Loss:
        """Compare what was told with what there is.

        Args:
            acknowledged: names of messages, each once.
            found: names of messages, as often as they were found.
            kills: how many faults there were in between.
        """
        told, counted = set(acknowledged), Counter(found)
        lost = len(told - counted.keys())
        return cls(
            acknowledged=len(told), found=len(counted), lost=lost, doubled=counted.total() - len(counted),
            extra=len(counted.keys() - told), kills=kills, worst=lost,
        )  # fmt: skip

    def __add__(self, other: Loss) -> Loss:
        """Both together."""
        sums = {name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        return Loss(**{**sums, "worst": max(self.worst, other.worst)})


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table.

    Attributes:
        broker: its kind, as in ``KINDS``.
        fault: what was done.
        setting: persistence, or whether publishes were confirmed.
        promised: whether nothing acknowledged may be lost.
        method: how a power cut was found out; empty otherwise. ``timestamps`` is a model.
        loss: the books.
    """

    broker: str
    fault: Fault
    setting: str
    promised: bool
    loss: Loss
    method: str = ""

    def __str__(self) -> str:
        """One line for people."""
        loss, how = self.loss, f" ({self.method})" if self.method else ""
        told = f"acknowledged {loss.acknowledged:,}, found {loss.found:,}, lost {loss.lost:,}, doubled {loss.doubled:,}"
        return f"{self.broker}, {self.setting}, {self.fault}{how}, {loss.kills} times: {told}, extra {loss.extra:,}"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A table as it was measured once; whoever shows it says that it is recorded.

    Attributes:
        date: when, ISO 8601.
        machine: on what kind of machine.
        versions: of each server.
        rows: the table.
    """

    date: str
    machine: str
    versions: dict[str, str]
    rows: Sequence[Row]

    @property
    def label(self) -> str:
        """What to write beside it."""
        return f"recorded on {self.date}: {self.machine}; {'; '.join(self.versions.values())}"


def recorded() -> Recording:
    """The table in the repository, which ``python -m benchmarks.loss --record`` wrote."""
    return msgspec.json.decode(files(__package__).joinpath("losses.json").read_bytes(), type=Recording)
