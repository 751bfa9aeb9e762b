"""Static figures."""

from __future__ import annotations

import dataclasses

from lessons.show import figures
from tests.lessons.show.event_source import play
from tests.lessons.show.scenes import BURST, LIMITED
from tests.lessons.show.test_png import decoded


def test_compare_shows_both_runs_and_says_so() -> None:
    """Title and alt text are computed from both runs, and a given title wins."""
    before, after = play(BURST), play(LIMITED)
    picture = figures.compare(before, after, noun="posts")
    assert picture.alt.startswith("No limit: 1,156 posts came;")
    assert "Limit 20: " in picture.alt
    assert decoded(figures.png(picture)).shape == (500, 900, 3)
    titled = figures.compare(before, after, title="Another title", noun="posts")
    assert figures.png(titled) != figures.png(picture) == figures.png(figures.compare(before, after, noun="posts"))


def test_two_fates_tells_the_end_of_both() -> None:
    """Goodput of both runs over one time axis, with both ends in the alt text."""
    spike = dataclasses.replace(BURST, load=dataclasses.replace(BURST.load, spike_length_s=5.0, duration_s=15.0))
    picture = figures.goodput_two(play(spike), play(spike.steered(limit=16)), noun="posts")
    assert "with no limit" in picture.alt
    assert "with limit 16" in picture.alt
    assert decoded(figures.png(picture)).shape == (360, 900, 3)


def test_a_picture_shows_itself_in_a_notebook() -> None:
    """As a PNG with alt text; its plain text has no numbers, since stored notebooks are compared by it."""
    data, metadata = figures.compare(play(BURST), play(LIMITED))._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == "Picture"
    assert "were answered in time" in metadata["image/png"]["alt"]
