"""Where everything stands."""

from __future__ import annotations

import itertools
import json

import pytest

from lessons.show.flow.stage import BROKER, MOST_BOXES, MOST_SLOTS, SIZE_PX, Box, Stage, plan, wire


@pytest.mark.parametrize("workers", [0, 1, 3, 8, 16, 200])
@pytest.mark.parametrize("limit", [None, 1, 6, 20, 40, 100, 10_000])
def test_everything_stands_on_the_canvas_and_nothing_on_something_else(workers: int, limit: int | None) -> None:
    """Whatever the sliders can ask for, and more: slots and boxes neither leave the card nor cover each other."""
    laid = plan(Stage(workers=workers, limit=limit))
    side = laid.slot_px
    squares = [Box(x - side / 2, y - side / 2, side, side) for x, y in laid.slots]
    everything = [laid.door, *squares, *laid.boxes, laid.out, *([laid.wall] if laid.wall else [])]
    for box in everything:
        assert box.x >= 0
        assert box.y >= 62  # below the text
        assert box.x + box.w <= SIZE_PX[0]
        assert box.y + box.h <= SIZE_PX[1] - 20  # above the legend
    assert not [(a, b) for a, b in itertools.combinations(everything, 2) if overlap(a, b)]


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes share more than an edge."""
    wide = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    high = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    return wide > 0.01 and high > 0.01


def test_boxes_that_cover_each_other_are_found() -> None:
    """The check can fail."""
    assert overlap(Box(0, 0, 10, 10), Box(9, 9, 10, 10))
    assert not overlap(Box(0, 0, 10, 10), Box(10, 0, 10, 10))


def test_a_limit_is_so_many_places_and_a_wall_behind_the_last() -> None:
    """Limit 20: twenty slots in a row, their head nearest to the workers; without a limit there is no wall."""
    laid = plan(Stage(workers=3, limit=20))
    assert (len(laid.slots), len(laid.boxes), laid.per_slot) == (20, 3, 1)
    assert len({y for _, y in laid.slots}) == 1
    assert laid.wall is not None
    assert laid.door.x < laid.wall.x < min(x for x, _ in laid.slots)
    assert laid.slots[0][0] == max(x for x, _ in laid.slots)
    assert plan(Stage(workers=3)).wall is None


def test_a_long_queue_has_slots_for_several() -> None:
    """Ten thousand places are no more than a hundred slots."""
    laid = plan(Stage(workers=2, limit=10_000))
    assert len(laid.slots) <= MOST_SLOTS
    assert laid.per_slot * len(laid.slots) >= 10_000
    assert len(plan(Stage(workers=200)).boxes) == MOST_BOXES


def test_the_browser_gets_plain_values() -> None:
    """The plan travels as JSON, with colours and words."""
    sent = json.loads(json.dumps(wire(Stage(workers=2, senders=1, words=BROKER))))
    assert sent["words"]["workers"] == "consumers"
    assert len(sent["seats"]) == 1
    assert sent["colours"]["vermillion"].startswith("#")
