"""Back pressure of the picture, and what a notebook stores."""

from __future__ import annotations

import base64

from lessons.show.surface import Frame, ImageSurface, bundle


class Clock:
    """Seconds that move only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def ready(frame: Frame, **state: object) -> None:
    """A browser reports."""
    frame.receive(frame, {"kind": "ready", "dpr": 1, **state})


def test_nothing_is_wanted_before_a_browser_reports() -> None:
    """Without a front end, as under nbval, no frame is encoded."""
    frame = Frame()
    assert not frame.wanted()
    frame.push(b"first picture, for whoever opens the notebook")
    ready(frame)
    assert frame.wanted()


def test_at_most_two_frames_are_on_their_way() -> None:
    """The third waits until one was acknowledged; skipped frames are counted."""
    frame = Frame(clock=Clock())
    ready(frame)
    for _ in range(2):
        assert frame.wanted()
        frame.push(b"png")
    assert not frame.wanted()
    assert frame.facts.skipped == 1
    frame.receive(frame, {"kind": "ack", "n": 1})
    assert frame.wanted()


def test_a_lost_acknowledgement_is_forgiven_once() -> None:
    """After two seconds one more frame is risked; a closed tab gets no third."""
    clock = Clock()
    frame = Frame(clock=clock)
    ready(frame)
    for _ in range(2):
        frame.push(b"png")
    clock.now = 2.1
    assert frame.wanted()
    frame.push(b"png")
    clock.now = 60.0
    assert not frame.wanted()
    frame.receive(frame, {"kind": "ack", "n": 3})
    assert frame.wanted()


def test_a_hidden_tab_wants_nothing_until_it_is_seen_again() -> None:
    """Hidden and shown again, the frame goes on."""
    frame = Frame()
    ready(frame, hidden=True)
    assert not frame.wanted()
    ready(frame, hidden=False)
    assert frame.wanted()


def test_a_reopened_tab_starts_with_a_clean_slate() -> None:
    """What was on its way to the old view no longer counts, and its owner is told so that it can send the picture."""
    told = []
    frame = Frame(on_ready=lambda: told.append(True))
    ready(frame)
    frame.push(b"a")
    frame.push(b"b")
    assert not frame.wanted()
    ready(frame)
    assert frame.wanted()
    assert len(told) == 2


def test_the_browsers_wishes_are_known() -> None:
    """Sharpness is capped at two; reduced motion and dark are passed on."""
    frame = Frame()
    ready(frame, dpr=3.5, reduced=True, dark=True)
    assert (frame.facts.ratio, frame.facts.reduced, frame.facts.dark) == (2.0, True, True)


def test_an_acknowledgement_of_what_was_never_sent_is_no_credit() -> None:
    """A confused browser cannot open the flood gates."""
    frame = Frame(clock=Clock())
    ready(frame)
    frame.receive(frame, {"kind": "ack", "n": 99})
    frame.push(b"a")
    frame.push(b"b")
    assert not frame.wanted()


def test_the_fallback_keeps_the_contract() -> None:
    """An Image takes pictures and words, too."""
    surface = ImageSurface()
    assert surface.wanted()
    surface.push(b"png")
    surface.alt = "what it shows"
    assert surface.widget.value == b"png"
    assert surface.alt == "what it shows"


def test_one_output_has_widget_picture_and_words() -> None:
    """With a kernel the widget, without one the PNG; the words are the same on every run."""
    frame = Frame()
    data = bundle(frame, b"png", "Live panel")
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == frame.model_id
    assert base64.b64decode(data["image/png"]) == b"png"
    assert data["text/plain"] == "Live panel"
