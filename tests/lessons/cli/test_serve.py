"""``workbook serve``: the system alone, for anybody's clients."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.lessons.cli.command import ROOT, Place, words
from tests.patience import patience
from tests.processes import command, wait_until

pytestmark = pytest.mark.live

POSTERS, EACH = 16, 50
WORK = {"task": "work", "args": {"service_time_s": 0.05}}
PASSWORD = re.compile(r"[\w-]{32}")  # as the stack makes them


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """One request; status and the JSON of its answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {"Content-Type": "application/json"} | headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def post_from_sixteen_processes(url: str) -> list[tuple[int, str | None]]:
    """Fifty posts from each, all begun at the same moment."""
    poster_of = [sys.executable, "-m", "tests.lessons.cli.poster", str(urlsplit(url).port)]
    pipe = subprocess.PIPE
    posters = [subprocess.Popen(poster_of, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) for _ in range(POSTERS)]
    try:
        for poster in posters:
            assert poster.stdout is not None
            assert poster.stdout.readline() == "ready\n"
        begin = time.monotonic() + 0.2
        for poster in posters:
            assert poster.stdin is not None
            poster.stdin.write(f"{begin!r}\n")
            poster.stdin.flush()
        answers = [answer for poster in posters for answer in json.loads(poster.communicate(timeout=60)[0])]
    finally:
        for poster in posters:
            poster.kill()
            poster.communicate()
    assert len(answers) == POSTERS * EACH
    return [(status, after) for status, after in answers]


def test_sixteen_processes_get_in_exactly_as_many_as_the_limit(place: Place) -> None:
    """Of 800 posts 50 are accepted, and each of the 750 others is told when to come again."""
    with place.serving("--limit", "50", "--workers", "0") as (process, said):
        assert said["url"].startswith("http://127.0.0.1:")
        assert (said["queue"], said["workers"]) == ("workbook", 0)
        answers = post_from_sixteen_processes(said["url"])
        assert answers.count((202, None)) == 50
        refused = [after for status, after in answers if status == 503]
        assert len(refused) == 750
        assert all(after is not None and int(after) >= 1 for after in refused)
        process.terminate()
        out, err = process.communicate(timeout=patience(2))
    assert out == ""  # one line of JSON and no more
    assert err == ""
    assert process.returncode == 0


def post_all_at_once(place: Place, url: str) -> list[int]:
    """Statuses of sixteen posts that the gateway finds together, because it stood still while they came."""
    (gateway,) = [one for one in place.family() if "demo_workers.services.gateway" in command(one)]
    connections = [http.client.HTTPConnection(urlsplit(url).netloc, timeout=30) for _ in range(POSTERS)]
    try:
        for connection in connections:
            connection.connect()
        gateway.suspend()
        for connection in connections:
            connection.request("POST", "/jobs", json.dumps(WORK), {"Content-Type": "application/json"})
        gateway.resume()
        return [connection.getresponse().status for connection in connections]
    finally:
        for connection in connections:
            connection.close()


def test_looking_before_pushing_lets_in_too_many(place: Place) -> None:
    """The naive policy passes the limit: of sixteen posts at the same moment more than four get in."""
    with place.serving("--limit", "4", "--workers", "0", "--set", "admission.policy=naive") as (_, said):
        assert post_all_at_once(place, said["url"]).count(202) > 4
        assert ask(said["url"], "POST", "/jobs", WORK)[0] == 503, "full it is in the end"


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "end of input", "SIGKILL"])
def test_it_ends_when_told_with_a_job_in_hand(place: Place, how: str) -> None:
    """Within two seconds, with code 0, and nothing is left: no process, no socket, no directory."""
    with place.serving("--workers", "2", piped=how == "end of input") as (process, said):
        posted = {"task": "work", "args": {"service_time_s": 30}}
        status, job = ask(said["url"], "POST", "/jobs", posted)
        assert status == 202
        assert len(place.left()) >= 6
        if how == "end of input":
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[how])
        assert process.wait(timeout=patience(2)) == (-signal.SIGKILL if how == "SIGKILL" else 0), job
        place.assert_nothing_left()
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_job_is_done_and_its_result_told(place: Place) -> None:
    """Workers of its own do what is posted; no password is in any command line."""
    with place.serving("--workers", "1") as (_, said):
        posted = {"task": "fan_out", "args": {"post": "hello", "author": "ada", "followers": 3, "write_ms": 0}}
        status, job = ask(said["url"], "POST", "/jobs", posted, Prefer="wait=10")
        assert status == 200, job
        assert job["result"]["followers"] == 3
        path = f"/jobs/{job['id']}"
        wait_until(lambda: ask(said["url"], "GET", path)[1]["status"] == "finished", 5, "RQ has put it away")
        family = place.family()
        assert any("redis" in word or "valkey" in word for word in words(family))
        assert not {word for word in words(family) if PASSWORD.fullmatch(word)}


def test_a_port_in_use_is_told(place: Place) -> None:
    """With the port and a remedy, exit code 1, no traceback, nothing left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = place.run("serve", "--port", str(port))
    assert answer.code == 1
    assert answer.out == ""
    assert f"127.0.0.1:{port}" in answer.err
    assert "Use port 0" in answer.err
    assert "Traceback" not in answer.err
    place.assert_nothing_left()


def test_a_gateway_that_dies_ends_it(place: Place) -> None:
    """It does not pretend to serve: an error, exit code 1, nothing left."""
    with place.serving("--workers", "1") as (process, _):
        (gateway,) = [one for one in place.family() if "demo_workers.services.gateway" in command(one)]
        gateway.kill()
        _, err = process.communicate(timeout=patience(3))
        assert process.returncode == 1
        assert "gateway has died" in err
        assert "Traceback" not in err
        place.assert_nothing_left()


def test_for_people_it_prints_the_url(place: Place) -> None:
    """And the server that runs."""
    with place.started("serve", "--workers", "0") as process:
        assert process.stdout is not None
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+  \(.+\)\n", process.stdout.readline())
        process.terminate()
        assert process.wait(timeout=patience(2)) == 0
