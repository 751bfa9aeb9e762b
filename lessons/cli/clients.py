"""``workbook clients``: the load generator alone, against a gateway that somebody serves on this machine."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import secrets
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from demo_workers.errors import GatewayUnavailable, ScenarioError
from demo_workers.records.directory import RunDirectory
from demo_workers.scenario import Scenario
from demo_workers.services.children.child import Child
from demo_workers.services.clients.connection import Address
from demo_workers.services.clients.lagging import lagging
from lessons.cli.options import make_directory, scenario_of
from lessons.cli.running import progress_bar

LOOPBACK = ("127.0.0.1", "localhost")
"""The hosts that may be loaded; no name is looked up."""

HEAD_START_S = 0.15
KNOCK_S = 2.0
ONE_SIDE = "this is the clients' side alone: what the gateway did is not on record here"


def clients(arguments: argparse.Namespace) -> int:
    """Play a scenario's load; 1 when the schedule was not kept or nothing was answered, 130 after Ctrl-C."""
    scenario, address = scenario_of(arguments), loopback(arguments.url)
    if scenario.retry.policy == "custom":
        bound = "a policy that has a name"
        raise ScenarioError("retry.policy", "custom", bound, "A policy written in a cell lives in a notebook.")
    if arguments.out is not None:
        make_directory(arguments.out, empty=True)
    playing = Playing(scenario, address)
    asyncio.run(playing.play(arguments.out))
    facts = playing.facts(arguments.url)
    print(msgspec.json.encode(facts).decode() if arguments.json else _lines(facts))
    if playing.interrupted:
        return 130
    return 0 if facts["valid"] and facts["errored"] < max(facts["attempts"], 1) else 1


def loopback(url: str) -> Address:
    """Where to send.

    Raises:
        ScenarioError: it is not on this machine. There is no option to allow it: a slip of the keyboard must not
            become load on somebody else's server.
    """
    bound = "http://127.0.0.1:PORT"
    remedy = "Only this machine may be loaded: start a gateway here with `workbook serve` and use the URL it prints."
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none, or half an address in brackets
        raise ScenarioError("--url", url, bound, remedy) from None
    more = parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None
    if parts.scheme != "http" or host not in LOOPBACK or not port or more:
        raise ScenarioError("--url", url, bound, remedy)
    return {"host": LOOPBACK[0], "port": port}


class Playing:
    """One load from its begin to its end.

    Args:
        scenario: whose ``load`` and ``retry`` are played; the rest is the gateway's business.
        address: where the gateway listens.
    """

    def __init__(self, scenario: Scenario, address: Address) -> None:
        self._scenario, self._address = scenario, address
        self._directory: RunDirectory
        self._run = secrets.token_hex(4)
        self._origin = 0.0
        self._counts: dict[str, Any] = {}
        self._over, self._asked = asyncio.Event(), asyncio.Event()
        self._length_s = scenario.load.duration_s
        self.interrupted = False

    async def play(self, out: Path | None) -> None:
        """Play it to its end, or until Ctrl-C, and record the clients' side in ``out`` or the user's state directory.

        Raises:
            GatewayUnavailable: nobody listens.
            LabError: the generator has died.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._asked.set)
        await _knock(self._address)
        self._directory = RunDirectory.create(out)
        log = self._directory.path / "clients.log"
        config = {"address": self._address}
        child = Child("clients", "demo_workers.services.clients", config, log, on_event=self._heard, on_exit=self._died)
        await child.start()
        try:
            await self._begin(child)
            await self._watch(child)
            self._counts = await child.call("end")
        finally:
            await child.stop()
        self._write_manifest(ended_by=ONE_SIDE)

    def facts(self, url: str) -> dict[str, Any]:
        """The keys of ``--json``."""
        counts = {name: value for name, value in self._counts.items() if name not in ("id", "ok")}
        latency, lateness = counts.pop("latency"), counts.pop("lateness")
        invalid = lagging(self._counts)
        return {
            "url": url,
            "run": str(self._directory.path),
            "valid": not invalid,
            "duration_s": self._length_s,
            **counts,
            "latency_p50_s": latency["p50_s"] if counts["succeeded"] else None,
            "latency_p95_s": latency["p95_s"] if counts["succeeded"] else None,
            "lateness_p99_s": lateness["p99_s"],
            "notes": [invalid] if invalid else [],
        }

    async def _begin(self, child: Child) -> None:
        self._origin = time.monotonic() + HEAD_START_S
        self._write_manifest()
        await child.call(
            "begin",
            run=self._run,
            origin=self._origin,
            events=str(self._directory.clients),
            scenario=self._scenario.to_dict(),
            # another load may have met the same gateway before, or be there now: its requests are not ours
            first_request=secrets.randbelow(2**29),
        )

    async def _watch(self, child: Child) -> None:
        """Wait for the load's end, the end of the drain, or Ctrl-C; show how far it is."""
        duration_s = self._scenario.load.duration_s
        with progress_bar() as progress:
            task = progress.add_task("load", total=duration_s)
            while not self._over.is_set() and self._now() < duration_s + self._scenario.drain_s:
                counts = await child.call("status")
                told = f"load: {counts['attempts']} attempts, {counts['succeeded']} in time"
                progress.update(task, description=told, completed=min(max(self._now(), 0.0), duration_s))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), 0.1)
                    break
        self.interrupted = self._asked.is_set()
        self._length_s = min(max(self._now(), 0.0), duration_s)

    def _now(self) -> float:
        return time.monotonic() - self._origin

    def _heard(self, event: dict[str, Any]) -> None:
        if event.get("event") == "load_over":
            self._over.set()

    def _died(self, child: Child) -> None:
        self._over.set()  # the next call says how

    def _write_manifest(self, **more: Any) -> None:
        known = {"run": self._run, "scenario": self._scenario.to_dict(), "origin": self._origin}
        invalid = lagging(self._counts)
        self._directory.write_manifest(known | {"length_s": self._length_s, "invalid": invalid} | more)


async def _knock(address: Address) -> None:
    """Raises GatewayUnavailable when nobody listens, before anything is started."""
    where = f"{address['host']} port {address['port']}"
    try:
        async with asyncio.timeout(KNOCK_S):
            _, writer = await asyncio.open_connection(str(address["host"]), int(address["port"]))
    except (OSError, TimeoutError) as error:
        text = f"nobody listens at {where} ({error}): a gateway must be there. Start one with `workbook serve`."
        raise GatewayUnavailable(text) from None
    writer.close()


def _lines(facts: dict[str, Any]) -> str:
    width = max(map(len, facts))
    shown = [
        f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}"
        for name, value in facts.items()
        if value is not None and name != "notes"
    ]
    return "\n".join([*shown, *(f"note: {note}" for note in facts["notes"])])
