"""Where a new job goes, and who leaves for it: the promises of every policy at the place hook."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.admission import PLACE
from tests.demo_workers.policies.admission.line import Job, Line

EVENTS = ["come", "come", "come", "urgent", "take", "finish"]
happenings = st.lists(st.sampled_from(EVENTS), max_size=120)
limits = st.integers(1, 12)
crews = st.integers(0, 4)


def play(line: Line, events: list[str]) -> list[tuple[Job, bool, list[Job], int]]:
    """For each who came: the job, whether it came in, who left for it, and how many had waited."""
    story: list[tuple[Job, bool, list[Job], int]] = []
    for event in events:
        if event in ("come", "urgent"):
            job, dropped, waited = Job(len(story), event == "urgent"), len(line.dropped), len(line.waiting)
            story.append((job, line.come(job), line.dropped[dropped:], waited))
        else:
            line.take() if event == "take" else line.finish()
        assert len(line.waiting) + len(line.running) <= line.limit
    return story


@given(st.sampled_from(sorted(PLACE)), happenings, limits, crews)
def test_the_limit_is_never_passed(policy: str, events: list[str], limit: int, crew: int) -> None:
    """Waiting and running together; and with room nobody is refused and nobody leaves."""
    for job, came_in, left, _ in play(Line(policy, limit, crew), events):
        assert came_in or left == []
        assert job not in left


@given(happenings, limits, crews)
def test_fifo_serves_in_the_order_of_arrival(events: list[str], limit: int, crew: int) -> None:
    """And nobody who came in is dropped."""
    line = Line("fifo", limit, crew)
    play(line, events)
    assert line.taken + line.waiting == sorted(line.taken + line.waiting)
    assert line.dropped == []


@given(happenings, limits, crews)
def test_lifo_serves_the_newest_who_waits(events: list[str], limit: int, crew: int) -> None:
    """And nobody who came in is dropped."""
    line = Line("lifo", limit, crew)
    play(line, events)
    assert line.waiting == sorted(line.waiting, reverse=True)
    assert line.dropped == []


@given(happenings, limits, crews)
def test_drop_oldest_refuses_nobody_while_somebody_waits(events: list[str], limit: int, crew: int) -> None:
    """The one who leaves had waited longest; the others stay in the order of arrival."""
    line = Line("drop_oldest", limit, crew)
    for job, came_in, left, waited in play(line, events):
        assert came_in or waited == 0
        assert all(gone < job for gone in left)
    assert line.waiting == sorted(line.waiting)
    assert all(gone < stayed for gone in line.dropped for stayed in line.waiting)


@given(happenings, limits, crews)
def test_priority_never_puts_another_before_the_urgent(events: list[str], limit: int, crew: int) -> None:
    """Urgent ones stand first, each kind in order of arrival, and no urgent one ever leaves for another."""
    line = Line("priority", limit, crew)
    for job, came_in, left, _ in play(line, events):
        assert not any(gone.urgent for gone in left)
        assert left == [] or job.urgent
        assert came_in or not job.urgent or len(left) == 0
        assert line.waiting == sorted(line.waiting, key=lambda waiting: (not waiting.urgent, waiting.number))


@pytest.mark.parametrize(
    ("waiting", "goes"), [([True, False, False], 2), ([False], 0), ([True, True], None), ([], None)]
)
def test_an_urgent_newcomer_displaces_the_newest_that_is_not_urgent(waiting: list[bool], goes: int | None) -> None:
    """Where all who wait are urgent, or nobody waits, it is refused."""
    line = Line("priority", 5, 5)
    line.running = [Job(-n, False) for n in range(1, 6 - len(waiting))]
    line.waiting = [Job(n, urgent) for n, urgent in enumerate(waiting)]
    came_in = line.come(Job(9, True))
    assert came_in == (goes is not None)
    assert [job.number for job in line.dropped] == ([] if goes is None else [goes])


def test_after_the_limit_was_lowered_as_many_leave_as_must() -> None:
    """Two leave for one where the limit is one lower than it was; a newcomer is refused where too few wait."""
    line = Line("drop_oldest", 4, 2)
    for n in range(4):
        line.come(Job(n, False))
    line.take()
    line.take()
    line.limit = 3
    assert line.come(Job(4, False))
    assert [job.number for job in line.dropped] == [2, 3]
    line.limit = 1
    assert not line.come(Job(5, False))
