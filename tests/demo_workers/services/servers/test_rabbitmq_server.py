"""A private RabbitMQ node: started, killed, started again, and gone with its owner."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from demo_workers.brokers import Settings, open_broker
from demo_workers.errors import BrokerError, LabError, RabbitMQUnavailable
from demo_workers.services.servers.rabbitmq_server import RabbitMQServer, find_program
from demo_workers.services.servers.redis_server import make_runtime_directory
from tests.demo_workers.services.processes import OWNER, ROOT
from tests.processes import alive, asked, command, marked, marked_environment, wait_until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

GONE_S = 5.0
QUEUE = "posts"


@pytest.fixture
def environ() -> Mapping[str, str]:
    """Where a node is looked for; without one the test is skipped."""
    environ = {name: value for name, value in os.environ.items() if name != "AMQP_URL"}
    try:
        find_program(environ)
    except RabbitMQUnavailable as error:
        pytest.skip(str(error))
    return environ


@pytest.fixture
async def server(environ: Mapping[str, str]) -> AsyncIterator[RabbitMQServer]:
    """A node that is not yet started, and stopped in the end."""
    server = RabbitMQServer(make_runtime_directory(), environ=environ)
    yield server
    await server.stop()


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A directory of the test's own with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="wt-") as path:
        yield Path(path)


def publish(server: RabbitMQServer, messages: int) -> None:
    """Confirmed one by one."""
    with open_broker("rabbitmq", server.address, QUEUE) as broker:
        for n in range(messages):
            broker.publish(n)


def on_record(data: Path) -> bool:
    """Whether the node has written down that there are such quorum queues, which it does half a second late."""
    names = b"".join(path.read_bytes() for path in data.rglob("names.dets"))
    return all(re.search(queue, names) for queue in (rb"_workbook\.posts(?!\.)", rb"_workbook\.posts\.dead"))


def found(server: RabbitMQServer, messages: int) -> list[int]:
    """What comes, acknowledged."""
    bodies: list[int] = []
    with open_broker("rabbitmq", server.address, QUEUE, Settings(prefetch=100)) as broker:
        while len(bodies) < messages and (message := broker.receive(20.0)) is not None:
            bodies.append(message.body)
            broker.ack(message)
    return bodies


def listening(pids: set[int]) -> set[tuple[str, int]]:
    """Addresses at which these processes listen; of those of both kinds, the older."""
    found = [one for one in psutil.net_connections("tcp4") if one.pid in pids and one.status == psutil.CONN_LISTEN]
    return {(one.laddr.ip, one.laddr.port) for one in found}


async def test_a_killed_node_comes_back_with_what_it_has_confirmed(server: RabbitMQServer) -> None:
    """All of it; and whoever spoke to it meanwhile got an error that says what is not known."""
    await server.start()
    assert server.name.startswith("RabbitMQ ")
    assert server.pid is not None
    family = {server.pid, *(p.pid for p in psutil.Process().children(recursive=True))}
    assert {host for host, _ in listening(family)} == {"127.0.0.1"}
    await asyncio.to_thread(publish, server, 50)
    wait_until(lambda: on_record(server.data), 10.0, "the queue's name on disk")
    broker = open_broker("rabbitmq", server.address, QUEUE)
    await asyncio.to_thread(broker.depth)
    server.kill()
    with pytest.raises(BrokerError, match="may have been done or not"):
        await asyncio.to_thread(broker.publish, "too late")
    broker.close()
    await server.start()
    assert await asyncio.to_thread(found, server, 50) == list(range(50))


async def test_nobody_else_gets_at_its_secrets(server: RabbitMQServer) -> None:
    """Password and cookie are in no command line and no environment, and in files that only the user can read."""
    await server.start()
    password = server.address["url"].split(":")[2].split("@")[0]
    family = psutil.Process().children(recursive=True)
    (home,) = {asked(p.environ, {})["HOME"] for p in family if p.pid == server.pid}
    cookie, mode = read(Path(home, ".erlang.cookie"))
    for process in family:
        told = " ".join([*command(process), *asked(process.environ, {}).values()])
        assert password not in told
        assert cookie not in told
    assert mode & 0o077 == 0
    with pytest.raises(BrokerError, match="must be answered"):
        open_broker("rabbitmq", {"url": server.address["url"].replace(password, "guest")}, QUEUE).depth()


def read(path: Path) -> tuple[str, int]:
    """What is in a file, and who may read it."""
    return path.read_text(), stat.S_IMODE(path.stat().st_mode)


async def test_stop_leaves_nothing_and_may_come_twice(server: RabbitMQServer) -> None:
    """No process of the node's and none of its directories."""
    await server.start()
    assert server.pid is not None
    family = [p for p in psutil.Process().children(recursive=True) if "RABBITMQ_NODENAME" in asked(p.environ, {})]
    assert {"beam.smp", "epmd"} <= {asked(p.name, "") for p in family}
    await server.stop()
    await server.stop()
    wait_until(lambda: not any(map(alive, family)), GONE_S, f"{family} gone")
    assert not server.data.exists()


