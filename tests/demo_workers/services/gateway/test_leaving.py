from __future__ import annotations

import asyncio
import os
import signal
import stat
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_workers.errors import LabError
from demo_workers.queueing.bounded_enqueue import BoundedQueue
from demo_workers.records.events import Kind, Outcome, read_events
from demo_workers.services.children.child import Child
from tests.demo_workers.services.gateway.system import System, until
from tests.demo_workers.services.gateway.talk import WORK, ask, post, talk
from tests.patience import patience

pytestmark = pytest.mark.live


@pytest.mark.parametrize("how", ["signal", "pipe"])
async def test_leaving_answers_whoever_waits(fresh: System, how: str) -> None:
    """SIGTERM or the owner's end: open long polls hear 503, nothing is logged, all is gone within a second."""
    await fresh.start()
    assert stat.S_IMODE(os.stat(fresh.socket).st_mode) == 0o600  # only its owner can knock
    await fresh.begin()
    polls = [asyncio.create_task(fresh.post(prefer="wait=30")) for _ in range(20)]
    async with talk(fresh.url) as idle, talk(fresh.url) as half, talk(fresh.url) as asked:
        half.send(b"POST /jobs HTTP/1.1\r\nhost: w\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{")
        idle.send(b"GET /heal")
        await asked.ask("GET", "/healthz")
        await until(lambda: len(fresh.rows(Kind.DECIDED)) == 20)
        start = time.monotonic()
        if how == "signal":
            assert fresh.gateway.pid is not None
            os.kill(fresh.gateway.pid, signal.SIGTERM)
            await fresh.gateway.wait()
            assert fresh.gateway.returncode == 0
        else:
            await fresh.gateway.stop()
        assert time.monotonic() - start < patience(1)
        assert {reply.status for reply in await asyncio.gather(*polls)} == {503}
        told = await half.reply()
        assert told is not None
        assert told.status == 503
        assert await idle.closed()
        assert await asked.closed()
    assert fresh.log == ""
    assert not fresh.socket.exists()


async def test_without_redis_it_says_so_and_stays(fresh: System) -> None:
    """Redis killed: who waits hears 503, the owner hears redis_lost, and every new attempt is a recorded 503."""
    await fresh.start()
    await fresh.begin()
    poll = asyncio.create_task(fresh.post(prefer="wait=30"))
    await until(lambda: len(fresh.rows(Kind.DECIDED)))
    start = time.monotonic()
    fresh.redis.kill()
    assert (await poll).status == 503
    await until(lambda: fresh.told)
    assert time.monotonic() - start < patience(1)
    assert (await fresh.post()).status == 503
    assert (await ask(fresh.url, "GET", "/healthz")).status == 503
    assert (await ask(fresh.url, "GET", "/jobs/x")).status == 503
    assert (await ask(fresh.url, "GET", "/nowhere")).status == 404
    assert fresh.codes(Kind.DECIDED) == [Outcome.ADMITTED, Outcome.ERRORED]
    assert [news["event"] for news in fresh.told] == ["redis_lost"]
    assert (await fresh.gateway.call("end"))["errored"] == 1
    assert fresh.log == ""


async def test_a_frozen_redis_is_a_sick_one(fresh: System) -> None:
    """Health does not wait for ever: 503 after a second."""
    await fresh.start()
    assert fresh.redis.pid is not None
    os.kill(fresh.redis.pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        assert (await ask(fresh.url, "GET", "/healthz")).status == 503
        assert 0.9 < time.monotonic() - start < patience(2)
    finally:
        os.kill(fresh.redis.pid, signal.SIGCONT)
    assert (await ask(fresh.url, "GET", "/healthz")).status == 200


async def test_a_killed_gateway_leaves_whole_rows(fresh: System) -> None:
    """After SIGKILL in mid-batch the record has a whole row for every answer that was seen, and Redis holds whole jobs:
    as many as the script counted, up to the limit, and none without its hash.
    """
    await fresh.start()
    await fresh.begin(limit=200)
    seen: list[int] = []

    async def produce(producer: int) -> None:
        async with talk(fresh.url) as line:
            for n in range(10_000):
                await line.ask("POST", "/jobs", {"workbook-attempt": f"{producer * 10_000 + n}.1"}, WORK)
                seen.append(producer * 10_000 + n)
                if len(seen) == 300:
                    fresh.gateway.kill()

    await asyncio.gather(*map(produce, range(8)), return_exceptions=True)
    events, torn = read_events(fresh.events)
    assert torn == 0
    assert len(seen) >= 300
    assert np.isin(seen, events["request"]).all()
    queue = BoundedQueue(fresh.connection, fresh.queue)
    waiting = [job_id.decode() for job_id in await fresh.connection.lrange(f"rq:queue:{fresh.queue}", 0, -1)]
    assert len(waiting) == len(set(waiting)) == (await queue.counters(fresh.run))["admitted"] == 200
    fields = {await fresh.connection.hlen(f"rq:job:{job_id}") for job_id in waiting}
    assert len(fields) == 1
    assert min(fields) > 10
    admitted = events[events["code"] == Outcome.ADMITTED]
    assert {f"{fresh.run}-{n}-1" for n in admitted["request"]} <= set(waiting)


async def test_on_loopback_a_foreign_name_is_refused(fresh: System) -> None:
    """A page elsewhere can aim a browser at loopback, but not under the right name."""
    await fresh.start(tcp={"host": "127.0.0.1", "port": 0})
    port = fresh.url.rsplit(":", 1)[1]
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert (await post(fresh.url, host=f"{host}:{port}")).status == 202
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", "127.0.0.1:1", ""):
        assert (await post(fresh.url, host=host)).status == 400


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"admission": {"limit": 0}}, "admission.limit = 0: must be"),
        ({"admission": {"policy": "maybe"}}, "admission.policy = 'maybe': must be"),
        ({"uds": "/nowhere/gateway.sock"}, "uds = '/nowhere/gateway.sock': cannot listen there"),
        ({}, "cannot reach Redis"),
        ({"colour": "blue"}, "unknown field `colour`"),
    ],
)
async def test_a_bad_configuration_is_one_clear_line(tmp_path: Path, config: dict[str, Any], says: str) -> None:
    """The owner's error quotes it; there is no traceback."""
    whole = {"address": {"unix_socket_path": "/nowhere"}, "queue": "wb-0", "uds": str(tmp_path / "s")} | config
    gateway = Child("gateway", "demo_workers.services.gateway", whole, tmp_path / "log")
    with pytest.raises(LabError, match="has ended") as caught:
        await gateway.start()
    assert says in str(caught.value)
    assert "Traceback" not in (tmp_path / "log").read_text()
