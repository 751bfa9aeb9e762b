"""What a worker does for a sweep. RQ calls ``play`` by its dotted name, with plain JSON in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from rq import get_current_job
from rq.timeouts import JobTimeoutException

from demo_workers.errors import LabError, ScenarioError
from demo_workers.scenario import Scenario
from lessons.sweeps import engine
from lessons.sweeps.plan import Answer, Piece, merge
from lessons.twin import Overheads, replicate

PATH = f"{__name__}.play"
MAX_ERROR = 2000
"""Characters of an error that travel."""


def play(piece: Mapping[str, Any], sweep_key: str) -> dict[str, Any]:
    """Play a piece while its sweep wants it, and give the ``Answer``.

    Args:
        piece: a ``Piece``.
        sweep_key: holds the sweep's ``Overheads`` in Redis, as long as somebody waits for answers.
    """
    job = get_current_job()
    if job is None:
        raise LabError("current job = None: must be a job that an RQ worker runs. Elsewhere call answer_to.")
    connection = job.connection
    shared = connection.get(sweep_key)
    if shared is None:
        return to_plain(Answer(stopped=True))
    try:
        ours, overheads = msgspec.convert(piece, Piece), msgspec.json.decode(shared, type=Overheads)
    except (msgspec.DecodeError, ScenarioError) as error:
        return to_plain(Answer(error=f"a piece that is none: {error}"))
    return to_plain(answer_to(ours, overheads, lambda: bool(connection.exists(sweep_key))))


def answer_to(piece: Piece, overheads: Overheads | None, wanted: Callable[[], bool]) -> Answer:
    """Play a piece; whatever goes wrong with its scenario becomes part of the answer.

    Args:
        piece: what to play.
        overheads: RQ's cost per job in the simulated system.
        wanted: asked before each replication; once it says no, the rest is left.
    """
    answers = []
    try:
        if piece.engine == "compiled":
            engine.have_compiled()
        scenario = Scenario.from_dict(piece.scenario)
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


def to_plain(what: Piece | Answer) -> dict[str, Any]:
    """As it travels: plain values that JSON knows."""
    return dict(msgspec.to_builtins(what))
