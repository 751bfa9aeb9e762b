"""Section b ★: a killed consumer takes a popped message with it, and a held one comes again; each check can fail."""

from __future__ import annotations

from typing import Any

import pytest
import redis as client

from demo_workers.services.servers.redis_server import URL
from lessons import message_queues
from lessons.check.claims import ClaimError
from lessons.message_queues import Lesson, check_by_hand, check_killed, check_repaired
from lessons.message_queues.by_hand import POSTS, ByHand, Handle
from lessons.message_queues.deaths import LIST, SAFE_LIST, STREAM, Killed


def publish(redis: client.Redis, post: str) -> None:
    """As in the notebook."""
    redis.lpush("posts", post)


def consume(redis: client.Redis, handle: Handle) -> None:
    """As in the notebook."""
    while popped := redis.brpop(["posts"], timeout=0.1):
        post: Any = popped[1]
        handle(post.decode())


@pytest.mark.live
async def test_ten_lines_are_a_queue(lesson: Lesson) -> None:
    """Twice, for nothing of the first time may be in the way."""
    for _ in range(2):
        seen = await message_queues.run_by_hand(lesson, publish, consume)
        check_by_hand(seen)
        assert "lunch?" in str(seen)


@pytest.mark.live
@pytest.mark.faults
async def test_a_popped_message_dies_with_its_consumer(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """The star of the notebook, three times; the checked lines hold no digit, and the books are kept."""
    for _ in range(3):
        killed = await message_queues.kill_a_consumer(lesson)
        capsys.readouterr()
        check_killed(killed)
        assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    assert "nowhere in Redis" in str(killed)
    assert lesson.measured[LIST].lost == 1


@pytest.mark.live
@pytest.mark.faults
async def test_a_held_message_comes_again(lesson: Lesson) -> None:
    """From the dead consumer's own list, and from the stream."""
    repaired = await message_queues.kill_repaired(lesson)
    check_repaired(repaired)
    assert [one.kind for one in repaired] == [SAFE_LIST, STREAM]
    assert "in a list" in str(repaired[0])
    assert "in a stream" in str(repaired[1])


@pytest.mark.live
async def test_the_chapter_never_uses_a_server_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ``WORKBOOK_REDIS_URL`` names is left alone."""
    monkeypatch.setenv(URL, "redis://127.0.0.1:1/0")
    lesson = await message_queues.open_lesson()
    try:
        assert await lesson.stack.connection.ping()
    finally:
        await lesson.close()


GONE = Killed(LIST, True, True, (), (0, 2, 3, 4))
KEPT = Killed(STREAM, True, True, ("in a stream",), (0, 2, 3, 4, 1), 1.3)

BAD_KILLED: dict[str, dict[str, Any]] = {
    "by SIGKILL": {"signalled": False},
    "in its hands": {"in_hand": False},
    "no key in Redis": {"held_in": ("in a list",)},
    "did all the others": {"done": (0, 2, 3)},
    "that one post is lost": {"done": (0, 1, 2, 3, 4)},
}

BAD_REPAIRED: dict[str, dict[str, Any]] = {
    "both consumers were killed": {"signalled": False},
    "a key in Redis still had": {"held_in": ()},
    "not before its lease": {"again_s": 0.2},
    "it was delivered again": {"again_s": None},
    "every post was done": {"done": (0, 2, 3, 4)},
    "and none twice": {"done": (0, 2, 3, 4, 1, 1)},
}

BAD_QUEUES = {
    "all three posts waited": ByHand(2, list(POSTS), 0),
    "the first one first": ByHand(3, list(POSTS[::-1]), 0),
    "the list is empty": ByHand(3, list(POSTS), 1),
}


def test_true_deaths_pass() -> None:
    """As they are on an idle machine."""
    check_killed(GONE)
    check_repaired([KEPT._replace(kind=SAFE_LIST), KEPT])
    check_by_hand(ByHand(3, list(POSTS), 0))


@pytest.mark.parametrize("claim", BAD_KILLED)
def test_each_claim_about_the_kill_can_fail(claim: str) -> None:
    """By one thing that went otherwise."""
    with pytest.raises(ClaimError, match=claim):
        check_killed(GONE._replace(**BAD_KILLED[claim]))


@pytest.mark.parametrize("claim", BAD_REPAIRED)
def test_each_claim_about_the_repairs_can_fail(claim: str) -> None:
    """By one of the two."""
    with pytest.raises(ClaimError, match=claim):
        check_repaired([KEPT, KEPT._replace(**BAD_REPAIRED[claim])])


@pytest.mark.parametrize("claim", BAD_QUEUES)
def test_each_claim_about_the_ten_lines_can_fail(claim: str) -> None:
    """By one number that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        check_by_hand(BAD_QUEUES[claim])
