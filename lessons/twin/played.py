"""The twin's ``Run``: its tables are the engine's own rows, and event rows are made only for whoever asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cached_property, partial
from typing import Any

import numpy as np

from demo_workers.records.events import EVENT, Events
from demo_workers.records.measures import Measures
from demo_workers.records.run import Run
from demo_workers.records.tables import Table
from lessons.twin import tables
from lessons.twin.state import Sim


class Played(Run):
    """A run that the twin has played; to its users a ``Run`` like any other, made much faster.

    Args:
        rows: the engine's rows, made when they are asked for; None for a run that is given by its events, as a copy
            with other fields is.
        measure: a quicker way to the measures than through the tables, if there is one.
        given: the fields of ``Run``.
    """

    _rows: Callable[[], Sim] | None
    _measure: Callable[[Run], Measures] | None

    def __init__(
        self,
        *,
        rows: Callable[[], Sim] | None = None,
        measure: Callable[[Run], Measures] | None = None,
        **given: Any,
    ) -> None:
        super().__init__(**({"events": np.empty(0, EVENT)} | given))
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_measure", measure)
        if rows is not None:
            del self.__dict__["events"]  # until somebody asks

    @cached_property
    def events(self) -> Events:
        """The rows that a live run would have written."""
        return tables.events(self._sim)

    @cached_property
    def attempts(self) -> Table:
        """One row per attempt."""
        return super().attempts if self._rows is None else tables.attempts(self._sim)

    @cached_property
    def executions(self) -> Table:
        """One row per execution."""
        return super().executions if self._rows is None else tables.executions(self._sim)

    @cached_property
    def measures(self) -> Measures:
        """Averages over [warm-up, duration]."""
        return super().measures if self._measure is None else self._measure(self)

    @cached_property
    def _sim(self) -> Sim:
        assert self._rows is not None
        return self._rows()

    def __reduce__(self) -> tuple[Any, ...]:
        """It travels as its events."""
        return partial(type(self), **{field.name: getattr(self, field.name) for field in fields(self)}), ()
