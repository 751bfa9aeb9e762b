from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.queueing.announce import Announcement, boot_id
from demo_workers.records.events import Events, Kind, Outcome, Result, read_events
from demo_workers.services.gateway.record import RECENT, Record
from demo_workers.services.gateway.web.heads import Name

RUN = "abcd1234"


def job(request: int, attempt: int = 1, run: str = RUN) -> str:
    """A job's id."""
    return f"{run}-{request}-{attempt}"


def said(kind: str, job_id: str, worker: int = 0, ok: bool = True, **more: Any) -> Announcement:
    """What a worker of this machine announces now."""
    now, wall_ms = time.monotonic(), int(time.time() * 1000)
    given = {"returned": kind != "dropped"} | more
    return Announcement(kind, job_id, f"w{worker}", worker, now, boot_id(), ok, "null", wall_ms, **given)


class Book:
    """A record and its rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failures: list[str] = []
        self.record = Record(RUN, time.monotonic(), path, time.time(), self.failures.append)

    def admit(self, request: int) -> None:
        """One attempt is let in."""
        self.record.decision(Name(request, 1, 3), 0.0, Outcome.ADMITTED, status=202, depth=1, limit=None)

    def rows(self, kind: Kind) -> Events:
        """The record's rows of one kind."""
        events, _ = read_events(self.path)
        return np.asarray(events[events["kind"] == kind])

    def ends(self) -> list[tuple[int, int, int]]:
        """(request, worker, result) of the executions' ends."""
        events, torn = read_events(self.path)
        assert torn == 0
        return [(int(e["request"]), int(e["actor"]), int(e["code"])) for e in events if e["kind"] == Kind.ENDED]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """A record that has just begun."""
    book = Book(tmp_path / "gateway.events")
    yield book
    book.record.close()


def test_outstanding_follows_a_job(book: Book) -> None:
    """Waiting is one thing, running another; the end is the end."""
    assert book.record.outstanding == {"waiting": 0, "running": 0}
    book.admit(1)
    assert book.record.outstanding == {"waiting": 1, "running": 0}
    book.record.announced(said("started", job(1)))
    assert book.record.outstanding == {"waiting": 0, "running": 1}
    book.record.announced(said("finished", job(1)))
    assert book.record.outstanding == {"waiting": 0, "running": 0}


def test_a_start_may_be_heard_before_the_scripts_answer(book: Book) -> None:
    """Worker and script answer over different connections; a job that has run does not wait."""
    book.record.announced(said("started", job(1)))
    book.record.announced(said("finished", job(1)))
    book.admit(1)
    assert book.record.outstanding == {"waiting": 0, "running": 0}


def test_a_job_run_twice_ends_twice(book: Book) -> None:
    """At-least-once is visible: two workers, two ends."""
    book.admit(1)
    for kind in ("started", "finished"):
        for worker in (0, 1):
            book.record.announced(said(kind, job(1), worker))
    assert book.ends() == [(1, 0, Result.OK), (1, 1, Result.OK)]


def test_lost_and_then_done_by_another(book: Book) -> None:
    """The first worker died, the second one finished; what the first says after its death does not count."""
    book.admit(1)
    book.record.announced(said("started", job(1), 0))
    assert book.record.lost([job(1)]) == [job(1)]
    book.record.announced(said("started", job(1), 1))
    book.record.announced(said("finished", job(1), 0))
    book.record.announced(said("finished", job(1), 1, ok=False))
    assert book.ends() == [(1, 0, Result.LOST), (1, 1, Result.FAILED)]


def test_a_start_says_when_the_job_was_taken(book: Book) -> None:
    """On the run's clock; NaN where the worker has not said, and where its clock is another machine's."""
    taken = time.monotonic()
    book.record.announced(said("started", job(1), picked_monotonic=taken))
    book.record.announced(said("started", job(2)))
    book.record.announced(replace(said("started", job(3), picked_monotonic=taken), boot="elsewhere"))
    picked, started = book.rows(Kind.STARTED)["value"], book.rows(Kind.STARTED)["t"]
    assert 0 <= picked[0] <= started[0]
    assert np.isnan(picked[1:]).all()


def test_a_dropped_job_has_left_and_never_ran(book: Book) -> None:
    """It has a worker and a moment at which it left, and no time of a function; it waits no more and is not lost."""
    book.admit(1)
    book.record.announced(said("dropped", job(1), 2))
    (row,) = book.rows(Kind.ENDED)
    assert (row["code"], row["actor"]) == (Result.DROPPED, 2)
    assert np.isnan(row["t"])
    assert 0 <= row["value"] <= book.record.now()
    assert book.record.outstanding == {"waiting": 0, "running": 0}
    assert book.record.lost([job(1)]) == book.record.cancelled([job(1)]) == []


