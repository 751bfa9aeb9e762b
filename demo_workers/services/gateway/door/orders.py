"""The body of ``POST /jobs`` and ``POST /sync``: a task and its arguments, checked against the task's own type."""

from __future__ import annotations

from typing import Any

import msgspec

from demo_workers.queueing.tasks import UnknownTask, decode_args
from demo_workers.services.gateway.web import heads
from demo_workers.services.gateway.web.asgi import Receive, read_body
from demo_workers.services.gateway.web.heads import Head
from demo_workers.services.gateway.web.http_protocol import MAX_BODY
from demo_workers.services.gateway.web.problems import Problem


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    """The body. The arguments are looked at once the task is known."""

    task: str
    args: msgspec.Raw = msgspec.Raw(b"{}")


_order = msgspec.json.Decoder(_Order)


async def read_order(head: Head, receive: Receive) -> tuple[str, dict[str, Any]]:
    """Task and arguments out of the body.

    Raises:
        Problem: 400, 411, 413, 415 or 422.
        ClientGone: the client hung up before it had said all.
    """
    heads.check_body(head)
    body = await read_body(receive, MAX_BODY)
    if body is None:
        raise heads.too_large()
    try:
        order = _order.decode(body)
        return order.task, decode_args(order.task, order.args)
    except (msgspec.DecodeError, UnknownTask, UnicodeError, RecursionError) as error:
        raise _misfit(body, error) from None


def _misfit(body: bytes, error: Exception) -> Problem:
    """The problem with a body that could not be decoded: 400 if it is no JSON at all, else 422."""
    try:
        # a decoder that knows its type may meet a wrong type before it meets broken JSON
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as broken:
        return Problem(400, f"The body is not JSON: {broken}.")
    if isinstance(error, UnknownTask):
        return Problem(422, str(error))
    return Problem(422, f'{error}. Ask with {{"task": name, "args": {{...}}}}.')
