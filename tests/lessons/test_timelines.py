"""Timelines are looked up in Redis: who has a post, who had it when it was taken back, and one that is damaged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import redis
from redis.exceptions import ResponseError

from demo_workers.queueing.connection import connect
from demo_workers.queueing.tasks import fan_out_into
from demo_workers.services.servers.redis_server import RedisServer, make_runtime_directory
from lessons import timelines

pytestmark = pytest.mark.live
QUEUE, FOLLOWERS = "chirp", 9


@pytest.fixture
async def connection() -> AsyncIterator[redis.Redis]:
    """To a server of the test's own."""
    server = RedisServer(make_runtime_directory(), environ={"PATH": ""})
    await server.start()
    client = connect(server.address)
    yield client
    client.close()
    await server.stop()


def post(connection: redis.Redis, text: str) -> None:
    """As the job does it, without its pause."""
    fan_out_into(connection, QUEUE, text, "you", FOLLOWERS, 0.0)


async def test_a_post_is_taken_back_from_those_who_have_it(connection: redis.Redis) -> None:
    """It alone; another post stays where it is."""
    post(connection, "first")
    post(connection, "second")
    assert timelines.with_post(connection, QUEUE, "second", FOLLOWERS) == FOLLOWERS
    assert timelines.take_back(connection, QUEUE, "you: second", FOLLOWERS) == FOLLOWERS
    assert timelines.take_back(connection, QUEUE, "you: second", FOLLOWERS) == 0
    assert timelines.with_post(connection, QUEUE, "first", FOLLOWERS) == FOLLOWERS


async def test_a_damaged_timeline_stops_a_post_half_way(connection: redis.Redis) -> None:
    """Those before it have the post; it can be taken back all the same, and clearing mends everything."""
    timelines.spoil(connection, QUEUE, 4)
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        post(connection, "half way")
    assert timelines.take_back(connection, QUEUE, "you: half way", FOLLOWERS) == 4
    timelines.clear(connection, QUEUE, FOLLOWERS)
    post(connection, "mended")
    assert timelines.with_post(connection, QUEUE, "mended", FOLLOWERS) == FOLLOWERS


async def test_a_web_server_may_write_one_timeline_itself(connection: redis.Redis) -> None:
    """It stands there as the job would have put it, newest first, on no other timeline, and goes by itself."""
    post(connection, "first")
    timelines.put(connection, QUEUE, 2, "you: second")
    assert timelines.posts(connection, QUEUE, 2) == ["you: second", "you: first"]
    assert timelines.posts(connection, QUEUE, 3) == ["you: first"]
    assert timelines.posts(connection, QUEUE, FOLLOWERS) == []
    timelines.put(connection, QUEUE, FOLLOWERS, "you: own")
    assert 0 < connection.ttl(f"{QUEUE}:timeline:{FOLLOWERS}") <= timelines.LIVES_S
