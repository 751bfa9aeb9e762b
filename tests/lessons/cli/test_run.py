"""``workbook run`` and ``workbook replay``: the real system from the command line."""

from __future__ import annotations

import random
import signal
import subprocess
from dataclasses import fields

import msgspec
import pytest

from demo_workers.records.events import EVENT
from demo_workers.records.measures import Measures
from demo_workers.scenario import Scenario
from tests.lessons.cli.command import Answer, Place
from tests.patience import patience
from tests.processes import wait_until

pytestmark = pytest.mark.live

KEYS = {field.name for field in fields(Measures)} | {"ledger", "invariants", "depth_seen"}
TRIES = 3
"""Other work on this machine can keep the clients from their schedule; such a run says so and is played again."""


def overload(place: Place, *more: str) -> tuple[Answer, int]:
    """The issue's own example, four seconds of it, with a random seed."""
    load = ("--arrival-rate", "60", "--service-time", "0.1", "--workers", "3", "--limit", "12", "--duration", "4")
    for _ in range(TRIES):
        seed = random.randrange(10**6)
        answer = place.run("run", *load, "--seed", str(seed), *more)
        if answer.code == 0 or answer.json["valid"]:
            break
        assert answer.code == 1
        assert "too busy" in answer.json["notes"][-1]
    return answer, seed


def test_the_overload_run_keeps_its_promises(place: Place) -> None:
    """Every key, every invariant, the limit, and the throughput that three workers can do; replayed, it is the same."""
    answer, seed = overload(place, "--json")
    found = answer.json
    said = f"seed {seed}: {answer.out}{answer.err}"
    assert answer.code == 0, said
    assert found.keys() >= KEYS
    assert found["source"] == "live"
    assert set(found["invariants"].values()) == {True}, said
    assert len(found["invariants"]) == 16
    assert found["depth_seen"] == 12, said
    expected = 3 / (found["executed_service_time_s"] + found["overhead_s"])
    assert found["throughput"] == pytest.approx(expected, rel=0.15), said
    assert found["goodput"] <= found["throughput"] * 1.1
    assert found["ledger"]["shed"] > 0
    assert "Traceback" not in answer.err

    for name in ("last", found["run"]):
        again = place.run("replay", name, "--json")
        assert again.code == 0, again.err
        differing = {name for name, value in again.json.items() if value != found[name]}
        assert again.json.keys() == found.keys()
        assert differing == {
            "source",
            "overhead_s",
            "overhead_before_s",
            "overhead_after_s",
        }  # what RQ costs here is no part of a record
        assert again.json["source"] == "replay"

    people = place.run("replay", "last")
    assert people.code == 0
    assert "✓ never more inside than the limit" in people.out
    assert "throughput" in people.out


def test_a_scenario_from_a_file_is_played_and_recorded_where_asked(place: Place) -> None:
    """File, settings, output directory; for people this time, with the ledger's lines."""
    path, out = place.base / "some.toml", place.base / "new" / "run"
    scenario = Scenario().steered(arrival_rate=30, workers=1, service_time_s=0.01, limit=3).replace("drain_s", 1)
    path.write_text(scenario.to_toml())
    settings = ("--set", "load.kind=uniform", "--set", "load.duration_s=0.8", "--set", "retry.timeout_s=2")
    answer = place.run("run", "--scenario", str(path), *settings, "--out", str(out))
    assert answer.code in (0, 1), answer.err
    assert answer.out.count("✓") == 16, answer.out
    assert answer.err.startswith("server: ")
    wanted = scenario.replace("load.kind", "uniform").replace("load.duration_s", 0.8).replace("retry.timeout_s", 2)
    manifest = msgspec.json.decode((out / "manifest.json").read_bytes())
    assert Scenario.from_dict(manifest["scenario"]) == wanted
    assert (out / "clients.events").stat().st_size == 2 * 24 * EVENT.itemsize  # 24 requests are sent and answered
    assert place.runs() == []
    refused = place.run("run", "--duration", "1", "--out", str(out))
    assert refused.code == 2
    assert "empty" in refused.err
    assert place.run("replay", str(out)).code == answer.code


def interrupted(place: Place, process: subprocess.Popen[str]) -> None:
    """Press Ctrl-C; within three seconds it has ended, with the code for that, no traceback and nothing left."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=patience(3))
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    place.assert_nothing_left()


def test_ctrl_c_in_mid_run_ends_it_and_keeps_its_record(place: Place) -> None:
    """What was recorded until then balances."""
    load = ("--duration", "60", "--arrival-rate", "90", "--service-time", "0.1", "--set", "retry.timeout_s=2")
    place.run("run", "--duration", "0.2", "--json")  # so that nothing has to be measured first
    with place.started("run", *load) as process:
        wait_until(lambda: len(place.runs()) == 2, 20, "the run has begun")
        record = place.runs()[1] / "clients.events"
        wait_until(lambda: record.exists() and record.stat().st_size > 100 * EVENT.itemsize, 20, "requests were sent")
        interrupted(place, process)
    found = place.run("replay", "last", "--json").json
    assert set(found["invariants"].values()) == {True}, found
    assert found["ledger"]["cancelled"] > 0


def test_ctrl_c_while_it_starts_ends_it(place: Place) -> None:
    """The server is there, the rest is not yet."""
    place.environment["XDG_CACHE_HOME"] = str(place.base)  # with nothing measured it starts for long
    with place.started("run", "--duration", "60") as process:
        wait_until(lambda: len(place.family()) > 2, 20, "it starts")
        interrupted(place, process)


def test_a_reader_who_has_had_enough_is_no_error(place: Place) -> None:
    """As with ``| head -1``: no traceback."""
    with place.started("doctor") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_run_that_cannot_be_recorded_says_where(place: Place) -> None:
    """The state directory is a file: one line, no traceback, nothing left."""
    (place.base / "asynchronism-workbook").write_text("in the way")
    answer = place.run("run", "--duration", "1")
    assert answer.code == 1
    assert "asynchronism-workbook" in answer.err
    assert "Traceback" not in answer.err
