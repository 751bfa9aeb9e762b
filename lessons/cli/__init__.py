"""The ``workbook`` command: thin verbs over everything below it.

Exit codes: 0 ok, 1 a check failed, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from demo_workers.errors import LabError, ScenarioError
from lessons.cli import backoff, export
from lessons.cli.options import add_json_option, add_overhead_options, add_scenario_options
from lessons.contention import WAITS


def parser() -> argparse.ArgumentParser:
    """Every verb and its options."""
    top = argparse.ArgumentParser(prog="workbook", description="Learn asynchronism by running it.")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")

    verb = verbs.add_parser("lab", help="open JupyterLab on the first notebook; further options are JupyterLab's own")
    verb.set_defaults(do=_verb("lab"))

    verb = verbs.add_parser("doctor", help="check this machine and say how to mend what is missing")
    add_json_option(verb)
    verb.set_defaults(do=_verb("doctor"))

    verb = verbs.add_parser("demo", help="collapse and rescue in under a minute, without a browser")
    verb.add_argument("--out", type=Path, default=Path("out/demo"), help="directory for the picture and both runs")
    verb.add_argument("--seed", default="7", help="same seed, same requests")
    add_json_option(verb)
    verb.set_defaults(do=_verb("demo"))

    _add_ways_to_play(verbs)
    _add_parts(verbs)

    verb = verbs.add_parser("replay", help="show a recorded run again")
    verb.add_argument("run", help="a run directory, its name, or last")
    add_json_option(verb)
    verb.set_defaults(do=_verb("commands", "replay"))

    verb = verbs.add_parser("export", help="a recorded run as tables for other tools")
    verb.add_argument("run", metavar="RUN_DIR", help="a run directory, its name, or last")
    verb.add_argument("--format", default="csv", metavar="NAME", help=f"one of {', '.join(export.FORMATS)}")
    verb.add_argument("--out", type=Path, help=f"directory to write into (new or empty); default {export.OUT}/RUN")
    add_json_option(verb)
    verb.set_defaults(do=_verb("export"))

    _add_backoff(verbs)

    verb = verbs.add_parser("bench", help="run the benchmarks of this checkout and judge each figure by its bar")
    verb.add_argument("name", metavar="NAME", nargs="?", help="only this one")
    verb.add_argument("--rounds", metavar="N", help="a short form, to see that they work")
    add_json_option(verb)
    verb.set_defaults(do=_verb("bench"))
    return top


def _add_backoff(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """What can be said of backoff policies without a system."""
    verb = verbs.add_parser("backoff", help="how long the waits before each retry are: bounds, mean, variance")
    verb.add_argument("--policy", default="full", metavar="NAME", help=f"one of {', '.join(backoff.POLICIES)}")
    verb.add_argument("--base", default="0.1", metavar="X", help="seconds (retry.base_s)")
    verb.add_argument("--cap", default="10", metavar="X", help="seconds (retry.cap_s)")
    verb.add_argument("--attempts", default="8", metavar="N", help="attempts, the first one included (retry.attempts)")
    add_json_option(verb)
    verb.set_defaults(do=_verb("backoff"))

    verb = verbs.add_parser("contention", help="clients that race for one row: calls and time under a backoff policy")
    verb.add_argument("--clients", default="100", metavar="N", help="how many, each with one change to make")
    verb.add_argument("--policy", default="full", metavar="NAME", help=f"one of {', '.join(WAITS)}")
    verb.add_argument("--seeds", default="50", metavar="N", help="how often to play it, each time with other dice")
    verb.add_argument("--base", default="5", metavar="X", help="ticks; a message takes some ten")
    verb.add_argument("--cap", default="2000", metavar="X", help="ticks; the longest wait")
    add_json_option(verb)
    verb.set_defaults(do=_verb("contention"))


def _add_ways_to_play(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The same scenario for the real system, for theory, for the twin, and for all three."""
    verb = verbs.add_parser("run", help="play a scenario on the real system")
    add_scenario_options(verb)
    verb.add_argument("--out", type=Path, help="directory to record into (new or empty)")
    verb.add_argument("--calibrate", action="store_true", help="measure RQ's cost per job anew before the run")
    verb.set_defaults(do=_verb("commands", "run"))

    verb = verbs.add_parser("predict", help="what queueing theory says about a scenario; runs nothing")
    add_scenario_options(verb)
    verb.add_argument("--at-rate", metavar="X", help="predict one stretch of a changing load, at X requests per second")
    add_overhead_options(verb)
    verb.set_defaults(do=_verb("predict"))

    verb = verbs.add_parser("simulate", help="play a scenario in the twin, many times; starts nothing")
    add_scenario_options(verb)
    verb.add_argument("--replications", metavar="N", default="20", help="runs, each with a seed of its own; default 20")
    add_overhead_options(verb)
    verb.set_defaults(do=_verb("simulate"))

    verb = verbs.add_parser("compare", help="theory, twin and the real system side by side, with the gaps")
    add_scenario_options(verb)
    verb.add_argument("--replications", metavar="N", default="20", help="seeds that the twin plays; default 20")
    verb.add_argument("--out", type=Path, help="directory for the picture and the run (new or empty)")
    verb.add_argument("--calibrate", action="store_true", help="measure RQ's cost per job anew before the run")
    verb.set_defaults(do=_verb("compare"))


def _add_parts(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The parts of the system alone."""
    verb = verbs.add_parser("serve", help="the system alone, on loopback TCP")
    add_scenario_options(verb)
    verb.add_argument("--port", default="0", help="TCP port on 127.0.0.1; 0 takes any free one")
    verb.set_defaults(do=_verb("commands", "serve"))

    verb = verbs.add_parser("worker", help="one more worker for the system at WORKBOOK_REDIS_URL")
    verb.add_argument("--queue", default="workbook", help="name of the RQ queue")
    verb.set_defaults(do=_verb("commands", "worker"))

    verb = verbs.add_parser("clients", help="the load generator alone, against a gateway on this machine")
    add_scenario_options(verb)
    verb.add_argument("--url", required=True, help="of the gateway, as `workbook serve` prints it; loopback only")
    verb.add_argument("--out", type=Path, help="directory to record into (new or empty)")
    verb.set_defaults(do=_verb("clients"))


def _verb(module: str, name: str = "") -> Callable[[argparse.Namespace], int]:
    """A verb by its module and its name there, imported when it is chosen: none waits for another's libraries."""

    def do(arguments: argparse.Namespace) -> int:
        function: Callable[[argparse.Namespace], int] = getattr(import_module(f"{__name__}.{module}"), name or module)
        return function(arguments)

    return do


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code."""
    top = parser()
    chosen, rest = top.parse_known_args(arguments)
    if rest and chosen.verb != "lab":
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    chosen.rest = rest
    try:
        code = int(chosen.do(chosen))
        sys.stdout.flush()
        return code
    except ScenarioError as error:
        print(f"workbook: {error}", file=sys.stderr)
        return 2
    except LabError as error:
        print(f"workbook: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # whoever read our output has had enough, as `| head` has; Python would complain again at its exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        print(f"workbook: {error}. Make room for it, or name another place.", file=sys.stderr)
        return 1
