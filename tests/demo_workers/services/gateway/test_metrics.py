from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Iterable

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from demo_workers.errors import LoadGeneratorLagging
from demo_workers.records.run import Run
from demo_workers.scenario import Admission, Load, Retry, Scenario, Service
from demo_workers.services.gateway.histogram import BOUNDS_S, Histogram
from demo_workers.services.gateway.metrics import OPENMETRICS
from demo_workers.stack import Stack
from tests.demo_workers.services.gateway.system import System
from tests.demo_workers.services.gateway.talk import WORK, ask, talk

pytestmark = pytest.mark.live

Samples = dict[tuple[str, str], float]


async def scrape(url: str, accept: str = "") -> tuple[str, str]:
    """Content type and text."""
    reply = await ask(url, "GET", "/metrics", {"accept": accept})
    assert reply.status == 200
    return reply.headers["content-type"], reply.body


def samples(families: Iterable[Metric]) -> Samples:
    """Name and first label's value → value."""
    found: Samples = {}
    for family in families:
        assert family.documentation
        for sample in family.samples:
            found[sample.name, next(iter(sample.labels.values()), "")] = sample.value
    return found


def parsed(text: str) -> Samples:
    """By the official client's own parser."""
    return samples(text_string_to_metric_families(text))


async def test_the_metrics_agree_with_the_ledger() -> None:
    """After a run with refusals of both kinds every count is the ledger's; a second run counts on."""
    load = Load(kind="uniform", arrival_rate=80, duration_s=1.5, clients=2)
    scenario = Scenario(
        load=load,
        service=Service(service_time_s=0.05, workers=1),
        admission=Admission(limit=4, client_rate=20, client_burst=3),
        retry=Retry(timeout_s=1),
    )
    stack = Stack("metrics")
    totals: dict[str, int] = {}
    try:
        await stack.start(1)
        for seed in (1, 2):
            run = await _played(stack, scenario.replace("seed", seed))
            counts = run.ledger.counts
            for name in ("admitted", "shed", "throttled", "errored", "duplicate", "completed", "cancelled", "failed"):
                totals[name] = totals.get(name, 0) + counts[name]
            told = parsed((await scrape(stack.url))[1])
            for outcome in ("admitted", "shed", "throttled", "errored", "duplicate"):
                assert told["gateway_attempts_total", outcome] == totals[outcome], outcome
            assert told["gateway_jobs_total", "finished"] == totals["completed"]
            assert told["gateway_jobs_total", "cancelled"] == totals["cancelled"]
            assert told["gateway_jobs_total", "failed"] == totals["failed"]
            assert told["gateway_sojourn_seconds_count", ""] == totals["completed"]
            assert told["gateway_depth", ""] == told["gateway_asking", ""] == told["gateway_waiters", ""] == 0
            assert told["gateway_limit", ""] == 4
            assert run.ledger.invariants["clients_429"]
    finally:
        await stack.stop()
    assert totals["shed"] > 0
    assert totals["throttled"] > 0


async def _played(stack: Stack, scenario: Scenario) -> Run:
    """A run whose clients were late counts here too: it is the books that are compared."""
    live = await stack.begin(scenario)
    with contextlib.suppress(LoadGeneratorLagging):
        await live.finished()
    assert live.run is not None
    return live.run


async def test_both_forms_are_as_prometheus_wants_them(fresh: System) -> None:
    """Plain text unless OpenMetrics is accepted; both are parsed by the official parsers and say the same."""
    await fresh.start(admission={"limit": 7})
    await asyncio.gather(*(fresh.post() for _ in range(9)))
    kind, text = await scrape(fresh.url)
    assert kind.startswith("text/plain; version=0.0.4")
    plain = parsed(text)
    assert plain["gateway_attempts_total", "admitted"] == 7
    assert plain["gateway_attempts_total", "shed"] == 2
    assert plain["gateway_depth", ""] == plain["gateway_limit", ""] == 7
    kind, text = await scrape(fresh.url, f"{OPENMETRICS};version=1.0.0;q=0.8,text/plain;q=0.5")
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert text.endswith("# EOF\n")
    assert samples(openmetrics_families(text)) == plain
    for rude in (f"{OPENMETRICS};version=x", f"{OPENMETRICS}; version=1.0.0,,;", ",;,", "q=x"):
        assert (await scrape(fresh.url, rude))[1]
    assert fresh.log == ""


async def test_a_refusal_from_memory_is_counted_apart(fresh: System) -> None:
    """Attempts that never reached the script are told beside all refusals."""
    await fresh.start(admission={"limit": 1})
    async with talk(fresh.url) as line:
        for _ in range(30):
            await line.ask("POST", "/jobs", None, WORK)
    told = parsed((await scrape(fresh.url))[1])
    assert told["gateway_attempts_total", "shed"] == 29
    assert 0 < told["gateway_refusals_unasked_total", ""] < 29
    assert math.isfinite(told["gateway_limit", ""])
    assert (await ask(fresh.url, "POST", "/metrics")).status == 405


def test_a_histogram_counts_everything_once() -> None:
    """Cumulative, up to infinity, bounds included."""
    histogram = Histogram()
    for duration_s in (*BOUNDS_S, 0.0, 1e9):
        histogram.observe(duration_s)
    counts = [count for _, count in histogram.cumulative()]
    assert counts == [*range(2, len(BOUNDS_S) + 2), len(BOUNDS_S) + 2]
    assert histogram.cumulative()[-1][0] == "+Inf"
    assert histogram.sum_s == sum(BOUNDS_S) + 1e9
