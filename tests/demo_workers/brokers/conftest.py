"""One place for the tests of all brokers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo_workers.brokers.place import Place


@pytest.fixture(scope="package")
def place() -> Iterator[Place]:
    """The servers; RabbitMQ takes seconds to start, so they serve all tests of brokers, and end with them."""
    place = Place()
    yield place
    place.stop()
