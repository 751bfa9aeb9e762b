"""What is where, and exact counts."""

from __future__ import annotations

import random
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from lessons.show.flow.board import Board, Counts, Place
from lessons.show.flow.steps import Does, Step

SENT, HELD, DELIVERED, DONE, RETURNED = Does.SENT, Does.HELD, Does.DELIVERED, Does.DONE, Does.RETURNED


def board(*steps: Step) -> Board:
    """A board that was told these."""
    made = Board()
    made.feed(steps)
    return made


def counts(**more: int) -> Counts:
    """Counts that are zero but for these."""
    return Counts(**more)


def test_a_job_goes_from_place_to_place_and_leaves() -> None:
    """On its way, in the queue, at a worker, done: it is in one place at a time."""
    steps = [Step(0, SENT, 7), Step(1, HELD, 7), Step(2, DELIVERED, 7, lane=1), Step(3, DONE, 7, lane=1)]
    seen = []
    for n in range(1, 4):
        (copy,) = board(*steps[:n]).copies.values()
        seen.append(copy.place)
    assert seen == [Place.ON_ITS_WAY, Place.QUEUE, Place.WORKER]
    assert board(*steps).copies == {}
    assert board(*steps).counts() == counts(sent=1, held=1, delivered=1, done=1)


def test_a_refused_try_leaves_and_its_client_waits_until_the_next() -> None:
    """503, a pause, then a retry that counts as one."""
    steps = [Step(0, SENT, 7), Step(1, Does.REFUSED, 7), Step(1, Does.WAITING, 7, pause_s=2.0)]
    assert board(*steps).copies == {}
    assert board(*steps).counts() == counts(sent=1, refused=1, waiting=1)
    again = board(*steps, Step(3, SENT, 7, nth=2))
    assert again.counts() == counts(sent=2, retries=1, refused=1)
    assert board(*steps, Step(3, Does.GAVE_UP, 7)).counts() == counts(sent=1, refused=1, gave_up=1)


def test_what_nobody_waits_for_is_a_ghost_until_it_ends() -> None:
    """Patience is over in the queue; the job stays, is executed and leaves."""
    steps = [Step(0, SENT, 7), Step(1, HELD, 7), Step(2, Does.ABANDONED, 7), Step(3, DELIVERED, 7, lane=0)]
    assert board(*steps).counts().ghosts == 1
    assert board(*steps, Step(4, DONE, 7, lane=0)).counts() == counts(sent=1, held=1, delivered=1, done=1)


def test_a_message_given_back_is_a_new_delivery_of_the_same() -> None:
    """Nack, reaper: the consumer has it no more, and its end counts once."""
    steps = [Step(0, SENT, 7), Step(1, HELD, 7), Step(2, DELIVERED, 7, lane=0), Step(3, RETURNED, 7, nth=2, lane=0)]
    assert list(board(*steps).copies) == [(7, 2)]
    ended = board(*steps, Step(4, DELIVERED, 7, nth=2, lane=1), Step(5, DONE, 7, nth=2, lane=1))
    assert ended.copies == {}
    assert ended.counts() == counts(sent=1, held=1, delivered=2, returned=1, done=1)


def test_a_slow_consumer_and_the_next_one_both_have_it_and_both_do_it() -> None:
    """Visibility is over though nobody gave it back: two copies, done twice."""
    slow = [Step(0, SENT, 7), Step(1, HELD, 7), Step(2, DELIVERED, 7, lane=0), Step(3, RETURNED, 7, nth=2)]
    both = [*slow, Step(4, DELIVERED, 7, nth=2, lane=1)]
    assert board(*both).counts().at_work == 2
    ended = board(*both, Step(5, DONE, 7, lane=0), Step(6, DONE, 7, nth=2, lane=1))
    assert (ended.copies, ended.counts().done, ended.counts().twice) == ({}, 2, 1)


def test_an_end_elsewhere_does_not_take_it_from_the_worker_that_has_it() -> None:
    """A dead worker's loss is told late, when another one is at the job."""
    steps = [Step(0, SENT, 7), Step(1, HELD, 7), Step(2, DELIVERED, 7, lane=0), Step(3, DELIVERED, 7, lane=1)]
    assert board(*steps, Step(4, Does.LOST, 7, lane=0)).counts().at_work == 1


@given(st.permutations([Step(0, SENT, 7), Step(1, HELD, 7), Step(2, DELIVERED, 7, lane=1), Step(3, DONE, 7, lane=1)]))
def test_steps_may_come_in_any_order(steps: list[Step]) -> None:
    """Whatever is told late: nothing is left, and everything was counted once."""
    told = board(*steps)
    assert told.copies == {}
    assert told.counts() == counts(sent=1, held=1, delivered=1, done=1)


@given(st.permutations([Step(0, SENT, 7), Step(1, Does.REFUSED, 7)]))
def test_a_refusal_may_be_told_before_its_sending(steps: list[Step]) -> None:
    """The gateway's row may be read first."""
    assert board(*steps).copies == {}


def test_a_try_of_which_nothing_is_heard_is_forgotten_in_the_end() -> None:
    """A connection that broke must not stand before the gateway for ever."""
    told = board(Step(0, SENT, 7), Step(9, SENT, 8))
    told.forget(11.0)
    assert list(told.copies) == [(8, 1)]


def test_a_canvas_that_has_missed_everything_can_be_put_right() -> None:
    """The steps of now alone make the same board, ghosts, pauses and dead consumers included."""
    rng = random.Random(5)
    told = Board()
    for n in range(40):
        life = [Step(n, SENT, n), Step(n, HELD, n), Step(n, DELIVERED, n, lane=n % 3), Step(n, DONE, n, lane=n % 3)]
        told.feed(life[: rng.randint(1, 4)])
        told.feed([Step(n, Does.ABANDONED, n)] * (n % 5 == 0))
    told.feed([Step(50, Does.WAITING, 99, pause_s=3), Step(51, Does.DIED, lane=1)])
    again = board(*told.now())
    places = [{key: (copy.place, copy.ghost) for key, copy in b.copies.items()} for b in (told, again)]
    assert places[0] == places[1]
    assert len(places[0]) > 5
    assert (told.waiting, told.dead) == (again.waiting, again.dead)
    assert board(*told.now(), Step(52, Does.CAME, lane=1)).dead == {}


def test_memory_is_bounded() -> None:
    """What came from nowhere and left is not remembered for ever; counting goes on."""
    told = Board()
    told.feed(Step(n, DONE, n, lane=0) for n in range(20_000))
    assert asdict(told.counts()) == asdict(counts(done=20_000))
