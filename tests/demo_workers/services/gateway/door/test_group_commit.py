from __future__ import annotations

import asyncio
import random

import pytest

from demo_workers.queueing.bounded_enqueue import MAX_BATCH
from demo_workers.queueing.job_hash import Order, order
from demo_workers.records.events import Outcome
from demo_workers.scenario import Admission
from demo_workers.services.gateway.door.group_commit import MAX_ASKING, GroupCommit, Verdict
from demo_workers.services.gateway.state import State
from demo_workers.services.gateway.web.heads import Name
from demo_workers.services.gateway.web.problems import Problem
from tests.demo_workers.queueing.place import QUEUE, Place

pytestmark = pytest.mark.live


class Gate:
    """A group commit in this process."""

    def __init__(self, place: Place, **admission: object) -> None:
        self.place = place
        self.state = State(place.redis, QUEUE, Admission(**admission), result_ttl_s=60)  # type: ignore[arg-type]
        self.commit = GroupCommit(self.state)

    def ask(self, n: int) -> asyncio.Future[Verdict]:
        """Attempt n asks."""
        return self.commit.ask(self.state.run, Name(n, 1, -1), self.order(n))

    def order(self, n: int) -> Order:
        """The job of attempt n."""
        return order("work", {"service_time_s": 0.0, "kind": "sleep"}, f"{self.state.run.run}-{n}-1")

    async def scripts(self) -> int:
        """How many scripts Redis has run, found by name or sent whole."""
        stats = await self.place.redis.info("commandstats")
        calls = [stats.get(f"cmdstat_{name}", {"calls": 0, "failed_calls": 0}) for name in ("evalsha", "eval")]
        return sum(int(one["calls"]) - int(one["failed_calls"]) for one in calls)


@pytest.fixture
def gate(place: Place) -> Gate:
    """Without a limit."""
    return Gate(place)


async def test_who_arrives_together_shares_a_round_trip(gate: Gate) -> None:
    """As many scripts as full batches; everybody is let in in the order of asking, at a depth of its own."""
    await gate.ask(0)
    before = await gate.scripts()
    verdicts = await asyncio.gather(*map(gate.ask, range(1, MAX_BATCH + 40)))
    assert await gate.scripts() - before == 2
    assert [verdict.decision.depth for verdict in verdicts] == list(range(2, MAX_BATCH + 41))
    assert gate.place.stock.job_ids == [gate.order(n).job_id for n in range(MAX_BATCH + 40)]
    assert gate.state.run.asking == 0


async def test_one_who_comes_while_a_batch_is_away_takes_the_next(gate: Gate) -> None:
    """It need not wait for anybody else to come, and does not overtake."""
    dice = random.Random()
    asked = []
    for n in range(200):
        asked.append(gate.ask(n))
        if dice.random() < 0.3:
            await asyncio.sleep(0)
    depths = [verdict.decision.depth for verdict in await asyncio.gather(*asked)]
    assert depths == list(range(1, 201))


async def test_a_batch_that_meets_the_limit_is_cut_exactly_there(place: Place) -> None:
    """The first ones get in, the rest are refused with one and the same answer."""
    gate = Gate(place, limit=7)
    verdicts = await asyncio.gather(*map(gate.ask, range(20)))
    assert [verdict.decision.outcome for verdict in verdicts] == [Outcome.ADMITTED] * 7 + [Outcome.SHED] * 13
    assert len({id(verdict.refusal) for verdict in verdicts[7:]}) == 1
    assert (gate.state.run.counts.admitted, gate.state.run.counts.shed) == (7, 13)


async def test_there_is_a_bound_on_those_who_ask(gate: Gate) -> None:
    """The next one hears 503 at once; when the others have their answers there is room again."""
    asked = [gate.ask(n) for n in range(MAX_ASKING)]
    with pytest.raises(Problem, match="Too many") as caught:
        gate.ask(MAX_ASKING)
    assert caught.value.status == 503
    await asyncio.gather(*asked)
    await gate.ask(MAX_ASKING)


async def test_without_redis_everybody_hears_so(gate: Gate) -> None:
    """Those on their way and those who gather; later ones too."""
    await gate.ask(0)
    asked = [gate.ask(n) for n in range(1, MAX_BATCH + 9)]
    gate.place.server.kill()
    for one in [*asked, gate.ask(9999)]:
        with pytest.raises(Problem) as caught:
            await one
        assert caught.value.status == 503
    assert gate.state.run.asking == 0
