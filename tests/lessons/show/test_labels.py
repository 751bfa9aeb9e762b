"""Direct labels."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.show.labels import Area, Want, place

AREA = Area(0, 0, 380, 150)


def wave(seed: int, level: float, swing: float) -> np.ndarray:
    """A noisy line across the area, in pixels."""
    x = np.linspace(0, 380, 80)
    return np.column_stack([x, level + swing * np.random.default_rng(seed).standard_normal(80)])


def crosses(line: np.ndarray, x: float, y: float, width: float, height: float) -> bool:
    """Whether a line passes through a rectangle, by sampling it finely."""
    t = np.linspace(0, 1, 4000)
    at = np.interp(t, np.linspace(0, 1, len(line)), line[:, 0]), np.interp(t, np.linspace(0, 1, len(line)), line[:, 1])
    return bool(np.any((at[0] > x) & (at[0] < x + width) & (at[1] > y) & (at[1] < y + height)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_no_label_crosses_a_line_or_another_label_where_there_is_room(seed: int) -> None:
    """Three noisy lines with room between them: each gets its name, and nothing is crossed."""
    lines = [wave(seed, 25, 3), wave(seed + 1, 70, 4), wave(seed + 2, 120, 3)]
    places = place(AREA, [Want(line, 70, 12) for line in lines])
    boxes = [(found[0], found[1], 70.0, 12.0) for found in places if found]
    assert len(boxes) == 3
    for box in boxes:
        assert not any(crosses(line, *box) for line in lines)
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            assert a[0] + 70 <= b[0] or b[0] + 70 <= a[0] or a[1] + 12 <= b[1] or b[1] + 12 <= a[1]


def test_a_label_is_nearest_to_its_own_line() -> None:
    """Each name is read with the line it belongs to."""
    lines = [wave(1, 25, 2), wave(2, 75, 2), wave(3, 125, 2)]
    for own, found in zip(lines, place(AREA, [Want(line, 60, 12) for line in lines]), strict=True):
        assert found is not None
        middle = found[1] + 6
        assert min(lines, key=lambda line: abs(line[:, 1].mean() - middle)) is own


def test_a_label_stays_where_it_was() -> None:
    """A live picture does not flicker: small changes of the data move no label."""
    first = place(AREA, [Want(wave(1, 60, 4), 60, 12)])[0]
    again = place(AREA, [Want(wave(1, 60, 4.3), 60, 12, kept=first)])[0]
    assert again == first


def test_a_label_without_room_is_left_out() -> None:
    """Where every place is crossed, no name is better than a struck-out one."""
    fence = [np.array([[x, 0.0], [x, 150.0]]) for x in range(0, 380, 10)]
    assert place(AREA, [Want(wave(1, 60, 2), 60, 12)], fence) == [None]
