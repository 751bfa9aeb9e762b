"""Every broker can be put far away, and does the same there."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from demo_workers.brokers import open_broker
from demo_workers.brokers.slow_line import SlowLine
from demo_workers.errors import LabError, ScenarioError
from tests.demo_workers.brokers.place import Place

pytestmark = pytest.mark.live

LATENCY_S = 0.15


@pytest.mark.parametrize("kind", ["redis_list", "rabbitmq", "sqs"])
def test_a_message_takes_a_round_trip_longer_each_time_and_is_the_same(place: Place, kind: str, tmp_path: Path) -> None:
    """Twice the delay at least, for publish and for receive; the delay can be changed on the way."""
    line = SlowLine(place.address(kind), LATENCY_S, tmp_path)
    place.wait_for(line.start())
    with place.broker(kind) as near, open_broker(kind, line.address, near.queue, near.settings) as far:
        near.depth()
        far.depth()  # connects, which takes several round trips
        for wait_s in (2 * LATENCY_S, 0.0):
            began = time.monotonic()
            far.publish("far")
            assert time.monotonic() - began >= wait_s
            message = far.receive(5.0)
            assert message is not None
            assert message.body == "far"
            far.ack(message)
            place.wait_for(line.delay(0.0))
    place.wait_for(line.stop())
    place.wait_for(line.stop())


@pytest.mark.parametrize(
    "address", [{}, {"url": "rediss://host"}, {"endpoint_url": "https://host"}, {"region": "eu-1", "prefix": "x"}]
)
def test_what_cannot_be_put_in_front_of_is_told(address: dict[str, str], tmp_path: Path) -> None:
    """An encrypted line, or no address at all."""
    with pytest.raises(ScenarioError, match="address"):
        SlowLine(address, LATENCY_S, tmp_path)


async def test_a_delay_without_end_is_refused(tmp_path: Path) -> None:
    """With its bound."""
    line = SlowLine({"url": "redis://ada:precious@127.0.0.1"}, 1e6, tmp_path)
    with pytest.raises(LabError, match="between 0 and 30"):
        await line.start()
    await line.stop()
