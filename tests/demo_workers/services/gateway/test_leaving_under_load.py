from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import time
from dataclasses import dataclass, field

import pytest

from demo_workers.records.events import Kind
from demo_workers.services.gateway.__main__ import LEAVE_S
from tests.demo_workers.services.gateway.events import Event, events
from tests.demo_workers.services.gateway.news.test_streaming import gauge_is
from tests.demo_workers.services.gateway.system import System, until
from tests.demo_workers.services.gateway.talk import WORK, Talk, ask, post, talk
from tests.patience import patience

pytestmark = pytest.mark.live

POSTERS, POLLS, STREAMS, SYNCS = 40, 30, 20, 12


@dataclass
class Crowd:
    """Clients that go on until nobody answers any more.

    Attributes:
        answered: number of the request → status.
        unanswered: those whose connection was closed instead.
    """

    url: str
    answered: dict[int, int] = field(default_factory=dict)
    unanswered: list[int] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def poster(self) -> None:
        """Posts one job after the other, in all the ways there are, on one connection and then on the next."""
        while True:
            try:
                async with talk(self.url) as line:
                    while await self._ask(line):
                        pass
            except OSError:
                return  # nobody listens any more

    async def _ask(self, line: Talk) -> bool:
        """Whether there was an answer."""
        number = next(self.numbers)
        headers = {"workbook-attempt": f"{number}.1"}
        if random.random() < 0.1:
            headers["prefer"] = "wait=1"
        if random.random() < 0.2:
            headers["idempotency-key"] = f"key-{number // 3}"
        self.unanswered.append(number)
        with contextlib.suppress(AssertionError):  # closed without an answer
            self.answered[number] = (await line.ask("POST", "/jobs", headers, WORK)).status
            self.unanswered.remove(number)
            return True
        return False


async def stream(url: str, job_id: str) -> list[Event]:
    """All the events of a job until its stream ends as it should."""
    async with events(url, job_id) as opened:
        return await opened.rest()


@pytest.mark.parametrize("moment_s", [0.0, 0.05, 0.3])
async def test_leaving_under_load_breaks_no_promise(fresh: System, moment_s: float) -> None:
    """SIGTERM while hundreds post, wait, listen and have work done inline: whoever was heard is answered.

    What is on record was answered, with 200, 202 or 503; what was not answered is not on record. Whoever waits,
    listens or is worked for hears the end. The log stays empty, and the process is gone when it says it will be.
    """
    await fresh.start(workers=1, admission={"limit": 500})
    await fresh.begin(limit=500)
    crowd = Crowd(fresh.url)
    sleeper = (await fresh.post(30.0)).body["id"]
    polls = [asyncio.create_task(fresh.post(30.0, prefer="wait=30")) for _ in range(POLLS)]
    streams = [asyncio.create_task(stream(fresh.url, sleeper)) for _ in range(STREAMS)]
    sync = b'{"task": "work", "args": {"service_time_s": 20}}'
    syncs = [asyncio.create_task(ask(fresh.url, "POST", "/sync", None, sync)) for _ in range(SYNCS)]
    await gauge_is(fresh, "gateway_streams", STREAMS)
    await gauge_is(fresh, "gateway_waiters", STREAMS + POLLS)
    await gauge_is(fresh, "gateway_sync_inside", SYNCS)
    posters = [asyncio.create_task(crowd.poster()) for _ in range(POSTERS)]
    await until(lambda: len(crowd.answered) > POSTERS)
    await asyncio.sleep(moment_s)
    start = time.monotonic()
    assert fresh.gateway.pid is not None
    os.kill(fresh.gateway.pid, signal.SIGTERM)
    await fresh.gateway.wait()
    assert time.monotonic() - start < patience(LEAVE_S + 1)
    assert fresh.gateway.returncode == 0
    await asyncio.wait_for(asyncio.gather(*posters), 60)
    assert {reply.status for reply in await asyncio.gather(*polls, *syncs)} == {503}
    assert {told[-1].name for told in await asyncio.gather(*streams)} == {"closing"}
    assert set(crowd.answered.values()) <= {200, 202, 503}
    own = fresh.rows(Kind.DECIDED)
    recorded = set(own["request"][own["request"] < 2**30].tolist())
    assert recorded <= crowd.answered.keys(), recorded - crowd.answered.keys()
    assert set(crowd.unanswered).isdisjoint(recorded)
    assert len(crowd.unanswered) <= POSTERS
    assert fresh.log == ""
    with pytest.raises(OSError, match=r"No such file|refused"):
        await post(fresh.url)
