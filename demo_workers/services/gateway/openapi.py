"""``GET /openapi.json``: the table of routes as an OpenAPI 3.1 document.

Arguments and bodies are described by the very types that check them, with msgspec's own JSON schemas.
"""

from __future__ import annotations

from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec

from demo_workers.queueing.tasks import TASKS
from demo_workers.services.gateway import bodies
from demo_workers.services.gateway.news.listeners import EVENTS
from demo_workers.services.gateway.routes import ALWAYS, JOB_ID, ROUTES, Route, Said
from demo_workers.services.gateway.web.asgi import Receive, Scope
from demo_workers.services.gateway.web.heads import (
    FIRST_OWN_REQUEST,
    LONGEST_DEADLINE_S,
    LONGEST_WAIT_S,
    MAX_ATTEMPT,
    MAX_CLIENT,
)
from demo_workers.services.gateway.web.problems import JSON, Answer, answer

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_RETRY = (429, 503)

REQUEST_HEADERS: dict[str, tuple[str, Json]] = {
    "Prefer": (
        f"RFC 7240: wait=N asks to be answered when the job has ended, or after N seconds, at most {LONGEST_WAIT_S}.",
        {"type": "string", "pattern": "^wait=[0-9]{1,2}$"},
    ),
    "Idempotency-Key": (
        "Of several requests with the same key and job only the first lets a job in.",
        {"type": "string", "pattern": "^[!-~]{1,128}$"},
    ),
    "Priority": (
        "RFC 9218: u=0 to u=2 go before the others where the admission policy is priority.",
        {"type": "string", "pattern": "^u=[0-7]$"},
    ),
    "Workbook-Client": ("The client's number.", {"type": "integer", "minimum": 0, "maximum": MAX_CLIENT}),
    "Workbook-Attempt": (
        f"Number of the request, a point, number of the attempt: below {FIRST_OWN_REQUEST} and {MAX_ATTEMPT + 1}.",
        {"type": "string", "pattern": "^[0-9]{1,9}\\.[1-9][0-9]{0,3}$"},
    ),
    "Workbook-Deadline": (
        f"Seconds that the client will still wait, at most {LONGEST_DEADLINE_S}.",
        {"type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,9})?$"},
    ),
    "Last-Event-ID": ("The id of the last event that was heard.", {"type": "string", "pattern": "^[ -~]{0,128}$"}),
}

ANSWER_HEADERS: dict[str, tuple[str, Json]] = {
    "Location": ("Where the job can be looked at.", {"type": "string", "format": "uri-reference"}),
    "Preference-Applied": ("The wait that was granted.", {"type": "string"}),
    "Retry-After": ("Whole seconds, rounded up; the body has the exact number.", {"type": "integer", "minimum": 1}),
}

# tools that check streams hold each event, as an object of its fields, to this
TEXTS: dict[str, Json] = {
    "text/event-stream": {
        "type": "object",
        "description": "One event. Its data are JSON: the job's id, its status, and what else is known.",
        "properties": {
            "event": {"enum": [*EVENTS]},
            "id": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json"},
            "retry": {"type": ["integer", "string"]},
        },
        "required": ["event", "data"],
        "additionalProperties": False,
    },
    "text/plain": {"type": "string"},
}


async def describe(scope: Scope, receive: Receive) -> Answer:
    """The document."""
    return answer(200, [JSON], document())


@cache
def document() -> Json:
    """The whole document as plain values."""
    arguments = [task.args for task in TASKS.values()]
    shapes = [shape for route in ROUTES for said in route.says.values() for shape in _shapes(said)]
    _, schemas = msgspec.json.schema_components([*arguments, *shapes, bodies.ProblemDetails], ref_template=_REF)
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The Asynchronism Workbook's gateway",
            "version": version("asynchronism-workbook"),
            "description": "Lets jobs into a bounded queue of RQ workers, or says no.",
        },
        "paths": paths,
        "components": {"schemas": {**schemas, "Order": _order()}},
    }


def _operation(route: Route) -> Json:
    head = route.method == "HEAD"
    operation: Json = {
        "operationId": f"{route.operation}_head" if head else route.operation,
        "summary": route.summary,
        "responses": {str(status): _said(said, head) for status, said in route.says.items()}
        | {str(status): _problem(status, head) for status in sorted({*ALWAYS, *route.problems})},
    }
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.order:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref("Order")}}}
    return operation


def _parameters(route: Route) -> list[Json]:
    found: list[Json] = []
    if "{id}" in route.path:
        schema = {"type": "string", "pattern": f"^{JOB_ID}$"}
        found.append({"name": "id", "in": "path", "required": True, "schema": schema})
    for name in route.headers:
        description, schema = REQUEST_HEADERS[name]
        found.append({"name": name, "in": "header", "description": description, "schema": schema})
    return found


def _said(said: Said, head: bool) -> Json:
    response: Json = {"description": said.meaning}
    if said.headers:
        response["headers"] = {name: _header(name) for name in said.headers}
    if head or said.body is None:
        return response
    if isinstance(said.body, str):
        return response | {"content": {said.body: {"schema": TEXTS[said.body]}}}
    refs = [_ref(shape.__name__) for shape in said.body]
    schema = {"type": "object"} if not refs else refs[0] if len(refs) == 1 else {"oneOf": refs}
    return response | {"content": {"application/json": {"schema": schema}}}


def _problem(status: int, head: bool) -> Json:
    response: Json = {"description": HTTPStatus(status).phrase}
    if status in _RETRY:
        response["headers"] = {"Retry-After": _header("Retry-After", required=True)}
    if not head:
        response["content"] = {"application/problem+json": {"schema": _ref("ProblemDetails")}}
    return response


def _header(name: str, *, required: bool = False) -> Json:
    description, schema = ANSWER_HEADERS[name]
    return {"description": description, "required": required, "schema": schema}


def _order() -> Json:
    """A task's name together with arguments that fit this task."""
    return {
        "description": "A task and its arguments.",
        "oneOf": [
            {
                "type": "object",
                "properties": {"task": {"const": name}, "args": _ref(task.args.__name__)},
                "required": ["task", "args"],
                "additionalProperties": False,
            }
            for name, task in TASKS.items()
        ],
    }


def _ref(name: str) -> Json:
    return {"$ref": _REF.format(name=name)}


def _shapes(said: Said) -> tuple[type, ...]:
    return said.body if isinstance(said.body, tuple) else ()
