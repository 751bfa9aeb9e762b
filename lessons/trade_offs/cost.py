"""Section d: what each choice makes more complicated, counted and not guessed.

Three counts: programs that must live until the work is done, besides the web server; statements of this book's code
that use and run it; and ways to fail that this book has shown. Whoever counts otherwise finds other figures; the order
hardly changes.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from demo_workers.errors import LabError
from lessons.check.claims import Claim, check
from lessons.trade_offs.guide import CHOICES, LOG, NONE, POOL, RABBITMQ, REDIS, SQS
from lessons.trade_offs.lesson import Lesson

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    NONE: (),
    POOL: (),
    REDIS: ("Redis", "worker"),
    RABBITMQ: ("RabbitMQ", "epmd", "worker"),
    SQS: ("worker",),
    LOG: ("log server", "one worker per reader"),
}
"""Amazon's own programs are Amazon's."""

CODE: Mapping[str, tuple[str, ...]] = {
    NONE: (),
    POOL: ("services.gateway.inline",),
    REDIS: ("brokers.redis_broker", "brokers.redis_safe_list", "services.servers.redis_server"),
    RABBITMQ: ("brokers.rabbitmq", "services.servers.rabbitmq_server"),
    SQS: ("brokers.sqs",),
    LOG: ("brokers.redis_broker", "brokers.redis_stream", "services.servers.redis_server"),
}
"""Modules of ``demo_workers``; a stream of Redis stands for a log."""

BROKERS = (REDIS, RABBITMQ, SQS, LOG)
SHORT = dict(zip(CHOICES, ("none", "pool", "RQ", "RabbitMQ", "SQS", "log"), strict=True))


class Failure(NamedTuple):
    """A way to fail, where this book shows it, and whom it can happen to.

    Attributes:
        what: in a few words.
        chapter: the notebook's number.
        section: the beginning of its heading.
        choices: whom it concerns.
    """

    what: str
    chapter: str
    section: str
    choices: tuple[str, ...]


LATER = (POOL, *BROKERS)

FAILURES = (
    Failure("the caller waits for all of the work", "00", "1", (NONE,)),
    Failure("everybody tries again at once", "04", "a", CHOICES),
    Failure("each layer's retries multiply", "04", "b", CHOICES),
    Failure("timed out, and nobody knows whether it was done", "04", "d", CHOICES),
    Failure("it waits behind other people's work", "05", "a", LATER),
    Failure("the author reloads and misses the own post", "05", "b", LATER),
    Failure("it fails after the yes; something must be undone", "01", "a", LATER),
    Failure("the backlog outlasts the patience", "03", "b", LATER),
    Failure("what waits is gone with the process", "05", "d", (POOL,)),
    Failure("the worker dies and nobody notices for long", "02", "c", (REDIS, SQS, LOG)),
    Failure("it is done twice", "01", "c", BROKERS),
    Failure("acknowledged, and gone with the server", "01", "d", (REDIS, RABBITMQ, LOG)),
    Failure("the memory is full", "03", "f", (REDIS, LOG)),
)
"""Those that this book has shown; there are more."""


class Cost(NamedTuple):
    """What one choice brings with it."""

    programs: int
    statements: int
    failures: int

    def __str__(self) -> str:
        return f"{self.programs:>10}{self.statements:>12}{self.failures:>14}"


def count_costs() -> dict[str, Cost]:
    """Count, for each choice."""
    return {
        choice: Cost(
            programs=len(PROGRAMS[choice]),
            statements=sum(statements(f"demo_workers.{module}") for module in CODE[choice]),
            failures=len(failures_of(choice)),
        )
        for choice in CHOICES
    }


def failures_of(choice: str) -> list[Failure]:
    """What this book has shown of it going wrong."""
    return [one for one in FAILURES if choice in one.choices]


def statements(module: str) -> int:
    """Statements of Python in a module, docstrings not counted; the module is not imported.

    Raises:
        LabError: there is no such module.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise LabError(f"module = {module}: must be one of this project's. Check the spelling.")
    nodes = ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return sum(isinstance(node, ast.stmt) and not _docstring(node) for node in nodes)


def _docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def show_costs(costs: Mapping[str, Cost]) -> None:
    """The table, and the failures that were counted."""
    print(f"{'':<14}{'programs':>10}{'statements':>12}{'ways to fail':>14}")
    for choice, cost in costs.items():
        print(f"{choice:<14}{cost}")
    print("\nways to fail, where this book shows them, and with what")
    print(f"{'':<54}{''.join(f'  {SHORT[choice]}' for choice in costs)}")
    for one in FAILURES:
        marks = "".join(f"  {'×' if choice in one.choices else '':^{len(SHORT[choice])}}" for choice in costs)
        print(f"{one.chapter} {one.section}  {one.what:<48}{marks}".rstrip())


async def count_running(lesson: Lesson) -> int:
    """Programs of the running system without which no job of RQ gets done: Redis, and each worker."""
    await lesson.stack.start(lesson.workers)
    answers = bool(await lesson.stack.connection.ping())
    return int(answers) + len(lesson.stack.workforce.pids)


def check_costs(costs: Mapping[str, Cost], running: int) -> None:
    """What section d says of the table.

    Raises:
        ClaimError: it is not so.
    """
    numbers = f"{dict(costs)}; running {running}"
    brokers = [costs[choice] for choice in BROKERS]
    check(
        Claim("no queue is the least of everything", all(min(costs.values(), key=lambda cost: cost[n]) == costs[NONE]
              for n in range(len(Cost._fields))), numbers),
        Claim("every broker has more programs and more code than a thread pool",
              all(one.programs > costs[POOL].programs and one.statements > costs[POOL].statements for one in brokers),
              numbers),
        Claim("every broker has more ways to fail than no queue",
              all(one.failures > costs[NONE].failures for one in brokers), numbers),
        Claim("the programs of Redis and RQ are as many as run here for it", running == costs[REDIS].programs, numbers),
    )  # fmt: skip
