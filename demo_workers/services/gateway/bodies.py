"""The shapes of what is sent and answered, as the OpenAPI document describes them.

Answers are written as plain dicts, since that is quicker; the fuzz test holds them to these shapes.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

JobId = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    """A JSON object with these members and no others."""


class Accepted(_Body):
    """The job is in. ``status`` is the job's own; ``expired`` says that nothing is known of it any more."""

    id: JobId
    status: str


class Finished(_Body):
    """The job is done."""

    id: JobId
    status: Literal["finished"]
    result: Any


class Failed(_Body):
    """The job's function raised, or its worker died."""

    id: JobId
    status: Literal["failed"]
    error: str | None


class Job(_Body):
    """A job as RQ has it; times as RFC 3339 has them, ``progress`` is what the job says of itself."""

    id: JobId
    status: str
    enqueued_at: str | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    ended_at: str | UnsetType = UNSET
    worker: str | UnsetType = UNSET
    progress: Any | UnsetType = UNSET
    result: Any | UnsetType = UNSET
    error: str | UnsetType = UNSET


class Cancelled(_Body):
    """The job was taken out of the queue before it ran."""

    id: JobId
    status: Literal["canceled"]


class Done(_Body):
    """The work was done inside the request, in ``seconds``."""

    status: Literal["finished"]
    result: Any
    seconds: float


class InlineFailed(_Body):
    """The work raised after so many ``seconds``."""

    status: Literal["failed"]
    error: str
    seconds: float


class Health(_Body):
    """``depth`` jobs wait or run; ``limit`` may, or any number."""

    status: Literal["ok"]
    depth: Annotated[int, Meta(ge=0)]
    limit: int | None


class ProblemDetails(msgspec.Struct):
    """RFC 9457; further members say more, such as ``retry_after_s``, ``depth`` and ``limit``."""

    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str
    retry_after_s: float | UnsetType = UNSET
