"""Section c, the star: after its spike a healthy system serves nobody, and each claim about it can fail."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demo_workers.records.directory import Steer
from demo_workers.records.events import ClientOutcome, Kind
from demo_workers.records.run import Run
from lessons import retries
from lessons.check.claims import ClaimError
from lessons.retries import SixtySeconds, TwoFates
from lessons.retries.health import health
from lessons.retries.rescue import REFERENCE, REMEDIES
from lessons.retries.spike import Fate
from lessons.retries.two_fates import FULL, SHORT, SHORT_RESCUE, last
from tests.lessons.retries.fates_on_paper import PAPER, played
from tests.processes import children

TAPES = 100
LEAST = 99
FIRST = random.randrange(10**6)


def holds(check: Callable[[], None]) -> bool:
    """Whether all claims are true."""
    try:
        check()
    except ClaimError:
        return False
    return True


def test_the_star_holds_in_nearly_every_tape() -> None:
    """Collapsed without a rescue, and brought back by the reference knob: in at least 99 of 100 tapes each."""

    def play(**given: object) -> Run:
        knobs = given.pop("turned", None)
        form = SHORT_RESCUE if knobs else SHORT
        return PAPER.simulate(PAPER.load(form, **given), knobs, form.turned_s, engine="compiled")  # type: ignore[arg-type]

    collapsed, rescued = [], []
    for seed in range(FIRST, FIRST + TAPES):
        struck, calm = play(seed=seed), play(seed=seed, struck=False)
        back = play(seed=seed, turned=REMEDIES[REFERENCE].knobs)
        collapsed.append(holds(lambda: retries.check_two_fates(struck, calm)))  # noqa: B023  # called at once
        rescued.append(holds(lambda: retries.check_live_rescue(back)))  # noqa: B023
    for held in (collapsed, rescued):
        assert sum(held) >= LEAST, f"seeds from {FIRST}: {[n for n, held in enumerate(held) if not held]}"


def test_it_stays_collapsed_for_as_long_as_anybody_looks() -> None:
    """A minute after a spike of five seconds not one in twenty is served in time."""
    run = PAPER.simulate(PAPER.load(FULL, seed=FIRST), engine="compiled")
    fate = Fate.of(run)
    assert fate.before > 0.9, f"seed {FIRST}"
    assert fate.after < 0.05, f"seed {FIRST}"
    assert last(run).busy > 0.9


@pytest.fixture
async def fates(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TwoFates]:
    """Running; nothing of them may be left afterwards."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    fates = await retries.open_two_fates()
    yield fates
    await fates.close()
    assert children() == []


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_star_is_so_on_real_workers(fates: TwoFates, capsys: pytest.CaptureFixture[str]) -> None:
    """As the notebook plays it; twenty of each are played by ``python -m benchmarks.collapse``."""
    panels = retries.two_panels(fates)
    retries.check_two_fates(*await retries.play_two(fates, panels))
    minute = SixtySeconds(fates)
    retries.check_live_rescue(await minute.run(REFERENCE))
    assert "✗" not in capsys.readouterr().out
    await asyncio.gather(panels.close(), minute.pair.close())


@pytest.mark.live
@pytest.mark.timed
@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_run_can_be_rescued_without_a_picture(fates: TwoFates) -> None:
    """As the benchmark does it: the knob is turned when the form says, and stands in the record."""
    load = fates.load(SHORT_RESCUE, seed=FIRST)
    run = await fates.play(load, REMEDIES[REFERENCE].knobs, SHORT_RESCUE.turned_s)
    assert [(entry.knob, entry.value) for entry in run.steering] == list(REMEDIES[REFERENCE].knobs.items())
    assert run.steering[0].t >= SHORT_RESCUE.turned_s
    assert run.ledger.balanced


def test_a_true_pair_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines hold no digit, so that they are the same on every machine."""
    retries.check_two_fates(played(), played(struck=False))
    lines = capsys.readouterr().out
    assert lines.count("✓") == 6
    assert not any(letter.isdigit() for letter in lines)


def with_errors(run: Run, kind: Kind, code: int) -> Run:
    """The run with one more error in its record."""
    events = run.events.copy()
    rows = (events["kind"] == kind).nonzero()[0]
    events["code"][rows[len(rows) // 2]] = code
    return dataclasses.replace(run, events=events)


def slowed(run: Run) -> Run:
    """The run as one whose workers had next to nothing to do in the end."""
    return dataclasses.replace(run, events=run.events[(run.events["kind"] != Kind.STARTED) | (run.events["t"] < 1)])


BAD: dict[str, Callable[[], tuple[Run, Run]]] = {
    "the same servers": lambda: (played(), played(struck=False, seed=8)),
    "every worker of both": lambda: (
        played(steering=[Steer(1.0, "worker_died", "w1")]), played(struck=False)),
    "not one error": lambda: (with_errors(played(), Kind.ANSWERED, ClientOutcome.ERRORED), played(struck=False)),
    "as busy as the others": lambda: (slowed(played()), played(struck=False)),
    "most people are served": lambda: (played(), played(struck=True)),
    "hardly anybody": lambda: (played(struck=False), played(struck=False)),
    "the books of both": lambda: (played(lose=Kind.ENDED), played(struck=False)),
}  # fmt: skip


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_the_pair_can_fail(claim: str) -> None:
    """Each by a pair of which it is not true."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_two_fates(*BAD[claim]())


def test_health_is_read_off_the_record() -> None:
    """Rates are of the stretch, a worker's time is never more than all of it, and the dead are counted."""
    run = played()
    whole, halves = health(run, 0, 3), [health(run, start, start + 1.5) for start in (0.0, 1.5)]
    for name in ("busy", "came", "in_time"):
        mean = sum(getattr(half, name) for half in halves) / 2
        assert getattr(whole, name) == pytest.approx(mean)
    assert 0 < whole.busy <= 1
    assert whole.errors == 0
    assert whole.alive == whole.workers == 2
    dead = dataclasses.replace(run, steering=[Steer(1.0, "worker_died", "w1")])
    assert health(dead, 0, 3).alive == 1
    assert "1 of 2 workers alive" in str(health(dead, 0, 3))
