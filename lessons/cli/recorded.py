"""Finding a recorded run for a command."""

from __future__ import annotations

from demo_workers.errors import ScenarioError
from demo_workers.records.run import Run


def load(name: str) -> Run:
    """A run by its directory, its name, or ``last``.

    Raises:
        ScenarioError: there is none, or it cannot be read.
    """
    try:
        return Run.load(name)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, ScenarioError):
            raise
        bound = "a run directory that this version of the workbook can read"
        raise ScenarioError("run", name, bound, f"Choose another one ({error!r}).") from None
