"""Events folded into bins."""

from __future__ import annotations

import numpy as np
import pytest

from demo_workers.records.events import EVENT, ClientOutcome, Events, Guard, Kind, Outcome, Result
from demo_workers.scenario import Scenario
from lessons.show.series import Series
from lessons.show.text import summary
from tests.lessons.show.event_source import Model, play
from tests.lessons.show.scenes import BURST, LIMITED, RETRYING, folded


def rows(*given: dict[str, float]) -> Events:
    """Rows with NaN and -1 where nothing is said."""
    table = np.zeros(len(given), EVENT)
    table["value"], table["depth"], table["limit"], table["attempt"] = np.nan, -1, -1, 1
    for row, values in zip(table, given, strict=True):
        for name, value in values.items():
            row[name] = value
    return table


@pytest.mark.parametrize("scenario", [BURST, LIMITED, RETRYING])
def test_how_rows_were_cut_into_batches_does_not_matter(scenario: Scenario) -> None:
    """Fed live in tenths of a second, a run looks as it does fed whole."""
    whole, live, model = folded(scenario), Series(limit=scenario.admission.limit), Model(scenario)
    for tenth in range(1400):
        live.feed(model.advance(tenth / 10))
        live.view(tenth / 10, 60)
    live.over = True
    assert live.totals() == whole.totals()
    for a, b in zip(live.view(), whole.view(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_clients_and_gateway_rows_may_come_in_either_order() -> None:
    """The whole gateway file before the whole client file gives the same picture."""
    events = play(RETRYING).events
    clients = np.isin(events["kind"], (Kind.SENT, Kind.ANSWERED))
    series = Series(limit=16)
    series.feed(events[~clients])
    series.feed(events[clients])
    for a, b in zip(series.view(), folded(RETRYING).view(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_every_request_has_one_fate() -> None:
    """In time, late, refused, given up and failed add up to all that came."""
    for scenario in (BURST, LIMITED, RETRYING):
        n = folded(scenario).totals()
        assert n.open == 0
        assert n.requests == n.in_time + n.late + n.refused + n.gave_up + n.failed > 1000


def test_the_limit_holds_in_the_picture() -> None:
    """What was admitted under a limit is never drawn above it."""
    series = folded(LIMITED)
    view = series.view()
    assert series.peak == 20
    assert np.all(view.inside <= view.limit)


def test_latency_counts_from_the_intended_time() -> None:
    """A client that sends late does not hide its lateness."""
    series = Series()
    sent = {"kind": Kind.SENT, "t": 2.0, "value": 1.0}
    ended = {"kind": Kind.ENDED, "t": 2.1, "code": Result.OK}
    series.feed(rows(sent, ended))
    assert series.view().p50[8] == pytest.approx(1.1)


def test_an_empty_system_is_drawn_empty_after_the_last_job() -> None:
    """Jobs in the system and requests trying again return to zero."""
    series = folded(RETRYING)
    series.feed(rows({"kind": Kind.STARTED, "t": series.latest_s + 1}))
    view = series.view()
    assert view.inside[-1] == 0
    assert view.retrying[-1] == 0
    assert view.retrying.max() > 10


def test_a_job_that_never_returned_left_when_its_row_says() -> None:
    """An end without a time is taken at the moment the job was removed."""
    series = Series()
    series.feed(rows({"kind": Kind.DECIDED, "t": 0.1, "code": Outcome.ADMITTED}))
    series.feed(rows({"kind": Kind.ENDED, "t": np.nan, "value": 1.1, "code": Result.CANCELLED}))
    series.feed(rows({"kind": Kind.SENT, "request": 1, "t": 2.0, "value": 2.0}))
    assert series.view().inside.tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 0]


def test_two_executions_of_one_attempt_leave_once() -> None:
    """At-least-once does not make the system emptier than empty."""
    series = Series()
    for request in (0, 1):
        series.feed(rows({"kind": Kind.DECIDED, "request": request, "t": 0.1, "code": Outcome.ADMITTED}))
    series.feed(rows({"kind": Kind.ENDED, "t": 0.3, "code": Result.LOST}))
    series.feed(rows({"kind": Kind.ENDED, "t": 0.6, "code": Result.OK}))
    series.feed(rows({"kind": Kind.SENT, "request": 2, "t": 2.0, "value": 2.0}))
    assert series.view().inside[-1] == 1


def test_amplification_is_attempts_per_request() -> None:
    """Three attempts for one request are an amplification of three."""
    series = Series()
    series.feed(rows(*({"kind": Kind.SENT, "attempt": n, "t": 0.1 * n, "value": 0.1 * n} for n in (1, 2, 3))))
    assert series.view().amplification[-1] == 3


def test_a_request_waiting_for_its_next_attempt_is_open_until_the_run_is_over() -> None:
    """In backoff it is neither served nor refused; at the end its last attempt decides."""
    series = Series()
    refused = {"kind": Kind.ANSWERED, "t": 0.2, "code": ClientOutcome.REFUSED, "status": 503, "value": 5.0}
    series.feed(rows({"kind": Kind.SENT, "t": 0.1, "value": 0.1}, refused))
    assert series.totals().open == 1
    series.over = True
    assert (series.totals().open, series.totals().refused) == (0, 1)


def test_a_bin_that_is_still_filling_is_not_shown() -> None:
    """A live view ends with the last complete bin, so that no line dips at its end."""
    series = folded(BURST)
    assert len(series.view(1.2).t) == 4
    assert len(series.view(10.0, seconds=2).t) == 8


def test_attempts_that_a_guard_held_back_are_requests_but_no_arrivals() -> None:
    """Nothing of them reached the gateway; their clients were refused all the same."""
    told = rows(
        {"kind": Kind.HELD_BACK, "code": Guard.BREAKER, "t": 0.1, "value": 0.1},
        {"kind": Kind.ANSWERED, "code": ClientOutcome.REFUSED, "t": 0.1},
        {"kind": Kind.SENT, "request": 1, "t": 0.2, "value": 0.2},
        {"kind": Kind.ANSWERED, "request": 1, "code": ClientOutcome.REFUSED, "status": 503, "t": 0.3},
    )
    series = Series()
    series.feed(told)
    totals = series.totals()
    assert (totals.requests, totals.attempts, totals.refusals, totals.held_back) == (2, 1, 1, 1)
    assert (totals.refused, totals.open) == (2, 0)
    assert "guards held 1 attempts back" in summary(series)
