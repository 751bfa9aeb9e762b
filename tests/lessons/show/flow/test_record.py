"""The load lab's record in the words of the flow view."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_workers.records.events import EVENT, ClientOutcome, Events, Kind, Outcome, Result
from demo_workers.scenario import Load, Retry, Scenario, Service
from lessons.show.flow.board import Board
from lessons.show.flow.record import Boxes, Reader
from lessons.show.flow.steps import Does, Step
from tests.lessons.runs import modelled
from tests.lessons.show.event_source import play

CLIENTS = (Kind.SENT, Kind.ANSWERED, Kind.HELD_BACK)


def row(kind: Kind, **columns: float) -> Events:
    """One row of request 3."""
    made = np.zeros(1, EVENT)
    given = {"request": 3, "attempt": 1, "actor": -1, "t": 1.0, "value": np.nan} | columns
    made["kind"] = kind
    for name, value in given.items():
        made[name] = value
    return made


def polled(events: Events, rng: random.Random) -> Iterator[Events]:
    """Batches as a panel reads them: each of two files up to anywhere, in the order of writing."""
    ordered = events[np.argsort(np.where(np.isnan(events["t"]), events["value"], events["t"]), kind="stable")]
    of_clients = np.isin(ordered["kind"], CLIENTS)
    files, at = (ordered[of_clients], ordered[~of_clients]), [0, 0]
    while at[0] < len(files[0]) or at[1] < len(files[1]):
        # the file that is read later is read further
        until = ordered["t"][min(sum(at) + rng.randint(1, 40), len(ordered) - 1)]
        ends = [int(np.sum(file["t"] <= until + late)) for file, late in zip(files, (0.0, 0.002), strict=True)]
        ends = [max(a, end) for a, end in zip(at, ends, strict=True)]
        if ends == at:
            ends = [len(file) for file in files]
        yield np.concatenate([file[a:end] for file, a, end in zip(files, at, ends, strict=True)])
        at = ends


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([20.0, 60.0, 90.0]),
    limit=st.sampled_from([None, 3, 12]),
    attempts=st.integers(1, 4),
    patience_s=st.sampled_from([None, 0.2]),
)
def test_counters_equal_the_ledger_and_the_canvas_is_empty_in_the_end(
    seed: int, rate: float, limit: int | None, attempts: int, patience_s: float | None
) -> None:
    """However the rows were read: every admitted job that ended has left, and each count is the record's own."""
    scenario = Scenario(
        load=Load(arrival_rate=rate, duration_s=2.0),
        service=Service(service_time_s=0.05),
        retry=Retry(policy="full", attempts=attempts, base_s=0.1, timeout_s=patience_s),
        seed=seed,
    ).steered(limit=limit)
    run = modelled(scenario)
    board, reader = Board(), Reader(scenario.service.workers)
    for rows in polled(run.events, random.Random(seed)):
        board.feed(reader.steps(rows))
        inside = board.counts()
        assert inside.at_work <= scenario.service.workers
    board.forget(1e9)  # tries that were cut off on their way
    n, ledger = board.counts(), run.ledger.counts
    assert board.copies == {}
    assert (n.in_queue, n.at_work, n.ghosts) == (0, 0, 0)
    assert (n.sent, n.held, n.refused) == (ledger["attempts"], ledger["admitted"], ledger["shed"])
    assert (n.done, n.failed, n.lost) == (ledger["completed"], ledger["failed"], ledger["lost"])
    assert n.removed == ledger["dropped"] + ledger["cancelled"]
    assert n.answered == ledger["requests_succeeded"]
    assert n.retries == ledger["attempts"] - ledger["requests"]
    assert n.waiting == 0


def test_a_lost_row_is_a_difference_from_the_ledger() -> None:
    """The comparison can fail: without one admission the counts differ from the whole record's."""
    scenario = Scenario(load=Load(arrival_rate=60, duration_s=1.0)).steered(limit=12)
    whole, less = modelled(scenario), modelled(scenario, lose=Kind.DECIDED)
    board = Board()
    board.feed(Reader(3).steps(less.events))
    assert board.counts().held == whole.ledger.counts["admitted"] - 1


