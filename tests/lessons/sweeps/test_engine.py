"""The compiled engine is made once, for all who want it at the same time, and only where it pays."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from lessons.sweeps import engine

WAITS_FOR_IT = "from lessons.sweeps import engine; engine.have_compiled(); print(engine.is_kept())"


def test_it_is_for_large_sweeps() -> None:
    """A small one is over before the engine would be loaded; a large one would take plain Python for ever."""
    assert not engine.pays(5_000)
    assert engine.pays(100_000_000)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_several_processes_compile_it_once(tmp_path: Path) -> None:
    """With nothing in the cache, one of three compiles and says so; the others wait, and load what it has made."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    started = [
        Popen([sys.executable, "-c", WAITS_FOR_IT], env=environment, text=True, stdout=PIPE, stderr=PIPE)
        for _ in range(3)
    ]
    told = [process.communicate() for process in started]
    assert [out for out, _ in told] == ["True\n"] * 3
    assert sum("is being compiled" in err for _, err in told) == 1
