from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from demo_workers.queueing.tasks import TASKS, decode_args
from demo_workers.services.gateway.openapi import document
from demo_workers.services.gateway.routes import ROUTES, Route, Table
from demo_workers.services.gateway.web import heads
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import ask

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def order_errors(order: Any) -> list[str]:
    """What the document has against a body."""
    whole = document()
    schema = {"$ref": "#/components/schemas/Order", "components": whole["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(order)]


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_the_document_is_served_as_it_is(idle_system: System) -> None:
    """OpenAPI 3.1, the same as the module makes; every reference in it leads somewhere."""
    reply = await ask(idle_system.url, "GET", "/openapi.json")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.body == json.loads(json.dumps(document()))
    assert reply.body["openapi"] == "3.1.0"
    for part in json.dumps(reply.body).split('"$ref": "')[1:]:
        name = part.partition('"')[0].removeprefix("#/components/schemas/")
        assert name in reply.body["components"]["schemas"]


@pytest.mark.live
@pytest.mark.asyncio(loop_scope="module")
async def test_document_and_routes_are_equal(idle_system: System) -> None:
    """Each path allows exactly the methods that the document has for it, and no other path is served."""
    for path, operations in document()["paths"].items():
        wanted = {method.upper() for method in operations}
        for method in METHODS:
            reply = await ask(idle_system.url, method, path.replace("{id}", "x"), {"content-length": "0"})
            if method in wanted:
                assert reply.status != 405, (method, path)
            else:
                assert reply.status == 405, (method, path)
                assert set(reply.headers["allow"].split(", ")) == wanted
    for path in ("/", "/jobs/", "/jobs/x/", "/jobs/x/events/", "/openapi", "/sync/x"):
        assert (await ask(idle_system.url, "GET", path)).status == 404
    assert idle_system.log == ""


def test_a_route_without_a_handler_is_found() -> None:
    """The table refuses to be made."""
    with pytest.raises(KeyError, match="post_job"):
        Table({})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_operation_says_all_it_may_answer(route: Route) -> None:
    """Whatever is good, what can be wrong with any request, and how long to wait where that is told."""
    operation = document()["paths"][route.path][route.method.lower()]
    answers = operation["responses"]
    assert {int(status) for status in answers} >= {*route.says, *route.problems, 400, 408, 431, 503}
    for status in ("429", "503"):
        if status in answers:
            assert answers[status]["headers"]["Retry-After"]["required"]
    assert ("requestBody" in operation) == route.order
    if route.order:
        assert {411, 413, 415, 422} <= {int(status) for status in answers}


def test_posting_a_job_is_described_with_all_its_headers() -> None:
    """Those that are read, and those that are answered."""
    operation = document()["paths"]["/jobs"]["post"]
    named = {parameter["name"] for parameter in operation["parameters"]}
    assert named == {
        *("Prefer", "Idempotency-Key", "Priority"),
        *("Workbook-Client", "Workbook-Attempt", "Workbook-Deadline"),
    }
    answers = operation["responses"]
    assert {"Location", "Preference-Applied"} <= answers["202"]["headers"].keys()
    assert {"200", "202", "400", "422", "429", "503"} <= answers.keys()


def test_the_headers_described_are_headers_understood() -> None:
    """Examples at the bounds of what the document allows are taken by the code that reads them."""
    head = heads.read(
        [
            (b"prefer", b"wait=30"),
            (b"workbook-client", str(heads.MAX_CLIENT).encode()),
            (b"workbook-attempt", b"999999999.9999"),
            (b"workbook-deadline", b"999.999999999"),
            (b"idempotency-key", b"!" * 128),
            (b"priority", b"u=0"),
        ]
    )
    assert heads.name(head, lambda: 0) == (999_999_999, 9999, heads.MAX_CLIENT)
    assert heads.wait_s(head) == heads.LONGEST_WAIT_S
    assert heads.urgent(head)
    assert heads.key_digest(head, "run")
    assert heads.deadline_s(head) == pytest.approx(999.999999999)


@pytest.mark.parametrize(
    "order",
    [
        {"task": "work", "args": {"service_time_s": 0}},
        {"task": "work", "args": {"service_time_s": 60, "kind": "cpu"}},
        {"task": "work", "args": {"service_time_s": 61}},
        {"task": "work", "args": {"service_time_s": -1}},
        {"task": "work", "args": {"service_time_s": "1"}},
        {"task": "work", "args": {"service_time_s": 1, "colour": "blue"}},
        {"task": "work", "args": {"service_time_s": 1}, "colour": "blue"},
        {"task": "work", "args": {}},
        {"task": "work"},
        {"task": "nonsense", "args": {}},
        {"task": "fan_out", "args": {"service_time_s": 1}},
        {"task": "fan_out", "args": {"post": "x", "author": "a", "followers": 1}},
        {"task": "fan_out", "args": {"post": "", "author": "a", "followers": 1}},
        {"task": "fan_out", "args": {"post": "x", "author": "a" * 41, "followers": 1}},
        {"task": "fan_out", "args": {"post": "x", "author": "a", "followers": 1.5}},
        {"task": "fan_out", "args": {"post": "é" * 280, "author": "a", "followers": 5000, "write_ms": 20}},
        [],
    ],
)
def test_the_document_takes_what_the_door_takes(order: Any) -> None:
    """A body is right by the document exactly when it is right by the types that check it."""
    try:
        right = set(order) == {"task", "args"} and order["task"] in TASKS
        right = right and decode_args(order["task"], json.dumps(order["args"]).encode()) is not None
    except (msgspec.ValidationError, TypeError):
        right = False
    assert (order_errors(order) == []) == right