def test_a_function_that_did_not_return_has_no_end_of_its_own(book: Book) -> None:
    """Its work horse died: failed, with the moment at which the job left; a second word about it changes nothing."""
    book.admit(1)
    book.record.announced(said("started", job(1)))
    for _ in range(2):
        book.record.announced(said("finished", job(1), ok=False, returned=False))
    (row,) = book.rows(Kind.ENDED)
    assert row["code"] == Result.FAILED
    assert np.isnan(row["t"])
    assert row["value"] >= 0


def test_a_record_does_not_grow_with_its_run(book: Book) -> None:
    """Jobs that have ended are forgotten after a while, and not before anybody could have more to say about them."""
    sizes = []
    tracemalloc.start()
    for start in range(0, 4 * RECENT, RECENT):
        for request in range(start, start + RECENT):
            book.admit(request)
            book.record.announced(said("started", job(request)))
            book.record.announced(said("finished", job(request)))
        sizes.append(tracemalloc.get_traced_memory()[0])
        book.record.announced(said("finished", job(start + RECENT // 2)))
    tracemalloc.stop()
    assert len(book.ends()) == 4 * RECENT
    assert sizes[3] < 1.1 * sizes[1]


def test_a_worker_that_starts_a_job_again_had_lost_it(book: Book) -> None:
    """One worker cannot be at the same job twice."""
    for kind in ("started", "started", "finished"):
        book.record.announced(said(kind, job(1)))
    assert book.ends() == [(1, 0, Result.LOST), (1, 0, Result.OK)]
    assert book.record.outstanding == {"waiting": 0, "running": 0}


def test_only_what_waits_is_cancelled(book: Book) -> None:
    """A job that has begun goes on; one that ended is not ended again."""
    for request in (1, 2, 3):
        book.admit(request)
    book.record.announced(said("started", job(1)))
    ids = [job(1), job(2), job(3)]
    assert book.record.cancelled(ids) == [job(2), job(3)]
    assert book.record.cancelled(ids) == []
    assert book.record.lost(ids) == [job(1)]
    assert book.ends() == [(2, -1, Result.CANCELLED), (3, -1, Result.CANCELLED), (1, 0, Result.LOST)]


def test_what_leaves_for_another_is_dropped_once(book: Book) -> None:
    """Only while it waits; the end says that no worker did it."""
    for request in (1, 2):
        book.admit(request)
    book.record.announced(said("started", job(1)))
    assert book.record.dropped([job(1), job(2), job(2)]) == [job(2)]
    assert book.ends() == [(2, -1, Result.DROPPED)]
    assert book.record.outstanding == {"waiting": 0, "running": 1}


@pytest.mark.parametrize("job_id", [job(1, run="ffffffff"), "nonsense", RUN, f"{RUN}-x-1", f"{RUN}-1-1-1"])
def test_other_jobs_are_none_of_ours(book: Book, job_id: str) -> None:
    """Another run's jobs, and anybody else's, leave no row."""
    book.record.announced(said("started", job_id))
    assert book.record.lost([job_id]) == book.record.cancelled([job_id]) == []
    assert book.record.rows == 0


def test_after_the_end_nothing_is_written(book: Book) -> None:
    """The file is closed for good, quietly."""
    book.record.close()
    book.admit(1)
    assert (book.record.rows, book.failures) == (0, [])


moves = st.lists(
    st.tuples(
        st.sampled_from(["admit", "started", "finished", "dropped", "lost", "cancelled"]),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(moves=moves)
def test_every_execution_ends_at_most_once(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int, int]]
) -> None:
    """Whatever comes in whatever order: no execution that began stays without its end, and none has two."""
    book = Book(tmp_path_factory.mktemp("record") / "gateway.events")
    for verb, request, worker in moves:
        if verb == "admit":
            book.admit(request)
        elif verb in ("started", "finished", "dropped"):
            book.record.announced(said(verb, job(request), worker))
        else:
            getattr(book.record, verb)([job(request)])
    running = book.record.outstanding["running"]
    book.record.lost([job(request) for request in range(3)])
    events, _ = read_events(book.path)
    for request in range(3):
        mine = events[events["request"] == request]
        starts, ends = (int((mine["kind"] == kind).sum()) for kind in (Kind.STARTED, Kind.ENDED))
        assert starts <= ends <= starts + 2  # an end whose start was not heard; one for a job that never ran
    assert 0 <= running <= 3
    assert book.record.outstanding["running"] == 0
    book.record.close()
