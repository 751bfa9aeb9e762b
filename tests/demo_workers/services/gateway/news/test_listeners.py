from __future__ import annotations

import asyncio
import random

import msgspec
import pytest

from demo_workers.services.gateway.news import listeners
from demo_workers.services.gateway.news.listeners import Listeners
from demo_workers.services.gateway.news.waiters import Ending, How, Waiters
from demo_workers.services.gateway.web.problems import Problem


async def test_news_that_nobody_takes_do_not_heap_up() -> None:
    """However much is heard, one of each kind waits: the newest, and the end last of all."""
    waiters = Waiters()
    all_listeners = Listeners(waiters)
    listener = all_listeners.add("a")
    listener.begin({"id": "a", "status": "queued"})
    for done in range(10_000):
        listener.status(random.choice(["queued", "started"]))
        listener.progress({"done": done})
    listener.status("started")
    waiters.tell("a", Ending(How.FINISHED, msgspec.Raw(b"7")))
    while not listener.over:
        await asyncio.sleep(0)
    news = listener.take()
    assert len(news) <= 4
    assert news[-1][0] == "finished"
    assert dict(news)["progress"]["progress"] == {"done": 9_999}
    assert listener.take() == []


async def test_the_same_again_is_no_news() -> None:
    """Nothing is told twice in a row, whether it was looked up or announced."""
    listener = Listeners(Waiters()).add("a")
    listener.status("started")
    assert listener.begin({"id": "a", "status": "started", "progress": {"done": 1}})["status"] == "started"
    listener.status("started")
    listener.progress({"done": 1})
    assert listener.take() == []
    assert not await listener.fresh(0.001)


@pytest.mark.parametrize(
    ("heard", "found", "news"),
    [
        ([], "queued", []),
        (["queued"], "started", []),
        (["queued", "started"], "queued", ["started"]),
        (["started"], "started", []),
    ],
)
async def test_what_was_heard_before_the_first_event_comes_after_it(
    heard: list[str], found: str, news: list[str]
) -> None:
    """The job is looked up while others speak of it: only what is newer than the look is told after it."""
    listener = Listeners(Waiters()).add("a")
    for status in heard:
        listener.status(status)
    listener.begin({"id": "a", "status": found})
    assert [name for name, _ in listener.take()] == news
    listener.status("started")
    assert [name for name, _ in listener.take()] == ([] if "started" in (found, *news) else ["started"])


async def test_a_look_that_was_overtaken_tells_nothing() -> None:
    """A start that is announced while jobs are looked up is not undone by what the look found before."""
    found = Listeners(Waiters())
    listener = found.add("a")
    listener.begin({"id": "a", "status": "queued"})
    assert found.jobs() == ["a"]
    found.started("a")
    assert list(found.unannounced("a")) == []
    assert found.jobs() == ["a"]
    assert list(found.unannounced("a")) == [listener]


async def test_listeners_are_bounded_and_leave_nothing() -> None:
    """One too many hears 503; those that leave make room, also among those who wait."""
    waiters = Waiters()
    found = Listeners(waiters)
    listening = [found.add(f"job-{n % 7}") for n in range(listeners.MOST)]
    with pytest.raises(Problem):
        found.add("one-too-many")
    for listener in listening:
        found.remove(listener)
    assert (found.count, waiters.count, found.jobs()) == (0, 0, [])
