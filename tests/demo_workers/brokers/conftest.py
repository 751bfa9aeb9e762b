"""One place for the tests of all brokers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo_workers.brokers.place import Place


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """The servers; RabbitMQ takes seconds to start, so they serve all tests."""
    place = Place()
    yield place
    place.stop()
