"""``workbook bench`` on a checkout of its own, whose benchmarks take no time."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import psutil
import pytest

import lessons.cli.bench
from lessons.cli import main
from lessons.cli.bench import HELPER
from tests.lessons.cli.command import COMMAND, ROOT, Answer, Place
from tests.processes import command, wait_until

pytestmark = pytest.mark.live

HEAD = "import sys, time\nfrom benchmarks._bar import *\n"
FOOT = "\nsys.exit(main(__doc__, measure))\n"
MET = 'def measure(options):\n    say("[so far]")\n    return [Figure.of("speed", [2.0] * options.rounds, at_least=1)]'
MISSED = 'async def measure(options):\n    return [Figure.of("speed", [0.5] * options.rounds, at_least=1)]'
BROKEN = 'def measure(options):\n    raise RuntimeError("out of steam")'
UNAVAILABLE = 'def measure(options):\n    raise Unavailable("no peer here: install it")'
ENDLESS = 'def measure(options):\n    say("at it")\n    time.sleep(100)'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the repository, with the helper and no benchmarks yet."""
    (tmp_path / "benchmarks").mkdir()
    shutil.copy(ROOT / HELPER, tmp_path / HELPER)
    return tmp_path


class Bench:
    """The command, called here: its own start would be most of a test's time."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
        self._capsys, self._monkeypatch, self._checkout = capsys, monkeypatch, checkout

    def __call__(self, *arguments: str, **benchmarks: str) -> Answer:
        for name, body in benchmarks.items():
            (self._checkout / "benchmarks" / f"{name}.py").write_text(HEAD + body + FOOT)
        self._monkeypatch.chdir(self._checkout)
        code = main(["bench", *arguments])
        return Answer(code, *self._capsys.readouterr())


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, checkout: Path) -> Bench:
    """``workbook bench`` in that checkout."""
    return Bench(capsys, monkeypatch, checkout)


def test_all_benchmarks_are_run_and_judged_together(bench: Bench) -> None:
    """Every figure is in the one answer; a missed bar makes the exit code 1, and progress is told meanwhile."""
    answer = bench("--json", quick=MET, slow=MISSED)
    assert answer.code == 1
    judged = [(found["benchmark"], figure["met"]) for found in answer.json for figure in found["figures"]]
    assert judged == [("quick", True), ("slow", False)]
    assert [figure["rounds"] for found in answer.json for figure in found["figures"]] == [5, 5]
    assert "[so far]" in answer.err


def test_one_benchmark_in_its_short_form(bench: Bench) -> None:
    """NAME leaves the others out, and fewer than five rounds are told to be short."""
    answer = bench("quick", "--rounds", "1", quick=MET, slow=MISSED)
    assert answer.code == 0, answer.err
    assert "met (short)" in answer.out
    assert "slow" not in answer.out


def test_a_broken_benchmark_does_not_stop_the_others(bench: Bench) -> None:
    """It fails the whole, with its last words in the table."""
    answer = bench("--json", broken=BROKEN, quick=MET)
    assert answer.code == 1
    broken, quick = answer.json
    assert "out of steam" in broken["failed"]
    assert quick["figures"][0]["met"]


def test_a_missing_peer_is_skipped_here_and_fails_in_the_ci(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, as the test suite does it."""
    monkeypatch.delenv("CI", raising=False)
    answer = bench(lonely=UNAVAILABLE)
    assert answer.code == 0
    assert "no peer here" in answer.out
    monkeypatch.setenv("CI", "true")
    assert bench().code == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [(["fast"], "one of quick, slow"), (["--rounds", "0"], "1 to 1000"), (["--rounds", "1e3"], "1 to 1000")],
)
def test_bad_input_is_told_with_its_bound(bench: Bench, arguments: list[str], named: str) -> None:
    """Exit code 2."""
    answer = bench(*arguments, quick=MET, slow=MISSED)
    assert answer.code == 2
    assert named in answer.err


def test_without_a_checkout_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The installed package alone holds no benchmarks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(lessons.cli.bench, "__file__", str(tmp_path / "lessons" / "cli" / "bench.py"))
    assert main(["bench"]) == 2
    assert "clone the repository" in capsys.readouterr().err


def test_a_benchmark_ends_with_its_owner(place: Place, checkout: Path) -> None:
    """Also when the command is killed, and when it was a shell's background job, which ignores interrupts."""
    (checkout / "benchmarks" / "endless.py").write_text(HEAD + ENDLESS + FOOT)

    def at_it() -> list[psutil.Process]:
        return [process for process in place.family() if "benchmarks.endless" in command(process)]

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    bench = psutil.Popen([*COMMAND, "bench"], cwd=checkout, env=place.environment, preexec_fn=ignore)
    try:
        wait_until(lambda: bool(at_it()), 20.0, "the benchmark runs")
    finally:
        bench.kill()
        bench.wait()
    wait_until(lambda: not at_it(), 5.0, "the benchmark has ended")
