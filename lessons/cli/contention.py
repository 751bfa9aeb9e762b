"""``workbook contention``: how many calls it takes until every client has changed one row."""

from __future__ import annotations

import argparse

import msgspec

from demo_workers.scenario import parse
from lessons.cli.running import bar, progress_bar
from lessons.contention import Contention, Findings, contend


def contention(arguments: argparse.Namespace) -> int:
    """Print calls and finishing time, each with its confidence."""
    setting = Contention(
        clients=parse("clients", arguments.clients),
        policy=arguments.policy,
        base_ticks=parse("base_ticks", arguments.base),
        cap_ticks=parse("cap_ticks", arguments.cap),
    )
    seeds = parse("seeds", arguments.seeds)
    with progress_bar() as progress:
        found = contend(setting, seeds, progress=bar(progress, "seeds"))
    print(msgspec.json.encode(_facts(found)).decode() if arguments.json else _lines(found))
    return 0


def _facts(found: Findings) -> dict[str, object]:
    setting = found.setting
    return {"policy": setting.policy, "clients": setting.clients, "seeds": len(found.played), **found.to_dict()}


def _lines(found: Findings) -> str:
    numbers = found.to_dict()
    head = f"{found.setting.policy}: {found.setting.clients} clients, {len(found.played)} seeds"
    return "\n".join([head, *(_line(name, unit, numbers) for name, unit in (("calls", ""), ("finish_time", " ticks")))])


def _line(name: str, unit: str, numbers: dict[str, float | None]) -> str:
    ci95 = numbers[f"{name}_ci95"]
    # one seed says nothing about the next
    sure = "" if ci95 is None else f"  ± {ci95:,.0f}"
    return f"{name:<11}  {numbers[name]:,.0f}{unit}{sure}"
