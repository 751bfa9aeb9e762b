"""What a client is told about its job.

A job that fails is an answer like any other: 200 with status ``failed`` and the error's text, because the gateway did
what it was asked. So is one whose worker died at it. A job that was taken out of the queue before it ran is a 503: it
may be sent again without doing anything twice.
"""

from __future__ import annotations

from demo_workers.services.gateway.news.waiters import Ending, How
from demo_workers.services.gateway.web.problems import JSON, Answer, Headers, answer, unavailable

_NO_END = {
    How.CANCELLED: "The job was taken out of the queue before it ran.",
    How.DROPPED: "The job was dropped before it ran, to make room for another or because it came too late.",
    How.CLOSING: "The job is in, but the gateway is closing and will not hear of its end.",
    How.REDIS_LOST: "The job was in, but Redis has gone, and perhaps the job with it.",
}


def accepted(job_id: str, *headers: tuple[bytes, bytes], status: str = "queued") -> Answer:
    """202 with where to look; ``status`` is the job's."""
    return answer(202, [JSON, _location(job_id), *headers], {"id": job_id, "status": status})


def ended(job_id: str, ending: Ending, wait_s: int, retry_after_s: float) -> Answer:
    """What a client that waited is told.

    Args:
        job_id: the job.
        ending: why the wait is over.
        wait_s: the patience that was granted (seconds).
        retry_after_s: when to come back if the job must be sent again (seconds).
    """
    applied = (b"preference-applied", b"wait=%d" % wait_s)
    headers: Headers = [JSON, _location(job_id), applied]
    if ending.how is How.FINISHED:
        return answer(200, headers, {"id": job_id, "status": "finished", "result": ending.result})
    if ending.how is How.FAILED:
        return answer(200, headers, {"id": job_id, "status": "failed", "error": ending.result})
    if ending.how in _NO_END:
        raised = unavailable(_NO_END[ending.how], retry_after_s, [_location(job_id), applied], id=job_id)
        return raised.answer()
    return accepted(job_id, applied, status="expired" if ending.how is How.EXPIRED else "queued")


def _location(job_id: str) -> tuple[bytes, bytes]:
    return b"location", b"/jobs/" + job_id.encode()
