"""Time lines and state diagrams say in words what they show."""

from __future__ import annotations

from lessons.show import figures
from lessons.show.lanes import LOOKS, Event, Span, lanes
from lessons.show.statechart import Visit, states
from tests.lessons.show.test_png import decoded


def test_every_kind_of_event_is_drawn_and_told() -> None:
    """In the order of time, whatever the order given; the same picture for the same events."""
    events = [Event("a", kind, 5.0 - n) for n, kind in enumerate(LOOKS)]
    picture = lanes("A finding", ["a", "b"], events, [Span("a", 1.0, 4.0)])
    assert picture.alt.startswith("A finding. a: sent at 1.0 s; ")
    assert all(words in picture.alt for *_, words in LOOKS.values())
    assert decoded(figures.png(picture)).shape == (212, 900, 3)
    assert figures.png(picture) == figures.png(lanes("A finding", ["a", "b"], events[::-1], [Span("a", 1.0, 4.0)]))
    assert figures.png(picture) != figures.png(lanes("A finding", ["a", "b"], events, []))


def test_a_state_diagram_tells_who_was_where() -> None:
    """Each visit in the alt text; a state that nobody visited is drawn all the same."""
    keys = {state: f"rq:{state}" for state in ("queued", "started", "finished", "failed")}
    picture = states(keys, [Visit("job", "queued", 0.0), Visit("job", "started", 0.25)])
    assert "job queued at 0.00 s, job started at 0.25 s" in picture.alt
    assert decoded(figures.png(picture)).shape == (260, 900, 3)
