"""The books of a fault, and the recorded table."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from demo_workers.brokers import KINDS
from demo_workers.brokers.losses import Loss, recorded

numbers = st.lists(st.integers(0, 30), max_size=60)


def test_what_was_told_is_compared_with_what_there_is() -> None:
    """1 is lost, 3 came three times, 9 was never acknowledged."""
    assert Loss.of([1, 2, 3], [2, 3, 3, 3, 9]) == Loss(
        acknowledged=3, found=3, lost=1, doubled=2, extra=1, kills=1, worst=1
    )


@given(told=numbers, found=numbers)
def test_the_books_balance(told: list[int], found: list[int]) -> None:
    """Whatever is told and found: each message is lost or found, and each copy is the first or a double."""
    loss = Loss.of(told, found)
    assert loss.acknowledged - loss.lost == loss.found - loss.extra
    assert loss.found + loss.doubled == len(found)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
def test_several_faults_are_added_up(faults: list[tuple[list[int], list[int]]]) -> None:
    """Sums, and the worst of them."""
    books = [Loss.of(*fault) for fault in faults]
    total = sum(books[1:], start=books[0])
    assert total.kills == len(books)
    assert total.lost == sum(one.lost for one in books)
    assert total.worst == max(one.lost for one in books)


def test_the_recorded_table_keeps_its_promises() -> None:
    """Where confirms or fsync promise it nothing was lost; elsewhere something was; every kind of broker is in it."""
    recording = recorded()
    assert "recorded on 20" in recording.label
    assert {row.broker for row in recording.rows} == set(KINDS)
    for row in recording.rows:
        assert row.loss.acknowledged > 0
        if row.promised:
            assert row.loss.lost == 0
    lost = {(row.setting, row.fault) for row in recording.rows if row.loss.lost}
    assert {("none", "server killed"), ("unconfirmed", "node killed"), ("aof_no", "power cut")} <= lost
    assert ("aof_no", "server killed") not in lost
