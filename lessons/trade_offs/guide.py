"""Section d: which queue, if any? Five questions, six answers, and the number behind each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import NamedTuple

from lessons.check.claims import Claim, check
from lessons.show.questions import Question, Questions

YES, NO = "yes", "no"
SHORT, LONG = "a few milliseconds", "longer"
ONE, SEVERAL = "one worker", "several, each all of it, also later"
OWN_REDIS, OWN_ROUTING, NOBODY = "we do, and we have a Redis", "we do, and want routing", "nobody, we are in the cloud"

QUESTIONS = (
    Question("readers", "Who has to get each message?", (ONE, SEVERAL)),
    Question("work", "How long does the work take?", (LONG, SHORT)),
    Question("result", "Must the caller have the result before going on?", (NO, YES)),
    Question("loss", "May the work be lost when a process dies?", (NO, YES)),
    Question("servers", "Who looks after servers?", (OWN_REDIS, OWN_ROUTING, NOBODY)),
)

NONE, POOL, REDIS, RABBITMQ, SQS, LOG = "no queue", "a thread pool", "Redis and RQ", "RabbitMQ", "Amazon SQS", "a log"
CHOICES = (NONE, POOL, REDIS, RABBITMQ, SQS, LOG)

WHY: Mapping[str, str] = {
    NONE: "The caller waits anyway, or the work is over before a queue has taken it in.",
    POOL: "Nobody waits for it and it may be lost: threads of the same process will do.",
    REDIS: "It must survive the process, and a Redis is there: tasks, retries and results with little to run.",
    RABBITMQ: "It must survive, and messages find their queues by rules; each is confirmed and acknowledged.",
    SQS: "It must survive, and somebody else keeps the servers. It is farther away, and it delivers twice.",
    LOG: "Each reader has a position of its own and may read again: events rather than orders.",
}


class Number(NamedTuple):
    """What was measured of a choice, and where: ``measured here`` or ``recorded on …``."""

    text: str
    source: str

    def __str__(self) -> str:
        return f"{self.text} ({self.source})"


def choose(answers: Mapping[str, str]) -> str:
    """The simplest thing that does what is asked.

    Args:
        answers: question's name → choice, for all of ``QUESTIONS``.
    """
    if answers["readers"] == SEVERAL:
        return LOG
    if answers["work"] == SHORT or answers["result"] == YES:
        return NONE
    if answers["loss"] == YES:
        return POOL
    return {OWN_REDIS: REDIS, OWN_ROUTING: RABBITMQ, NOBODY: SQS}[answers["servers"]]


def ask(numbers: Mapping[str, Number]) -> None:
    """Show the questions; the answer changes with each click.

    Args:
        numbers: of each choice.
    """
    questions(numbers).show()


def questions(numbers: Mapping[str, Number]) -> Questions:
    """The widget that ``ask`` shows."""

    def answer(answers: Mapping[str, str]) -> list[str]:
        choice = choose(answers)
        return [f"{choice[0].upper()}{choice[1:]}.", WHY[choice], str(numbers[choice])]

    return Questions(QUESTIONS, answer)


def everything() -> list[tuple[dict[str, str], str]]:
    """Every combination of answers, with what it leads to."""
    names = [one.name for one in QUESTIONS]
    combinations = (dict(zip(names, one, strict=True)) for one in product(*(one.choices for one in QUESTIONS)))
    return [(answers, choose(answers)) for answers in combinations]


def check_guide(numbers: Mapping[str, Number]) -> None:
    """What section d says of the guide.

    Raises:
        ClaimError: it is not so.
    """
    every = everything()
    waits = [choice for answers, choice in every if answers["result"] == YES]
    safe = [c for a, c in every if (a["loss"], a["result"], a["work"]) == (NO, NO, LONG)]
    check(
        Claim("each of the six is the answer to something", {choice for _, choice in every} == set(CHOICES),
              str(every)),
        Claim("whoever waits for the result is sent to no queue of tasks", set(waits) <= {NONE, LOG}, str(waits)),
        Claim("long work that must not be lost and that nobody waits for goes to a broker",
              set(safe) <= {REDIS, RABBITMQ, SQS, LOG}, str(safe)),
        Claim("each has a number, and says whether it was measured here or recorded",
              set(numbers) == set(CHOICES) and all(
                  any(digit.isdigit() for digit in one.text) and one.source.startswith(("measured here", "recorded on"))
                  for one in numbers.values()), str(numbers)),
    )  # fmt: skip
