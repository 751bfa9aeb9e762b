"""All jobs are worth doing: what RQ does, and every queue that is not told otherwise.

Source: none needed; it is what happens where no policy is named.
"""

from __future__ import annotations

from demo_workers.policies.admission.hooks import Taker


def take(
    state: Taker, now: float, waited_s: float, expires_s: float, target_s: float, interval_s: float
) -> tuple[Taker, bool]:
    """A worker has taken a job from the queue: whether it drops it.

    Args:
        state: this worker's.
        now: seconds since the run's origin.
        waited_s: how long the job has waited.
        expires_s: when nobody will want its result any more (seconds since the run's origin); infinite if unknown.
        target_s: of ``codel``.
        interval_s: of ``codel``.
    """
    return state, False
