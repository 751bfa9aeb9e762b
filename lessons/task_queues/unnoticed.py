"""Section c ★: how long dead workers stayed unnoticed in a recorded run of RQ as it comes."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any, NamedTuple

from lessons.check.claims import Claim, check
from lessons.task_queues.defaults import LATEST_S, SOONEST_S, computed

NEAR_S = 20.0
"""A recorded run may differ by this from what the constants say: a busy worker looks between two jobs only."""


class Recorded(NamedTuple):
    """One recorded run: ``after_s`` is how long the death went unnoticed."""

    killed_after_s: float
    other_is_busy: bool
    after_s: float
    said: str


class Recording(NamedTuple):
    """Stock RQ workers, killed, and how long it took; made by ``python -m benchmarks.unnoticed``."""

    conditions: str
    runs: tuple[Recorded, ...]


def recording() -> Recording:
    """The one that is in the repository."""
    stored: Any = tomllib.loads(files("lessons.task_queues").joinpath("unnoticed.toml").read_text("utf-8"))
    runs = (
        Recorded(run["killed_after_s"], run["other_is_busy"], run["noticed_after_s"], run["said"])
        for run in stored["runs"]
    )
    return Recording(f"{stored['recorded']}, rq {stored['rq']}, {stored['server']}, {stored['machine']}", tuple(runs))


def show_recording() -> None:
    """Print it beside what was computed."""
    record = recording()
    print(f"recorded {record.conditions}")
    print(f"{'killed at':>10}  {'the other worker':<17}{'computed':>10}{'recorded':>10}")
    for run in record.runs:
        told = computed(run.killed_after_s, other_is_busy=run.other_is_busy)
        other = "has small jobs" if run.other_is_busy else "is idle"
        print(f"{run.killed_after_s:>8.0f} s  {other:<17}{told:>8.0f} s{run.after_s:>8.0f} s")


def check_unnoticed(record: Recording) -> None:
    """What section c says of RQ's defaults.

    Raises:
        ClaimError: it is not so.
    """
    longest = max(run.after_s for run in record.runs)
    apart = [run.after_s - computed(run.killed_after_s, other_is_busy=run.other_is_busy) for run in record.runs]
    check(
        Claim("computed: it may take more than ten minutes", LATEST_S > 600, f"{LATEST_S} s"),
        Claim("recorded: it did take more than ten minutes", longest > 600, f"{longest:.0f} s"),
        Claim("each recorded run is as computed", all(-5 < one < NEAR_S for one in apart), str(apart)),
        Claim("each of the jobs was given up, and none was tried again",
              all("AbandonedJobError" in run.said for run in record.runs), str(record.runs)),
    )  # fmt: skip


def phrase() -> str:
    """What the prediction was about, in a phrase."""
    return f"between {SOONEST_S / 60:.0f} and {LATEST_S / 60:.0f} minutes later"
