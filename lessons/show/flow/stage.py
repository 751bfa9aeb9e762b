"""Where everything stands on the canvas, in CSS pixels: one plan for the browser's drawing and for Matplotlib's."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from lessons.show import style

SIZE_PX = (900, 236)
SEATS = 7
"""Places in the column of senders."""
MOST_SLOTS = 100
MOST_BOXES = 16
OPEN_SLOTS = 36
"""Slots that are drawn of a queue without a limit."""

LARGEST_SLOT, ROW_SLOT = 20, 14
"""Sides of slots in pixels: the largest, and the smallest for which the queue is still one row."""

TOP, BOTTOM = 82, 204
SENDERS_X, DOOR_X, QUEUE_X, WORKERS_X, OUT_X = 62, 196, (262, 560), (606, 716), 826
HEAD_PX, NUMBER_PX, NOTE_PX = 14, 20, 12
"""The only three sizes of type."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the stations are called."""

    senders: str
    door: str
    queue: str
    workers: str
    out: str
    noun: str
    tries: str
    again: str
    refused: str


LOAD = Words(
    senders="clients", door="gateway", queue="queue", workers="workers", out="done",
    noun="requests", tries="first try", again="retry", refused="503",
)  # fmt: skip
BROKER = Words(
    senders="publishers", door="broker", queue="held", workers="consumers", out="acknowledged",
    noun="messages", tries="first delivery", again="delivered again", refused="refused",
)  # fmt: skip
TASKS = Words(
    senders="web server", door="Redis", queue="queue", workers="workers", out="sent",
    noun="letters", tries="first try", again="tried again", refused="refused",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What there is.

    Attributes:
        workers: how many workers or consumers.
        limit: most jobs inside, waiting or at a worker; None: no limit.
        senders: how many, when each is to have a place of its own; None: whoever is on the way takes a free one.
        words: what everything is called.
        service_s: about how long a worker takes, until it is known better.
    """

    workers: int
    limit: int | None = None
    senders: int | None = None
    words: Words = LOAD
    service_s: float = 0.1


class Box(NamedTuple):
    """A rectangle by its upper left corner."""

    x: float
    y: float
    w: float
    h: float


class Plan(NamedTuple):
    """Everything in its place.

    ``slots`` are the middles of the places inside, the head of the queue first; each stands for ``per_slot`` jobs. Who
    is at a worker holds a place too: the last ones.
    ``wall`` is the limit; None where there is none.
    """

    size: tuple[int, int]
    seats: list[tuple[float, float]]
    door: Box
    slots: list[tuple[float, float]]
    slot_px: float
    per_slot: int
    wall: Box | None
    boxes: list[Box]
    out: Box
    heads: list[tuple[float, str]]


def plan(stage: Stage) -> Plan:
    """Lay a stage out."""
    count = OPEN_SLOTS if stage.limit is None else stage.limit
    per_slot = max(-(-count // MOST_SLOTS), 1)
    slots, side = _slots(-(-count // per_slot))
    left = min((x for x, _ in slots), default=QUEUE_X[1]) - side / 2
    words = stage.words
    return Plan(
        size=SIZE_PX,
        seats=_column(SENDERS_X, min(stage.senders or SEATS, SEATS)),
        door=Box(DOOR_X - 7, TOP - 4, 14, BOTTOM - TOP + 8),
        slots=slots,
        slot_px=side,
        per_slot=per_slot,
        wall=None if stage.limit is None else Box(left - 7, TOP - 4, 3, BOTTOM - TOP + 8),
        boxes=_boxes(min(stage.workers, MOST_BOXES)),
        out=Box(OUT_X - 50, TOP + 14, 100, BOTTOM - TOP - 28),
        heads=[
            (SENDERS_X, words.senders),
            (DOOR_X, words.door),
            (sum(QUEUE_X) / 2, words.queue),
            (sum(WORKERS_X) / 2, words.workers),
            (OUT_X, words.out),
        ],
    )


def title(stage: Stage) -> str:
    """What the canvas is, for those who do not see it."""
    words = stage.words
    stations = (words.senders, words.door, words.queue, words.workers, words.out)
    return f"Flow of {words.noun}: {', '.join(stations)}"


def limit_words(stage: Stage) -> str:
    """What stands at the wall."""
    return "" if stage.limit is None else f"limit {stage.limit:,}, those at work included"


def wire(stage: Stage) -> dict[str, Any]:
    """The plan as JSON, with the colours and words that the browser needs."""
    laid, words = plan(stage), stage.words
    return {
        **laid._asdict(),
        "door": laid.door._asdict(),
        "wall": None if laid.wall is None else laid.wall._asdict(),
        "boxes": [box._asdict() for box in laid.boxes],
        "out": laid.out._asdict(),
        "title": title(stage),
        "words": asdict(words),
        "limit": stage.limit,
        "limit_words": limit_words(stage),
        "service_s": stage.service_s,
        "named": stage.senders is not None,
        "colours": {name: getattr(style, name.upper()) for name in ("blue", "sky", "green", "vermillion", "orange")}
        | {name: getattr(style, name.upper()) for name in ("ink", "grey", "grid", "band", "paper")},
        "sizes": [HEAD_PX, NUMBER_PX, NOTE_PX],
    }


def _column(x: float, count: int) -> list[tuple[float, float]]:
    gap = min((BOTTOM - TOP - 4) / max(count - 1, 1), 40.0)
    first = (TOP + BOTTOM - gap * (count - 1)) / 2
    return [(x, first + n * gap) for n in range(count)]


def _slots(count: int) -> tuple[list[tuple[float, float]], float]:
    """Rows of squares, filled from the right: the head of the queue stands nearest to the workers."""
    wide, high = QUEUE_X[1] - QUEUE_X[0], BOTTOM - TOP
    one_row = max(min(wide // max(count, 1), LARGEST_SLOT), 0)
    several = next(s for s in range(LARGEST_SLOT, 7, -1) if (wide // s) * (high // s) >= count)
    side = one_row if one_row >= ROW_SLOT else several
    columns = wide // side
    rows = max(-(-count // columns), 1)
    columns = -(-count // rows)  # rows of about the same length
    top = (TOP + BOTTOM - rows * side) / 2 + side / 2
    return [(QUEUE_X[1] - side / 2 - (n % columns) * side, top + (n // columns) * side) for n in range(count)], side


def _boxes(count: int) -> list[Box]:
    columns = 1 if count <= 8 else 2
    rows = max(-(-count // columns), 1)
    gap, wide = (6 if rows <= 4 else 3), (WORKERS_X[1] - WORKERS_X[0] - 6 * (columns - 1)) / columns
    high = min((BOTTOM - TOP - gap * (rows - 1)) / rows, 32.0)
    top = (TOP + BOTTOM - rows * high - (rows - 1) * gap) / 2
    return [
        Box(WORKERS_X[0] + (n // rows) * (wide + 6), top + (n % rows) * (high + gap), wide, high) for n in range(count)
    ]
