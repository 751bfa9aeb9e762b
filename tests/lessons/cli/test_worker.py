"""``workbook worker`` and ``serve`` on a server of somebody else."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from demo_workers.services.servers.redis_server import find_binary
from tests.lessons.cli.command import Place, words
from tests.lessons.cli.test_serve import ask
from tests.patience import patience
from tests.processes import wait_until

pytestmark = pytest.mark.live

PASSWORD = secrets.token_urlsafe(24)


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[redis.Redis]:
    """A server on loopback TCP that knows nothing of the workbook."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = f'port {port}\nbind 127.0.0.1\nrequirepass {PASSWORD}\ndir "{tmp_path}"\nsave ""\n'
    binary = find_binary(os.environ).path
    server = subprocess.Popen([binary, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    with server, redis.Redis(port=port, password=PASSWORD) as client:
        try:
            assert server.stdin is not None
            server.stdin.write(config)
            server.stdin.close()
            wait_until(lambda: _answers(client), 10, "the server answers")
            client.set("precious", "x")
            yield client
            assert server.poll() is None  # nobody has killed it
            assert client.get("precious") == b"x"  # nor flushed it
            assert client.config_get("requirepass") == {"requirepass": PASSWORD}
        finally:
            server.kill()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture
def joined(place: Place, theirs: redis.Redis) -> Place:
    """A place where WORKBOOK_REDIS_URL names that server."""
    port = theirs.connection_pool.connection_kwargs["port"]
    place.environment["WORKBOOK_REDIS_URL"] = f"redis://:{PASSWORD}@127.0.0.1:{port}/0"
    return place


def test_a_worker_elsewhere_does_what_is_posted_here(joined: Place, theirs: redis.Redis) -> None:
    """Two processes that share nothing but the address: a job posted to the one is done by the other."""
    with joined.serving("--workers", "0") as (gateway, said), joined.started("worker") as worker:
        assert "WORKBOOK_REDIS_URL" in said["server"]
        assert worker.stdout is not None
        name, told, _ = worker.stdout.readline().partition(" is listening")
        assert (name.partition("-w")[0], told) == ("workbook", " is listening")
        work = {"task": "work", "args": {"service_time_s": 0.01}}
        status, job = ask(said["url"], "POST", "/jobs", work, Prefer="wait=10")
        assert status == 200, job
        assert theirs.hget(f"rq:job:{job['id']}", "worker_name") == name.encode()
        assert PASSWORD not in " ".join(words(joined.family()))

        _, long = ask(said["url"], "POST", "/jobs", {"task": "work", "args": {"service_time_s": 2.0}})
        wait_until(lambda: theirs.hget(f"rq:job:{long['id']}", "status") == b"started", 5, "the job has begun")
        worker.send_signal(signal.SIGINT)
        _, err = worker.communicate(timeout=patience(5))
        assert worker.returncode == 0, err
        assert "Traceback" not in err
        assert theirs.hget(f"rq:job:{long['id']}", "status") == b"finished"  # it finished what it had in hand

        gateway.terminate()
        assert gateway.wait(timeout=patience(2)) == 0
    joined.assert_nothing_left()


def test_a_run_on_their_server_cleans_up_after_itself_only(joined: Place, theirs: redis.Redis) -> None:
    """Its ledger balances there too; what was in the server before is still there."""
    answer = joined.run("run", "--duration", "0.5", "--workers", "1", "--limit", "5", "--json")
    assert answer.code in (0, 1), answer.err
    assert set(answer.json["invariants"].values()) == {True}, answer.out
    keys: Any = theirs.keys()
    strangers = {key for key in keys if not key.startswith((b"wb-", b"rq:"))}
    assert strangers == {b"precious"}


def test_without_an_address_it_is_told_where_to_put_it(place: Place) -> None:
    """Exit code 2, name and remedy."""
    answer = place.run("worker")
    assert answer.code == 2
    assert answer.err.startswith("workbook: WORKBOOK_REDIS_URL = None: must be the URL of a Redis server.")
    assert "redis://" in answer.err


@pytest.mark.parametrize("verb", ["worker", "serve"])
@pytest.mark.parametrize("port", ["x", "0"])
def test_an_address_that_is_none_is_told_without_its_password(place: Place, verb: str, port: str) -> None:
    """No URL at all, or of another kind of server."""
    scheme = "redis" if port == "x" else "http"
    place.environment["WORKBOOK_REDIS_URL"] = f"{scheme}://:{PASSWORD}@127.0.0.1:{port}/0"
    answer = place.run(verb)
    assert answer.code == 1
    assert f"WORKBOOK_REDIS_URL = {scheme}://127.0.0.1:{port}/0" in answer.err
    assert PASSWORD not in answer.err
    assert "Traceback" not in answer.err


def test_a_wrong_password_is_told(joined: Place) -> None:
    """At once, by the name of the variable."""
    url = joined.environment["WORKBOOK_REDIS_URL"]
    joined.environment["WORKBOOK_REDIS_URL"] = url.replace(PASSWORD, "wrong")
    answer = joined.run("worker")
    assert answer.code == 1
    assert f"WORKBOOK_REDIS_URL = redis://{urlsplit(url).netloc.partition('@')[2]}/0" in answer.err
    assert "wrong@" not in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""
