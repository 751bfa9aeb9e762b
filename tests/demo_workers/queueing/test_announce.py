"""What workers say and what the gateway hears."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest

from demo_workers.queueing.announce import (
    MAX_RESULT,
    announce_dropped,
    announce_finished,
    announce_started,
    boot_id,
    decode,
    stream_key,
)
from tests.demo_workers.queueing.place import QUEUE, Place

pytestmark = pytest.mark.live

WHO: dict[str, Any] = {"worker": f"{QUEUE}-w3", "number": 3}


async def test_what_is_said_is_heard(place: Place) -> None:
    """Every message comes back with every field, times to the nanosecond of the clock that was read."""
    before = time.monotonic()
    announce_started(place.rq, QUEUE, "a-1-1", **WHO, picked_monotonic=before)
    announce_finished(place.rq, QUEUE, "a-1-1", **WHO, ok=True, result={"followers": 3})
    announce_finished(place.rq, QUEUE, "a-2-1", **WHO, ok=False, result="ValueError: no")
    announce_finished(place.rq, QUEUE, "a-3-1", **WHO, ok=False, result="killed", returned=False)
    announce_dropped(place.rq, QUEUE, "a-4-1", **WHO)
    started, finished, failed, killed, dropped = await place.announced()
    assert (started.kind, started.job_id, started.worker, started.number) == ("started", "a-1-1", f"{QUEUE}-w3", 3)
    assert (finished.kind, finished.ok, json.loads(finished.result)) == ("finished", True, {"followers": 3})
    assert (failed.kind, failed.ok, json.loads(failed.result)) == ("finished", False, "ValueError: no")
    assert (killed.kind, killed.ok, killed.returned) == ("finished", False, False)
    assert (dropped.kind, dropped.job_id, dropped.number, dropped.returned) == ("dropped", "a-4-1", 3, False)
    assert started.picked_monotonic == before
    assert finished.returned
    assert failed.returned
    assert before <= started.t_monotonic <= finished.t_monotonic <= failed.t_monotonic <= time.monotonic()
    assert started.boot == failed.boot == boot_id()
    assert abs(started.stream_ms / 1000 - time.time()) < 5


async def test_the_fields_are_those_of_the_contract(place: Place) -> None:
    """Workers on other hosts may be of another version; one that does not say when it took a job is heard too."""
    announce_started(place.rq, QUEUE, "a-1-1", **WHO)
    announce_finished(place.rq, QUEUE, "a-1-1", **WHO, ok=True, result=None)
    (_, started), (_, finished) = await place.redis.xrange(f"{QUEUE}:announce")
    assert started.keys() == {b"k", b"job", b"worker", b"n", b"t", b"boot", b"p"}
    assert finished.keys() == (started.keys() - {b"p"}) | {b"ok", b"result"}
    earlier = {name: value for name, value in started.items() if name != b"p"}
    assert math.isnan(decode((b"1-0", earlier)).picked_monotonic)
    assert (started[b"k"], finished[b"k"], finished[b"ok"], finished[b"result"]) == (b"s", b"f", b"1", b"null")


@pytest.mark.parametrize("result", ["x" * (MAX_RESULT + 1), "ü" * MAX_RESULT, float("nan"), {1, 2}, b"raw", object()])
async def test_a_result_is_always_json_and_never_large(place: Place, result: Any) -> None:
    """Too long, no JSON, or no number: the text is JSON all the same, and at most 64 KiB."""
    announce_finished(place.rq, QUEUE, "a-1-1", **WHO, ok=True, result=result)
    (said,) = await place.announced()
    assert len(said.result.encode()) <= MAX_RESULT
    assert isinstance(json.loads(said.result), str)


async def test_strangers_entries_are_told_apart(place: Place) -> None:
    """An entry that lacks a field, or says what we never say, raises what the gateway catches."""
    announce_started(place.rq, QUEUE, "a-1-1", **WHO)
    ((entry_id, fields),) = await place.redis.xrange(stream_key(QUEUE))
    for name in fields.keys() - {b"p"}:
        with pytest.raises((KeyError, ValueError)):
            decode((entry_id, {key: value for key, value in fields.items() if key != name}))
    for change in ({b"k": b"x"}, {b"n": b"one"}, {b"t": b"now"}, {b"worker": b"\xff"}):
        with pytest.raises((KeyError, ValueError)):
            decode((entry_id, fields | change))
