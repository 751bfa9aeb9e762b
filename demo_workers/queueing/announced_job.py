"""An RQ job whose function's start and end are announced."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from redis.client import Pipeline
from rq.job import Job

from demo_workers.queueing.announce import announce_finished, announce_started

NEVER_BEGAN = "it was ended before its function began"


class AnnouncedJob(Job):
    """Both announcements travel with commands that RQ sends anyway: two round trips of their own would add a sixth to
    what RQ costs per job.

    Attributes:
        number: of the worker whose jobs these are; ``work`` sets it.
        picked: when this object was made, which RQ does right after it has popped the job's id (CLOCK_MONOTONIC
            seconds).
        told: whether this process has announced the end.
    """

    number = -1
    told = False
    _end: Mapping[str, Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.picked = time.monotonic()
        super().__init__(*args, **kwargs)

    def prepare_for_execution(self, worker_name: str, pipeline: Pipeline) -> None:
        """The last that RQ sends before it calls ``perform``."""
        super().prepare_for_execution(worker_name, pipeline)
        who: dict[str, Any] = {"worker": worker_name, "number": self.number}
        announce_started(pipeline, self.origin, self.id, **who, picked_monotonic=self.picked)

    def perform(self) -> Any:
        """Run the function and note when and how it ended, also when it raises."""
        try:
            result = super().perform()
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
            self._end = {"t_monotonic": time.monotonic(), "ok": False, "result": text}
            raise
        self._end = {"t_monotonic": time.monotonic(), "ok": True, "result": result}
        return result

    def announce_end(self, pipeline: Pipeline, worker_name: str, otherwise: str = NEVER_BEGAN) -> None:
        """Say so, once: when RQ cannot put a success away it comes here again for the failure.

        Args:
            pipeline: sends it with its other commands.
            worker_name: who says so.
            otherwise: what happened where this process has not seen the function end.
        """
        if not self.told:
            end = self._end or {"ok": False, "result": otherwise, "returned": False}
            announce_finished(pipeline, self.origin, self.id, worker=worker_name, number=self.number, **end)
            self.told = True
