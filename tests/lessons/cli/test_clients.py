"""``workbook clients``: the load generator alone."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest

from demo_workers.errors import ScenarioError
from demo_workers.records.events import EVENT, Kind, read_events
from lessons.cli.clients import loopback
from tests.lessons.cli.command import Place
from tests.patience import patience
from tests.processes import wait_until

FIXED = ["--set", "service.distribution=deterministic", "--service-time", "0.1"]


@pytest.mark.live
def test_counts_what_it_recorded(place: Place) -> None:
    """Against a served gateway: its counts are its record's, and a second load does not meet the first one's jobs."""
    with place.serving("--workers", "4") as (_, served):
        answers = [
            place.run("clients", "--url", served["url"], "--arrival-rate", "30", "--duration", "1", *FIXED, "--json")
            for _ in range(2)
        ]
    for answer in answers:
        facts = answer.json
        assert answer.code == (0 if facts["valid"] else 1), answer.err
        assert facts["succeeded"] == facts["requests"] == facts["attempts"] > 0
        assert facts["latency_p95_s"] >= facts["latency_p50_s"] >= 0.1
        events, torn = read_events(Path(facts["run"]) / "clients.events")
        assert torn == 0
        assert (events["kind"] == Kind.SENT).sum() == facts["attempts"]
    assert answers[0].json["requests"] == answers[1].json["requests"]
    again = place.run("replay", answers[0].json["run"], "--json")
    assert again.json["ledger"]["requests_succeeded"] == answers[0].json["succeeded"]


@pytest.mark.live
def test_closed_loop_into_a_directory(place: Place) -> None:
    """Any scenario will do, and ``--out`` names where it is recorded; people get a line for each figure."""
    closed = ["--set", "load.kind=closed", "--set", "load.clients=5", "--set", "load.think_time_s=0.05"]
    with place.serving("--workers", "2") as (_, served):
        answer = place.run(
            "clients", "--url", served["url"], "--duration", "1", *closed, "--out", str(place.base / "o")
        )
    assert re.search(r"^succeeded +[1-9]", answer.out, re.MULTILINE), answer.err
    events, _ = read_events(place.base / "o" / "clients.events")
    assert set(events["actor"][events["kind"] == Kind.SENT].tolist()) == set(range(5))
    assert place.runs() == []


@pytest.mark.live
def test_interrupted(place: Place) -> None:
    """Ctrl-C ends the load, prints what was counted so far, leaves a whole record and nothing that runs."""
    with place.serving("--workers", "2") as (_, served):
        record = place.base / "o"
        command = ["clients", "--url", served["url"], "--duration", "60", "--json", "--out", str(record)]
        with place.started(*command) as process:
            events = record / "clients.events"
            wait_until(lambda: events.exists() and events.stat().st_size > 50 * EVENT.itemsize, 20, "it is loading")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=patience(20))
        assert process.returncode == 130, err
        assert '"duration_s":60' not in out
        rows, torn = read_events(events)
        assert torn == 0
        assert (rows["kind"] == Kind.SENT).sum() == (rows["kind"] == Kind.ANSWERED).sum()
        assert place.run("replay", str(record)).code in (0, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com:80",
        "http://10.0.0.1:8000",
        "http://0.0.0.0:8000",
        "http://127.0.0.1.example.com:8000",
        "http://127.0.0.1@example.com:8000",
        "https://127.0.0.1:8000",
        "http://127.0.0.1",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:8000/elsewhere",
        "http://[::1",
        "127.0.0.1:8000",
        "",
    ],
)
def test_only_this_machine(url: str) -> None:
    """Nobody else's server can be loaded, by slip or by trick; the error says what to do instead."""
    with pytest.raises(ScenarioError, match=r"must be http://127.0.0.1:PORT.*workbook serve") as caught:
        loopback(url)
    assert caught.value.value == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000/"])
def test_this_machine(url: str) -> None:
    """What ``serve`` prints is right, and a name is not looked up."""
    assert loopback(url) == {"host": "127.0.0.1", "port": 8000}


def test_refused_before_anything_is_sent(place: Place) -> None:
    """The command ends with exit code 2, and records nothing."""
    answer = place.run("clients", "--url", "http://example.com:80", "--duration", "1")
    assert answer.code == 2
    assert "--url = 'http://example.com:80'" in answer.err
    assert place.runs() == []


def test_nobody_listens(place: Place) -> None:
    """It says so at once, and records nothing."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = place.run("clients", "--url", f"http://127.0.0.1:{port}", "--duration", "60")
    assert answer.code == 1
    assert f"nobody listens at 127.0.0.1 port {port}" in answer.err
    assert place.runs() == []


def test_bad_input(place: Place) -> None:
    """A value out of its bounds is told before anything is sent, and so is a policy that only a notebook has."""
    for wrong in (["--arrival-rate", "-1"], ["--set", "retry.policy=custom"]):
        answer = place.run("clients", "--url", "http://127.0.0.1:9", *wrong)
        assert answer.code == 2
        assert "must be" in answer.err
