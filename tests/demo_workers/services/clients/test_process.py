from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demo_workers.errors import LabError
from demo_workers.records.events import Kind, read_events
from demo_workers.scenario import Load, LoadKind, Retry, Scenario
from demo_workers.services.children.child import Child
from demo_workers.tape import Tape
from tests.patience import patience

from . import server as server_module
from .bench import until
from .server import FINE, LabServer, http, says, silent

pytestmark = pytest.mark.live


class Clients:
    """The child process and what it told."""

    def __init__(self, address: dict[str, str | int], directory: Path) -> None:
        self.events = directory / "clients.events"
        self.told: list[str] = []
        self.child = Child(
            "clients",
            "demo_workers.services.clients",
            {"address": address},
            directory / "clients.log",
            on_event=lambda message: self.told.append(message["event"]),
        )

    async def begin(self, scenario: Scenario, *, open_ended: bool = False) -> None:
        """Start the load a moment from now."""
        self.origin = time.monotonic() + 0.1
        await self.child.call(
            "begin",
            run="0badcafe",
            origin=self.origin,
            events=str(self.events),
            scenario=scenario.to_dict(),
            open_ended=open_ended,
        )

    def rows(self, kind: Kind) -> Any:
        """The whole rows of one kind."""
        events, _ = read_events(self.events)
        return events[events["kind"] == kind]


Start = Callable[[dict[str, str | int]], Any]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts clients against an address; they are gone when the test is."""
    started: list[Clients] = []

    async def start(address: dict[str, str | int]) -> Clients:
        started.append(Clients(address, tmp_path))
        await started[-1].child.start()
        return started[-1]

    yield start
    for clients in started:
        await clients.child.stop()


def scenario(rate: float, duration_s: float, **retry: Any) -> Scenario:
    """A load and its patience."""
    return Scenario(load=Load(arrival_rate=rate, duration_s=duration_s), retry=Retry(**retry))


@contextlib.asynccontextmanager
async def server_process(path: Path) -> AsyncIterator[int]:
    """The test's server as a process of its own; gives its pid."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(server_module.__file__),
        str(path),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.kill()
        await process.wait()


