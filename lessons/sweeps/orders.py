"""A sweep's dealings with RQ: jobs go out, answers come in, and nothing stays behind."""

from __future__ import annotations

import secrets
import time
from collections import deque
from collections.abc import Mapping, Sequence
from math import ceil

import msgspec
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job
from rq.results import Result
from rq.serializers import JSONSerializer

from demo_workers.queueing.announce import stream_key
from demo_workers.queueing.connection import connect
from demo_workers.scenario import Scenario
from lessons.sweeps.job import PATH, to_plain
from lessons.sweeps.plan import Answer, Piece, expected_requests
from lessons.twin import Overheads

AHEAD = 512
"""Jobs that wait in Redis at a time; the others follow."""
TRIES = 3
"""How often a piece is given out whose workers die at it."""
WANTED_S = 120
"""A sweep that has not been heard of for so long is forgotten: its owner has died."""
KEEP_S = 600
"""How long an answer that nobody fetches stays in Redis."""
LOOK_FOR_LOST_S = 1.0
SPARE_S = 120
"""A piece may take this much longer than its work, for example to compile the engine on another host."""
ATTEMPTS_PER_S = 2000
"""What plain Python plays at the very least."""


class Orders:
    """The jobs of one sweep. Blocking; from one thread at a time.

    Args:
        address: the Redis server.
        queue: name of the RQ queue.
        pieces: what there is to do.
        overheads: RQ's cost per job in the simulated system; the jobs find them in Redis.
    """

    def __init__(
        self, address: Mapping[str, str], queue: str, pieces: Sequence[Piece], overheads: Overheads | None = None
    ) -> None:
        self._connection = connect(address, retries=3)
        self._queue = Queue(queue, connection=self._connection, serializer=JSONSerializer)
        self._intermediate = IntermediateQueue(self._queue.key, self._connection)
        self._pieces = pieces
        self._sweep = secrets.token_hex(6)
        self._sweep_key, self._shared = f"{queue}:sweep:{self._sweep}", msgspec.json.encode(overheads or Overheads())
        self._waiting = deque(range(len(pieces)))
        self._tries = [0] * len(pieces)
        self._out: dict[str, int] = {}
        self._ghosts: list[str] = []
        self._jobs = 0
        self._looked = time.monotonic()

    @property
    def out(self) -> frozenset[str]:
        """Ids of the jobs that are given out."""
        return frozenset(self._out)

    def look(self) -> list[tuple[int, Answer]]:
        """Fetch the answers that have come, each with its piece's number, and give out more."""
        with self._connection.pipeline(transaction=False) as pipe:
            pipe.expire(self._sweep_key, WANTED_S)
            pipe.zrange(self._queue.finished_job_registry.key, 0, -1)
            pipe.zrange(self._queue.failed_job_registry.key, 0, -1)
            wanted, *ended = pipe.execute()
        if not wanted:
            self._connection.set(self._sweep_key, self._shared, ex=WANTED_S)
        found = {job_id.decode() for registry in ended for job_id in registry} & self._out.keys()
        if time.monotonic() - self._looked > LOOK_FOR_LOST_S:
            self._looked = time.monotonic()
            found |= self._vanished()
        # oldest first, so that a sweep without deaths is told in its order
        answers = [answer for job_id in sorted(found) if (answer := self._fetch(job_id)) is not None]
        while self._waiting and len(self._out) < AHEAD:
            self._give_out(self._waiting.popleft())
        return answers

    def take_back(self) -> None:
        """Nobody wants the rest: jobs that wait leave the queue, those in a worker's hands end soon."""
        self._waiting.clear()
        ids = list(self._out)
        with self._connection.pipeline(transaction=True) as pipe:
            pipe.delete(self._sweep_key)
            for job_id in ids:
                pipe.lrem(self._queue.key, 1, job_id)
            _, *removed = pipe.execute()
        mine = [job_id for job_id, count in zip(ids, removed, strict=True) if count]
        if mine:
            self._connection.delete(*(Job.key_for(job_id) for job_id in mine))
        for job_id in mine:
            del self._out[job_id]

    def clear(self) -> bool:
        """Remove the traces of jobs that have ended since; whether none is left."""
        for job_id in list(self._out):
            job = self._job(job_id)
            if job is None or job.is_finished or job.is_failed:
                self._forget(job_id, job)
        return not self._out

    def close(self) -> None:
        """Remove what the workers have announced, which nobody reads, and leave."""
        for job_id in self._ghosts:
            self._exorcise(job_id)
        stream = stream_key(self._queue.name)
        if self._out:
            self._connection.expire(stream, KEEP_S)  # somebody is still at a job, and will announce its end
        else:
            self._connection.delete(stream)
        self._connection.close()

    def _give_out(self, number: int) -> None:
        piece = self._pieces[number]
        # sorted by this number they are in the order in which they were given out
        job_id = f"{self._sweep}-{self._jobs:07d}"
        self._jobs += 1
        self._out[job_id] = number
        self._queue.enqueue(
            PATH,
            to_plain(piece),
            self._sweep_key,
            job_id=job_id,
            job_timeout=longest_s(piece),
            result_ttl=KEEP_S,
            failure_ttl=KEEP_S,
        )

    def _fetch(self, job_id: str) -> tuple[int, Answer] | None:
        """A job's answer; None where the piece is given out again."""
        number, job = self._out[job_id], self._job(job_id)
        answer, died = _read(job)
        self._forget(job_id, job)
        if died:
            self._ghosts.append(job_id)
        self._tries[number] += died
        if self._tries[number] >= TRIES:
            text = f"{TRIES} workers in a row have died at it, or their jobs have vanished from Redis"
            return number, Answer(error=f"WorkersDied: {text}. Look at the memory of the machine; use a shorter run.")
        if died or answer.stopped:
            self._waiting.appendleft(number)
            return None
        return number, answer

    def _job(self, job_id: str) -> Job | None:
        try:
            return Job.fetch(job_id, connection=self._connection, serializer=JSONSerializer)
        except NoSuchJobError:
            return None

    def _forget(self, job_id: str, job: Job | None) -> None:
        if job is not None:
            job.delete()
        # RQ's housekeeping notes when it saw a job that was just being taken
        self._connection.delete(self._intermediate.get_first_seen_key(job_id))
        del self._out[job_id]

    def _exorcise(self, job_id: str) -> None:
        """Remove what a worker that was taken for dead has written since about a job that was given out again."""
        with self._connection.pipeline(transaction=True) as pipe:
            pipe.zrem(self._queue.finished_job_registry.key, job_id)
            pipe.zrem(self._queue.failed_job_registry.key, job_id)
            pipe.delete(Job.key_for(job_id), Result.get_key(job_id))  # type: ignore[no-untyped-call]  # RQ leaves it untyped
            pipe.execute()

    def _vanished(self) -> set[str]:
        """Jobs that Redis has no more: evicted, flushed, or expired."""
        ids = list(self._out)
        with self._connection.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.exists(Job.key_for(job_id))
            there = pipe.execute()
        return {job_id for job_id, exists in zip(ids, there, strict=True) if not exists}


def longest_s(piece: Piece) -> int:
    """Whole seconds after which something must be wrong with a piece."""
    scenario = Scenario.from_dict(piece.scenario)
    attempts = expected_requests(scenario) * scenario.retry.attempts * len(piece.seeds)
    return SPARE_S + ceil(attempts / ATTEMPTS_PER_S)


def _read(job: Job | None) -> tuple[Answer, bool]:
    """What a job that has ended says, and whether its worker died at it."""
    result = job.latest_result() if job is not None else None
    if job is None or result is None:
        return Answer(), True
    if result.type == result.Type.SUCCESSFUL:
        try:
            return msgspec.convert(result.return_value, Answer), False
        except msgspec.ValidationError as error:
            return Answer(error=f"an answer that is none: {error}"), False
    text = (result.exc_string or "").strip()
    if "AbandonedJobError" in text or "work-horse" in text.lower():
        return Answer(), True
    # what the scenario does wrong is in the answer, so this is RQ's: the job took too long, or cannot be imported
    return Answer(error=text.rpartition("\n")[2]), False
