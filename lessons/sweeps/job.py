"""What a worker does for a sweep. RQ calls ``play`` by its dotted name, with plain JSON in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from rq import get_current_job
from rq.timeouts import JobTimeoutException

from demo_workers.errors import LabError
from demo_workers.scenario import Scenario
from lessons.sweeps import engine
from lessons.sweeps.plan import Answer, Piece, merge
from lessons.twin import Overheads, replicate

PATH = f"{__name__}.play"
MAX_ERROR = 2000
"""Characters of an error that travel."""


def play(piece: Mapping[str, Any], wanted_key: str) -> dict[str, Any]:
    """Play a piece while its sweep wants it, and give the ``Answer``.

    Args:
        piece: a ``Piece``.
        wanted_key: a key that exists in Redis as long as somebody waits for the answer.
    """
    job = get_current_job()
    if job is None:
        raise LabError("current job = None: must be a job that an RQ worker runs. Elsewhere call answer_to.")
    connection = job.connection
    try:
        ours = msgspec.convert(piece, Piece)
    except msgspec.ValidationError as error:
        return dict(msgspec.to_builtins(Answer(error=f"a piece that is none: {error}")))
    return dict(msgspec.to_builtins(answer_to(ours, lambda: bool(connection.exists(wanted_key)))))


def answer_to(piece: Piece, wanted: Callable[[], bool]) -> Answer:
    """Play a piece; whatever goes wrong with its scenario becomes part of the answer.

    Args:
        piece: what to play.
        wanted: asked before each replication; once it says no, the rest is left.
    """
    answers = []
    try:
        if piece.engine == "compiled":
            engine.have_compiled()
        scenario = Scenario.from_dict(piece.scenario)
        overheads = Overheads(before_s=piece.before_s, after_s=piece.after_s)
        for seed in piece.seeds:
            if not wanted():
                return Answer(stopped=True)
            found = replicate(replace(scenario, seed=seed), 1, overheads=overheads, engine=piece.engine)
            measures = [measured.to_dict() for measured in found.measures]
            answers.append(Answer(measures=measures, invariants=found.invariants))
    except JobTimeoutException:
        raise  # RQ's own affair
    except Exception as error:
        return Answer(error=f"{type(error).__name__}: {error}"[:MAX_ERROR])
    return merge(answers)
