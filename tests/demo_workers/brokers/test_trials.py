"""Real faults at random moments: what is promised holds, and what is not can be seen to fail."""

from __future__ import annotations

import random
import time

import pytest

from demo_workers.brokers.consumer_trials import consumer_kills, visibility_expiries
from demo_workers.brokers.producers import Producers, drained
from demo_workers.brokers.server_trials import redis_trial
from tests.demo_workers.brokers.place import Place

pytestmark = [pytest.mark.live, pytest.mark.faults]


@pytest.fixture
def dice() -> random.Random:
    """A new moment in each run."""
    return random.Random(time.time_ns())


async def test_a_killed_server_that_keeps_nothing_loses_everything(dice: random.Random) -> None:
    """All that was acknowledged."""
    loss, _ = await redis_trial("none", dice, power=False)
    assert loss.acknowledged == loss.lost > 0


@pytest.mark.parametrize("power", [False, True])
async def test_what_is_fsynced_before_it_is_acknowledged_is_never_lost(dice: random.Random, power: bool) -> None:
    """Killed or without power, in the middle of four producers."""
    loss, method = await redis_trial("aof_always", dice, power=power)
    assert loss.acknowledged > 0
    assert loss.lost == loss.doubled == 0
    assert bool(method) == power


@pytest.mark.parametrize("kind", ["redis_list", "redis_safe_list", "redis_stream"])
def test_killed_consumers_lose_at_most_one_each_or_none(place: Place, dice: random.Random, kind: str) -> None:
    """A popped message is lost with its consumer; a held one comes again."""
    kills = 3
    loss = place.wait_for(consumer_kills(kind, place.address(kind), kills, dice))
    assert loss.acknowledged > 0
    assert loss.extra == 0
    if kind == "redis_list":
        assert loss.lost <= kills
        assert loss.doubled == 0
    else:
        assert loss.lost == 0


def test_consumers_slower_than_the_time_out_do_the_work_twice(place: Place) -> None:
    """Nobody died, nothing is lost."""
    loss = place.wait_for(visibility_expiries("sqs", place.address("sqs"), 2))
    assert loss.lost == 0
    assert loss.doubled > 0


def test_producers_go_on_until_they_are_stopped(place: Place) -> None:
    """What they were told is safe is there, once each."""
    with place.broker("redis_list") as broker, place.another(broker) as one, place.another(broker) as two:
        producers = Producers([one, two])
        producers.start()
        acknowledged = producers.stop()
        assert sorted(acknowledged) == sorted(drained(broker, 0.0))
        assert producers.stop() == acknowledged
