"""Requests made up from the gateway's own OpenAPI document, right ones and wrong ones.

The suite plays a few hundred; ``make test ARGS="-k fuzz --fuzz-cases 2000"`` plays more. They are new ones each time,
and a case that fails is printed as a command line for curl.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from random import Random
from typing import Any

import psutil
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import CHECKS, load_all_checks

from demo_workers.services.gateway.openapi import document
from tests.demo_workers.services.gateway.system import System

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
LIMIT = 5
MOST = {"service_time_s": 0.002, "followers": 20, "write_ms": 0, "posts": 100, "pause_ms": 1}
"""Of what makes a job long."""
WARM_UP = 0.25
"""Share of the cases after which memory must have settled."""

MOST_GROWTH = 0.05


@dataclass
class Fuzz:
    """Plays cases and keeps what is needed to judge them."""

    url: str
    cases: int
    memory: psutil.Process
    statuses: Counter[int] = field(default_factory=Counter)
    job_ids: list[str] = field(default_factory=list)
    rss: list[int] = field(default_factory=list)
    random: Random = field(default_factory=Random)  # Hypothesis puts the module's own back to 0 before each case

    def play(self) -> None:
        """All operations with right cases and wrong ones, twice over so that memory can settle."""
        load_all_checks()
        names = ("status_code", "content_type", "response_headers", "response_schema")
        self._checks = CHECKS.get_by_names([f"{name}_conformance" for name in names])
        self._session = requests.Session()
        kinds = list(self._kinds())
        for share in (WARM_UP, 1 - WARM_UP):
            for strategy in kinds:
                self._play(strategy, ceil(share * self.cases / len(kinds)))
            self.rss.append(self.memory.memory_info().rss)
        self._session.close()

    def _kinds(self) -> Iterator[Any]:
        """Of each operation, where there is more than one way to ask for it."""
        schema = schemathesis.openapi.from_url(f"{self.url}/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            described = document()["paths"][operation.path][operation.method]
            if described.keys() & {"parameters", "requestBody"}:
                yield from (operation.as_strategy(generation_mode=mode) for mode in MODES)

    def _play(self, strategy: Any, count: int) -> None:
        @settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(strategy)
        def one(case: Case) -> None:
            self._tame(case)
            response = case.call(base_url=self.url, session=self._session, timeout=10)
            self.statuses[response.status_code] += 1
            self._judge(case, response)

        one()

    def _tame(self, case: Case) -> None:
        """Make what would take minutes short, and aim half of the questions at jobs that exist."""
        args = case.body.get("args") if isinstance(case.body, dict) else None
        if isinstance(args, dict):
            for name, most in MOST.items():
                if isinstance(args.get(name), int | float) and args[name] > most:
                    args[name] = most
        if case.headers and str(case.headers.get("Prefer", "")).startswith("wait="):
            case.headers["Prefer"] = "wait=1"
        if "id" in case.path_parameters and self.job_ids and self.random.random() < 0.5:
            case.path_parameters["id"] = self.random.choice(self.job_ids[-50:])

    def _judge(self, case: Case, response: Response) -> None:
        if response.status_code == 202:
            self.job_ids.append(response.json()["id"])
        assert response.status_code < 500 or response.status_code == 503, case.as_curl_command()
        case.validate_response(response, checks=self._checks)


async def test_no_request_makes_the_gateway_stumble(fresh: System, pytestconfig: pytest.Config) -> None:
    """No 5xx but 503, every answer as the document says, nothing in the log, and memory that does not grow."""
    admission = {"limit": LIMIT, "client_rate": 5.0, "client_burst": 5.0}
    await fresh.start(workers=1, tcp={"host": "127.0.0.1", "port": 0}, admission=admission, heartbeat_s=1)
    assert fresh.gateway.pid is not None
    fuzz = Fuzz(fresh.url, pytestconfig.getoption("--fuzz-cases"), psutil.Process(fresh.gateway.pid))
    await asyncio.to_thread(fuzz.play)
    assert sum(fuzz.statuses.values()) >= fuzz.cases
    # a fuzz that gets nowhere proves nothing
    assert {200, 202, 400, 404, 409, 422} <= fuzz.statuses.keys(), fuzz.statuses
    assert fresh.log == ""
    warm, end = fuzz.rss
    assert end < warm * (1 + MOST_GROWTH), f"{warm} bytes after the warm-up, {end} at the end"
    assert (await fresh.gateway.call("depth"))["depth"] <= LIMIT
