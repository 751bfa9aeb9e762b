"""Generated bad requests. Other ones than last time: ``--hypothesis-seed=N`` or ``--hypothesis-seed=random``."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, ask, request, talk

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

AT_ONCE = 10
EXAMPLES = 30
ANSWER_S = 0.2
"""What has no answer by then is waiting for the rest of its request."""

junk = st.binary(min_size=1, max_size=200)
line = junk.map(lambda data: re.sub(rb"[\x00\r\n]", b"?", data))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -1, 1e308, 61]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["task", "args", "kind"]), inner),
    max_leaves=20,
)


def post(headers: dict[str, str] | None = None, body: bytes = WORK) -> bytes:
    """A request that is fine but for what is given."""
    return request("POST", "/jobs", headers, body)


def with_header(name: str, value: bytes) -> bytes:
    """A good request with one more header."""
    return post().replace(b"\r\n", b"\r\n" + name.encode() + b": " + value + b"\r\n", 1)


def dumps(value: object) -> bytes:
    """JSON as Python writes it: NaN, lone surrogates and all."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


bad_requests = st.one_of(
    junk,
    st.from_regex(rb"[A-Z]{1,10}", fullmatch=True)
    .filter(lambda method: method not in (b"POST", b"HEAD"))
    .map(lambda method: method + b" /jobs HTTP/1.1\r\nhost: w\r\n\r\n"),
    line.map(lambda path: b"GET /%b HTTP/1.1\r\nhost: w\r\n\r\n" % path),
    line.map(lambda version: b"GET /jobs %b\r\nhost: w\r\n\r\n" % version),
    st.integers(17_000, 200_000).map(lambda size: with_header("x", b"y" * size)),
    st.integers(17_000, 200_000).map(lambda size: b"GET /healthz HTTP/1.1\r\nx: " + b"y" * size),
    st.integers(3000, 20_000).map(lambda lines: with_header("x", b"\r\n".join([b"y", *[b"z: 1"] * lines]))),
    st.sampled_from(["-1", "+5", "1e3", "0x10", "5, 5", "9" * 30, "abc", "5 5"]).map(
        lambda length: post({"content-length": length})
    ),
    st.integers(0, 46).map(lambda length: post({"content-length": str(length)})),
    st.integers(48, 60_000).map(lambda length: post({"content-length": str(length)})),
    junk.map(lambda body: post({"content-length": "", "transfer-encoding": "chunked"}, body)),
    st.sampled_from(["gzip", "chunked, gzip", "chunked", "x"]).map(lambda coding: post({"transfer-encoding": coding})),
    junk.map(lambda body: post(None, body)),
    json_values.map(lambda value: post(None, dumps(value))),
    json_values.map(lambda value: post(None, dumps({"task": value, "args": {}}))),
    json_values.map(lambda value: post(None, dumps({"task": "work", "args": value}))),
    json_values.filter(lambda value: not isinstance(value, int | float) or not 0 <= value <= 60).map(
        lambda value: post(None, dumps({"task": "work", "args": {"service_time_s": value}}))
    ),
    json_values.map(lambda value: post(None, dumps({"task": "fan_out", "args": {"post": value, "followers": value}}))),
    st.tuples(st.sampled_from([b"[", b'{"task":', b'{"task": "work", "args": [']), st.integers(1, 4000)).map(
        lambda nested: post(None, nested[0] * nested[1])
    ),
    st.tuples(st.sampled_from(["workbook-attempt", "workbook-client"]), line)
    .filter(lambda header: not re.fullmatch(rb"\s*[0-9]*(\.[0-9]+)?\s*", header[1]))
    .map(lambda header: with_header(*header)),
    line.filter(lambda kind: b"json" not in kind.lower()).map(
        lambda kind: post({"content-type": ""}).replace(b"\r\n", b"\r\ncontent-type: %b\r\n" % kind, 1)
    ),
)


async def provoke(url: str, data: bytes) -> int | None:
    """Send and hear the status; None if the connection was closed, or closes when we have no more to say."""
    async with talk(url) as connection:
        connection.send(data)
        try:
            reply = await asyncio.wait_for(connection.reply(), ANSWER_S)
        except TimeoutError:
            connection.writer.write_eof()
            reply = await asyncio.wait_for(connection.reply(), 5)
        return None if reply is None else reply.status


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(requests=st.lists(bad_requests, min_size=AT_ONCE, max_size=AT_ONCE))
async def test_bad_requests_are_refused_and_do_no_harm(system: System, requests: list[bytes]) -> None:
    """Each is answered with a 4xx or a close; nothing is logged and the gateway goes on."""
    statuses = await asyncio.gather(*(provoke(system.url, data) for data in requests))
    assert all(status is None or 400 <= status < 500 for status in statuses), statuses
    assert system.log == ""
    assert (await ask(system.url, "GET", "/healthz")).status == 200
