"""Event files survive their writers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from demo_workers.records.events import EVENT, EventTail, EventWriter, Kind, Outcome, read_events, writer_to

WRITER = """
import sys, time
from pathlib import Path
from demo_workers.records.events import EventWriter, Kind
writer = EventWriter(Path(sys.argv[1]), time.monotonic())
request = 0
while True:
    writer.write(Kind.SENT, request, 1, t=writer.now(), actor=3, value=0.5)
    request += 1
    if request == 1000:
        print("going", flush=True)
"""


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Every column comes back; those not given are -1 or NaN."""
    writer = EventWriter(tmp_path / "events", origin=0.0)
    writer.write(Kind.DECIDED, 5, 2, t=1.5, code=Outcome.SHED, status=503, depth=20, limit=20)
    writer.close()
    writer.close()
    rows, torn = read_events(tmp_path / "events")
    assert torn == 0
    assert rows.dtype == EVENT
    row = rows[0]
    assert (row["kind"], row["request"], row["attempt"], row["t"]) == (Kind.DECIDED, 5, 2, 1.5)
    assert (row["code"], row["status"], row["depth"], row["limit"], row["actor"]) == (Outcome.SHED, 503, 20, 20, -1)
    assert np.isnan(row["value"])


def test_a_writer_to_nowhere_only_counts() -> None:
    """Rows of a run without a record are counted and kept nowhere, also after it was closed."""
    writer = writer_to(Path(os.devnull), origin=0.0)
    for request in range(3):
        writer.write(Kind.SENT, request, 1, t=writer.now())
    assert writer.rows == 3
    assert len(EventTail(Path(os.devnull)).read()) == 0
    writer.close()
    writer.close()


def test_a_file_survives_the_sigkill_of_its_writer(tmp_path: Path) -> None:
    """All whole rows are there, in order."""
    path = tmp_path / "events"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"going\n"
        child.kill()
    rows, _ = read_events(path)
    assert len(rows) >= 1000
    assert np.array_equal(rows["request"], np.arange(len(rows)))


@pytest.mark.parametrize("extra", range(1, EVENT.itemsize, 7))
def test_a_torn_row_is_dropped_and_counted(tmp_path: Path, extra: int) -> None:
    """Half a row at the end is not read as one."""
    path = tmp_path / "events"
    path.write_bytes(bytes(EVENT.itemsize * 3 + extra))
    rows, torn = read_events(path)
    assert (len(rows), torn) == (3, 1)


def test_a_tail_gives_each_whole_row_once(tmp_path: Path) -> None:
    """Rows come as they are completed, also when a read falls into the middle of one."""
    path = tmp_path / "events"
    tail = EventTail(path)
    assert len(tail.read()) == 0
    path.write_bytes(bytes(EVENT.itemsize + 10))
    assert len(tail.read()) == 1
    with path.open("ab") as file:
        file.write(bytes(EVENT.itemsize * 2 - 10))
    assert len(tail.read()) == 2
    assert len(tail.read()) == 0