@pytest.mark.faults
@pytest.mark.parametrize("when", ["running", "starting"])
def test_nothing_is_left_of_it_when_its_owner_is_killed(environ: Mapping[str, str], temporary: Path, when: str) -> None:
    """No beam, no epmd, no port, no directory, whether the node had started or was about to."""
    mark = secrets.token_hex(8)
    places = {**environ, **marked_environment(mark, temporary), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", OWNER, "main", "rabbitmq"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=places, cwd=ROOT) as process:
        if when == "running":
            assert process.stdout is not None
            assert process.stdout.readline()
        wait_until(lambda: {"beam.smp", "epmd"} <= set(parts(temporary).values()), 60.0, "a node about to start")
        addresses = listening(set(parts(temporary)))
        process.kill()
        process.wait()
        wait_until(lambda: not parts(temporary) and not marked(mark), GONE_S, f"processes gone: {parts(temporary)}")
        wait_until(lambda: not list(temporary.rglob("wb-*")), GONE_S, "directories gone")
    assert len(addresses) == (3 if when == "running" else len(addresses))
    for address in addresses:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(address, 1.0)


def parts(temporary: Path) -> dict[int, str]:
    """The node, epmd and their helpers, wherever they hang: their home is below this directory."""
    found = {}
    for process in psutil.process_iter():
        if asked(process.environ, {}).get("HOME", "").startswith(f"{temporary}{os.sep}") and alive(process):
            found[process.pid] = asked(process.name, "")
    return found


def test_where_none_is_the_error_says_how_to_get_one() -> None:
    """In one command, for each kind of system."""
    with pytest.raises(RabbitMQUnavailable, match="apt install rabbitmq-server"):
        find_program({"PATH": ""}, places=())


async def test_a_node_that_is_not_ours_is_left_alone(server: RabbitMQServer) -> None:
    """It is used as AMQP_URL says, with its version, and neither killed nor stopped."""
    await server.start()
    guest = RabbitMQServer(make_runtime_directory(), environ={"AMQP_URL": server.address["url"]})
    await guest.start()
    assert guest.name.startswith("RabbitMQ 3") or guest.name.startswith("RabbitMQ 4")
    assert server.address["url"] not in guest.name
    with pytest.raises(LabError, match="must be one that the workbook started"):
        guest.kill()
    await guest.stop()
    await asyncio.to_thread(publish, server, 1)


async def test_a_node_that_does_not_answer_is_told_without_its_password() -> None:
    """Within the time that was given, and nothing is left of it."""
    runtime = make_runtime_directory()
    guest = RabbitMQServer(runtime, environ={"AMQP_URL": "amqp://ada:precious@127.0.0.1:1/%2F"})
    with pytest.raises(RabbitMQUnavailable, match="AMQP_URL") as told:
        await guest.start(timeout_s=0.5)
    assert "precious" not in str(told.value)
    assert not runtime.exists()