class TestRun:
    async def test_from_begin_to_end(self, start: Start, socket_path: Path) -> None:
        """A whole run: the tape ends, the load ends, and the reply to end has the counts of the record."""
        plan = scenario(300, 0.4)
        async with LabServer(socket_path) as server:
            clients = await start(server.address)
            assert (await clients.child.call("status"))["running"] is False
            await clients.begin(plan)
            assert (await clients.child.call("status"))["running"] is True
            await until(lambda: "load_over" in clients.told)
            counts = await clients.child.call("end")
        due = [r.due_s for r in Tape(plan)]
        assert clients.told == ["tape_over", "load_over"]
        assert clients.rows(Kind.SENT)["value"].tolist() == due
        assert counts["requests"] == counts["attempts"] == counts["succeeded"] == len(due) == len(server.arrivals)
        assert counts["lateness"]["p99_s"] < patience(0.2)

    async def test_one_after_the_other(self, start: Start, socket_path: Path) -> None:
        """A second run may begin after the first has ended, not before."""
        async with LabServer(socket_path) as server:
            clients = await start(server.address)
            await clients.begin(scenario(100, 0.1))
            with pytest.raises(LabError, match="after the one before has ended"):
                await clients.begin(scenario(100, 0.1))
            await clients.child.call("end")
            clients.events = clients.events.with_name("second.events")
            clients.told.clear()
            await clients.begin(scenario(100, 0.1))
            await until(lambda: "load_over" in clients.told)
            counts = await clients.child.call("end")
        assert counts["attempts"] == len(clients.rows(Kind.SENT)) == len(list(Tape(scenario(100, 0.1))))

    async def test_steer_stop_cut(self, start: Start, socket_path: Path) -> None:
        """The other commands do what they say and tell when."""
        async with LabServer(socket_path, silent) as server:
            clients = await start(server.address)
            await clients.begin(scenario(100, 1.0), open_ended=True)
            await until(lambda: len(server.arrivals) > 5)
            reply = await clients.child.call("steer", scenario=scenario(200, 1.0).to_dict())
            assert 0 < reply["t"] <= time.monotonic() - clients.origin
            await clients.child.call("stop")
            await until(lambda: clients.told == ["tape_over"])
            cut = await clients.child.call("cut")
            await until(lambda: clients.told == ["tape_over", "load_over"])
            counts = await clients.child.call("end")
            assert cut["attempts_cut"] == counts["gave_up"] == counts["requests"] == len(server.arrivals)

    async def test_commands_at_the_wrong_time(self, start: Start, socket_path: Path) -> None:
        """A command that makes no sense yet is refused in words, and the process lives on."""
        clients = await start({"uds": str(socket_path)})
        for verb in ("stop", "cut", "end"):
            with pytest.raises(LabError, match="Send begin first"):
                await clients.child.call(verb)
        with pytest.raises(LabError, match="must have begun"):
            await clients.child.call("steer", scenario={})
        assert clients.child.alive

    async def test_more_sockets_than_the_soft_limit(self, start: Start, socket_path: Path) -> None:
        """The process asks for as many file descriptors as attempts may be in flight."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        async with LabServer(socket_path, silent) as server:
            resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
            try:
                clients = await start(server.address)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            await clients.begin(scenario(1500, 0.2))
            await until(lambda: clients.told)
            status = await clients.child.call("status")
        assert status["in_flight"] == status["attempts"] > 200


class TestFrozenServer:
    async def test_schedule_is_kept(self, start: Start, socket_path: Path) -> None:
        """While the server is stopped dead the requests leave on schedule, and their latency shows the freeze."""
        plan = scenario(300, 1.2)
        async with server_process(socket_path) as pid:
            clients = await start({"uds": str(socket_path)})
            await clients.begin(plan)
            await until(lambda: time.monotonic() > clients.origin + 0.2)
            os.kill(pid, signal.SIGSTOP)
            frozen_s = time.monotonic() - clients.origin
            await until(lambda: time.monotonic() > clients.origin + frozen_s + 0.5)
            os.kill(pid, signal.SIGCONT)
            await until(lambda: "load_over" in clients.told)
            counts = await clients.child.call("end")
        sent, ended = clients.rows(Kind.SENT), clients.rows(Kind.ANSWERED)
        assert sent["value"].tolist() == [r.due_s for r in Tape(plan)]
        assert counts["lateness"]["p99_s"] < patience(0.2)
        assert counts["succeeded"] == counts["requests"]
        latency = ended[np.argsort(ended["request"])]["t"] - sent["value"]
        just_after = (sent["value"] > frozen_s + 0.05) & (sent["value"] < frozen_s + 0.2)
        assert latency[just_after].min() > 0.3


class TestFrozenClients:
    @pytest.mark.parametrize("kind", ["poisson", "closed"])
    async def test_lateness_tells(self, start: Start, socket_path: Path, kind: LoadKind) -> None:
        """Clients who could not keep their schedule know it, while the load goes on and at its end."""
        load = Load(kind=kind, arrival_rate=200, clients=40, think_time_s=0.2, duration_s=60)
        plan = Scenario(load=load, retry=Retry(policy="fixed", base_s=0.05, attempts=2))
        async with LabServer(socket_path, says(http(503, {}), FINE)) as server:
            clients = await start(server.address)
            await clients.begin(plan)
            await until(lambda: len(server.arrivals) > 40)
            # shorter than a think time, so that many attempts fall due meanwhile in either kind of load
            os.kill(clients.child.pid, signal.SIGSTOP)
            frozen_s = time.monotonic()
            await until(lambda: time.monotonic() > frozen_s + 0.2)
            os.kill(clients.child.pid, signal.SIGCONT)
            arrived = len(server.arrivals)
            await until(lambda: len(server.arrivals) > arrived + 20)
            status = await clients.child.call("status")
            counts = await clients.child.call("end")
        sent = clients.rows(Kind.SENT)
        late = np.percentile(sent["t"] - sent["value"], 99)
        assert late > 0.1
        assert status["lateness"]["p99_s"] > 0.1
        assert counts["lateness"]["p99_s"] > 0.1
        late_again = sent["t"][sent["attempt"] == 2] - sent["value"][sent["attempt"] == 2]
        assert late_again.max() > 0.05


class TestDeath:
    async def test_end_of_stdin(self, start: Start, socket_path: Path) -> None:
        """When its owner has gone it ends at once, also in the middle of a run."""
        async with LabServer(socket_path, silent) as server:
            clients = await start(server.address)
            await clients.begin(scenario(100, 60))
            await until(lambda: server.arrivals)
            await clients.child.stop(grace_s=patience(5))
            assert clients.child.returncode == 0  # and not that of a SIGKILL

    async def test_sigkill_leaves_whole_rows(self, start: Start, socket_path: Path) -> None:
        """The record of a killed process has whole rows only, and knows every attempt that reached the server."""
        async with LabServer(socket_path) as server:
            clients = await start(server.address)
            await clients.begin(scenario(1000, 60))
            await until(lambda: len(server.arrivals) > 300)
            clients.child.kill()
            await clients.child.wait()
            await until(lambda: server.open_now == 0)
        _, torn = read_events(clients.events)
        assert torn == 0
        sent = set(clients.rows(Kind.SENT)["request"].tolist())
        assert {a.request for a in server.arrivals} <= sent
        assert set(clients.rows(Kind.ANSWERED)["request"].tolist()) <= sent

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")
    async def test_record_cannot_be_written(self, start: Start, socket_path: Path) -> None:
        """Load that cannot be recorded is no load: the process ends and its log says why."""
        async with LabServer(socket_path) as server:
            clients = await start(server.address)
            clients.events = Path("/dev/full")
            await clients.begin(scenario(100, 60))
            await clients.child.wait()
            assert clients.child.returncode == 1
            assert "No space left on device" in clients.child.log_tail
            assert not server.arrivals
