"""The options that every command taking a scenario shares."""

from __future__ import annotations

import argparse
from pathlib import Path

from demo_workers.errors import ScenarioError
from demo_workers.scenario import FIELDS, Scenario, parse

SHORT = {
    "arrival_rate": ("load.arrival_rate", "requests per second"),
    "service_time": ("service.service_time_s", "mean seconds of work per request"),
    "workers": ("service.workers", "how many RQ workers"),
    "limit": ("admission.limit", "most jobs waiting and running, or none"),
    "duration": ("load.duration_s", "seconds of load"),
    "seed": ("seed", "same seed, same requests"),
}
"""Short option → (scenario field, help)."""


def add_scenario_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--scenario``, ``--set``, the short options and ``--json``."""
    parser.add_argument("--scenario", metavar="FILE.toml", type=Path, help="start from a scenario file")
    for name, (path, text) in SHORT.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="X", help=f"{text} ({path})")
    parser.add_argument(
        "--set",
        metavar="SECTION.FIELD=VALUE",
        action="append",
        default=[],
        help="any field of the scenario; may be repeated",
    )
    add_json_option(parser)


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def add_overhead_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--overhead-before`` and ``--overhead-after``, as `workbook run` measures them."""
    for when in ("before", "after"):
        text = f"RQ's seconds per job {when} its function"
        parser.add_argument(f"--overhead-{when}", metavar="X", default="0", help=text)


def scenario_of(arguments: argparse.Namespace) -> Scenario:
    """The scenario that the options describe.

    Raises:
        ScenarioError: a value is out of bounds, or the file cannot be read.
    """
    data = (_from_file(arguments.scenario) if arguments.scenario else Scenario()).to_dict()
    changes = [(path, getattr(arguments, name)) for name, (path, _) in SHORT.items()]
    # all in one step: some fields are only right together, as load.kind=steps and load.steps are
    for path, text in [(path, text) for path, text in changes if text is not None] + _pairs(arguments.set):
        if path not in FIELDS:
            raise ScenarioError(path, text, f"one of {', '.join(sorted(FIELDS))}", "Check the spelling.")
        section, _, name = path.rpartition(".")
        (data[section] if section else data)[name] = parse(path, text)
    return Scenario.from_dict(data)


def number(option: str, text: str) -> float:
    """The number that an option was given.

    Raises:
        ScenarioError: it is none.
    """
    value = parse(option, text)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(option, text, "a number", "Write seconds or requests per second, for example 0.004.")
    return float(value)


def make_directory(path: Path, *, empty: bool = False) -> None:
    """Make what ``--out`` names, before anything is started.

    Raises:
        ScenarioError: it cannot be made, or must be empty and is not.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if empty and any(path.iterdir()):
            raise ScenarioError("--out", str(path), "a new or empty directory", "Choose another name.")
    except OSError as error:
        bound = "a directory that can be made and read"
        raise ScenarioError("--out", str(path), bound, f"Choose another place ({error}).") from None


def _from_file(path: Path) -> Scenario:
    try:
        return Scenario.from_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError("--scenario", str(path), "a readable TOML file", f"Check it ({error}).") from None


def _pairs(settings: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise ScenarioError("--set", setting, "section.field=value", "For example --set retry.attempts=4.")
        pairs.append((path.strip(), text.strip()))
    return pairs
