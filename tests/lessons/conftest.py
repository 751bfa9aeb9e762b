"""A place for each test's commands."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import ipywidgets
import pytest

from tests.lessons.cli.command import Place


@pytest.fixture(scope="session")
def cache() -> Iterator[Path]:
    """One cache for all, so that what RQ costs per job is measured once."""
    with tempfile.TemporaryDirectory(prefix="wc-") as path:
        yield Path(path)


@pytest.fixture
def place(cache: Path) -> Iterator[Place]:
    """A place whose path is short enough for sockets; nothing may be left in it at the end."""
    with tempfile.TemporaryDirectory(prefix="wt-") as path:
        place = Place(Path(path), cache)
        yield place
        place.assert_nothing_left()


@pytest.fixture(autouse=True)
def no_widgets_left() -> Iterator[None]:
    """A panel that a test leaves on the screen must not be the one that the next test finds there."""
    yield
    ipywidgets.Widget.close_all()
