"""What the flow view says: a number and a note at each station, and a sentence for those who do not see it."""

from __future__ import annotations

from typing import NamedTuple

from lessons.show.flow.board import Counts
from lessons.show.flow.stage import LOAD, Stage


class Labels(NamedTuple):
    """Everything written with numbers.

    ``heads`` are (number, note) of the five stations from left to right; ``ends`` are lines in the last box: how
    things ended, and how often.
    """

    heads: list[tuple[str, str]]
    ends: list[str]


class Rates(NamedTuple):
    """What happened per second, lately."""

    sent: float = 0.0
    retries: float = 0.0
    refused: float = 0.0
    done: float = 0.0


def labels(n: Counts, stage: Stage) -> Labels:
    """The numbers at the stations."""
    load = stage.words == LOAD
    inside = n.in_queue + n.at_work
    room = f"{inside:,} inside, no limit" if stage.limit is None else f"{inside:,} of {stage.limit:,} inside"
    heads = [
        (f"{n.waiting:,}", "wait to try again") if load else (f"{n.sent:,}", "published"),
        (f"{n.refused:,}", "refused (503)" if load else "refused"),
        (f"{n.in_queue:,}", f"waiting, {room}" + (f"; nobody waits for {n.ghosts:,}" if n.ghosts else "")),
        (f"{n.at_work} of {stage.workers}", "busy"),
        (f"{n.done:,}", ""),
    ]
    ends = (
        (n.answered, "in time" if load else "confirmed"),
        (n.twice, "done twice"),
        (n.returned, "came back"),
        (n.known, "known already"),
        (n.gave_up, "gave up"),
        (n.failed, "failed"),
        (n.removed, "taken out" if load else "dead-lettered"),
        (n.lost, "lost"),
    )
    return Labels(heads, [f"{count:,} {word}" for count, word in ends if count])


def sentence(n: Counts, rates: Rates, stage: Stage, per_dot: int) -> str:
    """The present state in words; live text, and the canvas' name for screen readers."""
    words = stage.words
    limit = "no limit" if stage.limit is None else f"limit {stage.limit:,}"
    parts = [
        f"Now {n.in_queue:,} wait in the queue and {n.at_work} of {stage.workers} {words.workers} are busy; {limit}."
    ]
    if rates.sent:
        again = f", {rates.retries:.0f} of them again" if rates.retries else ""
        refused = f"; {rates.refused:.0f} refused" if rates.refused else ""
        parts.append(f"Per second: {rates.sent:.0f} sent{again}{refused}; {rates.done:.0f} {words.out}.")
    if n.waiting:
        parts.append(f"{n.waiting:,} {words.senders} wait to try again.")
    if n.ghosts:
        parts.append(f"Nobody waits any more for {n.ghosts:,} of the {words.noun} inside.")
    if n.lost:
        parts.append(f"{n.lost:,} lost.")
    if per_dot > 1:
        parts.append(f"One dot stands for {per_dot} {words.noun}.")
    return " ".join(parts)


def whole(n: Counts, stage: Stage) -> str:
    """All that happened, in words."""
    words = stage.words
    if not n.sent:
        return f"No {words.noun} yet."
    tries = f" in {n.sent:,} tries" if n.retries else ""
    labelled = labels(n, stage).ends
    first = n.sent - n.retries
    parts = [f"{first:,} {words.noun} were sent{tries}; {n.refused:,} were refused, {n.done:,} {words.out}."]
    left = n.in_queue + n.at_work
    parts += [f"Of all: {', '.join(labelled)}."] if labelled else []
    parts += [f"{left:,} are still inside."] if left else []
    return " ".join(parts)
