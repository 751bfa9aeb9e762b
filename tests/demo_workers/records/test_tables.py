"""Rows that two processes wrote without knowing of each other become one table."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.records.events import EVENT, Kind, Outcome
from demo_workers.records.tables import attempts
from tests.demo_workers.records.books import event

A, D, S, E = Outcome.ADMITTED, Outcome.DUPLICATE, Outcome.SHED, Outcome.ERRORED


@pytest.mark.parametrize(
    ("decisions", "holds"), [((A,), A), ((A, D), A), ((E, A), A), ((S, A), A), ((E, S), S), ((S, E), E), ((E, A, D), A)]
)
def test_an_attempt_that_was_sent_again_is_in_if_it_was_ever_let_in(
    decisions: tuple[Outcome, ...], holds: Outcome
) -> None:
    """Else what it heard last holds; the attempts beside it keep their own."""
    rows = [event(Kind.SENT, i, 0.0, actor=0, value=0.0) for i in range(3)]
    rows += [event(Kind.DECIDED, 1, 0.1 * n, code=code, status=202) for n, code in enumerate(decisions, 1)]
    rows += [event(Kind.DECIDED, 2, 0.1, code=S, status=503), event(Kind.DECIDED, 0, 0.1, code=A, status=202)]
    table = attempts(np.array(rows, EVENT))
    assert table["outcome"].tolist() == [A, holds, S]
    admitted_s = 0.1 * (decisions.index(A) + 1) if A in decisions else np.nan
    assert table["admitted_s"][1] == pytest.approx(admitted_s, nan_ok=True)
