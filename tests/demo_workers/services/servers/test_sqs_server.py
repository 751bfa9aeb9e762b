"""The SQS-compatible server: on loopback, labelled, and gone with its owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from demo_workers.brokers import open_broker
from demo_workers.errors import BrokerError, LabError
from demo_workers.services.servers.redis_server import make_runtime_directory
from demo_workers.services.servers.sqs_server import LABEL, SqsServer
from tests.demo_workers.services.processes import lives, owner, until

pytestmark = pytest.mark.live


@pytest.fixture
async def server() -> AsyncIterator[SqsServer]:
    """One that has started."""
    server = SqsServer(make_runtime_directory())
    await server.start()
    yield server
    await server.stop()


async def test_it_says_what_it_is_and_listens_on_loopback_alone(server: SqsServer) -> None:
    """Nobody takes its speed for that of SQS."""
    assert server.name.startswith("moto 5")
    assert LABEL in server.name
    listening = [one.laddr.ip for one in psutil.Process(server.pid).net_connections() if one.status == "LISTEN"]
    assert listening == ["127.0.0.1"]
    with pytest.raises(LabError, match="started before"):
        await server.start()


async def test_it_knows_nothing_of_the_readers_own_account(server: SqsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist, a region, keys and a proxy in the environment: none of them matters."""
    for name, value in (
        ("AWS_PROFILE", "not-there"),
        ("AWS_DEFAULT_REGION", "nowhere-1"),
        ("AWS_ACCESS_KEY_ID", "precious"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
    ):
        monkeypatch.setenv(name, value)
    with open_broker("sqs", server.address, "posts") as broker:
        await asyncio.to_thread(broker.publish, 1)
        assert (await asyncio.to_thread(broker.depth)).waiting == 1


async def test_when_it_has_gone_the_error_says_what_is_not_known(server: SqsServer) -> None:
    """What it held is gone too."""
    broker = open_broker("sqs", server.address, "posts")
    await asyncio.to_thread(broker.publish, 1)
    server.kill()
    with pytest.raises(BrokerError, match="may have been done or not"):
        await asyncio.to_thread(broker.publish, 2)


def test_nothing_is_left_of_it_when_its_owner_is_killed() -> None:
    """No process and no directory."""
    with owner("main", "sqs") as (process, told):
        assert lives(told["sqs"])
        process.kill()
        assert until(lambda: not lives(told["sqs"]), 5.0)
        assert until(lambda: not Path(told["runtime"]).exists(), 5.0)
