"""A job with an effect that can be counted: a letter, which is a line in a Redis list beside the queue."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import msgspec
import redis
from rq import get_current_job
from rq.job import Job

from demo_workers.errors import LabError

LIVES_S = 600
"""How long a list of letters and a stored post stay after the last word about them."""


class Entry(NamedTuple):
    """A line of the list.

    Attributes:
        what: ``begun`` (somebody is at the letter) or ``sent`` (it has left).
        to: whose letter.
        text: what it says; empty at the beginning.
        t: when (CLOCK_MONOTONIC seconds).
        by: name of the worker.
    """

    what: str
    to: str
    text: str
    t: float
    by: str = ""


def letters_key(queue: str) -> str:
    """The list that the jobs of a queue write to."""
    return f"{queue}:letters"


def post_key(queue: str, post: str) -> str:
    """Where ``send_stored`` looks for a post's text."""
    return f"{queue}:post:{post}"


def send(to: str, text: str, work_s: float = 0.0, bug: bool = False) -> str:
    """Work for a while, then send a letter; returns its text.

    Args:
        to: whose letter.
        text: what it says.
        work_s: how long writing it takes, seconds.
        bug: fail instead of sending, as a mistake in the code would.

    Raises:
        ValueError: as asked for.
    """
    job = _job()
    _note(job, "begun", to, "")
    time.sleep(work_s)
    if bug:
        raise ValueError(f"the letter to {to} has no address")
    _note(job, "sent", to, text)
    return text


def send_stored(to: str, post: str) -> str:
    """Send a letter with the text that a post has now.

    Args:
        to: whose letter.
        post: the post's name; the job looks the text up when it runs.

    Raises:
        LookupError: there is no such post any more.
    """
    job = _job()
    stored: Any = job.connection.get(post_key(job.origin, post))
    if stored is None:
        raise LookupError(f"post = {post!r}: must be stored. It has been deleted.")
    _note(job, "sent", to, stored.decode())
    return str(stored.decode())


def read(connection: redis.Redis, queue: str) -> list[Entry]:
    """All that was written, in order.

    Args:
        connection: where the list is.
        queue: whose jobs wrote it.
    """
    lines: Any = connection.lrange(letters_key(queue), 0, -1)
    return [msgspec.json.decode(line, type=Entry) for line in lines]


def _job() -> Job:
    job = get_current_job()
    if job is None:
        raise LabError("current job = None: must be a job that an RQ worker runs. Enqueue it.")
    return job


def _note(job: Job, what: str, to: str, text: str) -> None:
    key = letters_key(job.origin)
    entry = Entry(what, to, text, time.monotonic(), job.worker_name or "")
    with job.connection.pipeline(transaction=False) as pipeline:
        pipeline.rpush(key, msgspec.json.encode(entry))
        pipeline.expire(key, LIVES_S)
        pipeline.execute()