def test_steps_come_in_the_order_of_their_times() -> None:
    """Two files were read one after the other."""
    times = [step.t for step in Reader(3).steps(play(Scenario(load=Load(duration_s=1.0))).events)]
    assert times == sorted(times)
    assert len(times) > 50


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_never_more_inside_than_the_limit_although_ends_are_told_late(seed: int) -> None:
    """Workers' announcements take 10 ms to the record: steps of the last 30 ms wait, or a place would count twice."""
    scenario = Scenario(
        load=Load(arrival_rate=150, duration_s=3.0), service=Service(service_time_s=0.03), seed=seed
    ).steered(limit=8)
    rows = play(scenario).events
    read_s = rows["t"] + np.where(rows["kind"] == Kind.ENDED, 0.01, 0.0)

    def deepest(behind_s: float) -> int:
        board, reader, most = Board(), Reader(3), 0
        for now in np.arange(0.05, 3.0, 0.02):
            new = rows[(read_s > now - 0.02) & (read_s <= now)]
            board.feed(reader.steps(new, now - behind_s))
            counts = board.counts()
            most = max(most, counts.in_queue + counts.at_work)
        return most

    assert deepest(0.03) == 8
    assert deepest(0.0) > 8


@pytest.mark.parametrize(
    ("code", "value", "kinds"),
    [
        (ClientOutcome.SUCCEEDED, np.nan, [Does.ANSWERED]),
        (ClientOutcome.REFUSED, 0.4, [Does.WAITING]),
        (ClientOutcome.REFUSED, np.nan, [Does.GAVE_UP]),
        (ClientOutcome.TIMED_OUT, 0.4, [Does.ABANDONED, Does.WAITING]),
        (ClientOutcome.TIMED_OUT, np.nan, [Does.ABANDONED, Does.GAVE_UP]),
        (ClientOutcome.ERRORED, np.nan, [Does.ABANDONED, Does.GAVE_UP]),
    ],
)
def test_an_answer_says_what_its_client_does_next(code: ClientOutcome, value: float, kinds: list[Does]) -> None:
    """Be content, wait for as long as the record says, or give up."""
    steps = Reader(3).steps(row(Kind.ANSWERED, code=code, value=value))
    assert [step.kind for step in steps] == kinds
    assert [step.pause_s for step in steps if step.kind is Does.WAITING] == [0.4] * (Does.WAITING in kinds)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (Outcome.ADMITTED, Does.HELD),
        (Outcome.SHED, Does.REFUSED),
        (Outcome.THROTTLED, Does.REFUSED),
        (Outcome.DUPLICATE, Does.KNOWN),
    ],
)
def test_the_gateways_decisions(code: Outcome, kind: Does) -> None:
    """503 and 429 turn back, a key of an earlier request is known."""
    assert [step.kind for step in Reader(3).steps(row(Kind.DECIDED, code=code))] == [kind]


def test_a_job_that_never_returned_ends_when_it_left() -> None:
    """Its end has no time of its own, so that of its leaving counts; it had no worker."""
    rows = row(Kind.ENDED, code=Result.CANCELLED, t=np.nan, value=2.5)
    assert Reader(3).steps(rows) == [Step(2.5, Does.REMOVED, 3, 1, -1)]


def test_a_workers_number_finds_its_box() -> None:
    """A replaced worker's successor takes the box that was quiet for longest; others keep theirs."""
    boxes = Boxes(2)
    assert [boxes.of(worker) for worker in (4, 9, 4, 9, 4)] == [0, 1, 0, 1, 0]
    assert boxes.of(17) == 1
    assert boxes.of(4) == 0
    boxes.resize(3)
    assert boxes.of(20) == 2
    boxes.resize(1)
    assert boxes.of(21) == 0
    boxes.resize(0)
    assert boxes.of(21) == -1
