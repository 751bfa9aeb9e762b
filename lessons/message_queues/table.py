"""Section e: three brokers in one table: what each promises, what was measured here, and what was recorded."""

from __future__ import annotations

from demo_workers.brokers import guarantees
from demo_workers.brokers.losses import Loss, Recording, Row, recorded
from lessons.check.claims import Claim, check
from lessons.message_queues.lesson import Lesson

NAMES = {
    "redis_list": "Redis, list",
    "redis_safe_list": "Redis, LMOVE and reaper",
    "redis_stream": "Redis, stream",
    "redis_pubsub": "Redis, publish/subscribe",
    "rabbitmq": "RabbitMQ, quorum queue",
    "rabbitmq_classic": "RabbitMQ, classic queue",
    "sqs": "SQS, standard",
    "sqs_fifo": "SQS, FIFO",
}
COMES_AGAIN = {"never": "never", "after_timeout": "time-out", "on_disconnect": "broken line"}
STORED = {
    "nowhere": "nothing",
    "as_the_server_is_set": "as it is set",
    "when_confirmed": "confirmed: on disk",
    "by_the_provider": "the provider's",
}


def show_promises() -> None:
    """What each kind of broker promises, from its own ``guarantees``."""
    print(f"{'':<26}{'delivered':<15}{'comes again after':<19}{'an answer means':<20}{'order':<11}dead letters")
    for kind, name in NAMES.items():
        one = guarantees(kind)
        delivered, dead = one.delivery.replace("_", " "), "yes" if one.dead_letters else "no"
        print(
            f"{name:<26}{delivered:<15}{COMES_AGAIN[one.redelivers]:<19}{STORED[one.stored]:<20}{one.order:<11}{dead}"
        )


def predicted(kind: str) -> str:
    """What a broker's guarantees say of a consumer's death."""
    return "may lose" if guarantees(kind).delivery == "at_most_once" else "0"


def show_table(lesson: Lesson) -> None:
    """Consumers killed: lost messages as predicted, as measured in section b, and as recorded."""
    record = recorded()
    print(f"{'consumers killed: lost':<26}{'predicted':>10}{'measured here':>18}{'recorded':>18}")
    for kind, name in NAMES.items():
        row = _row(record, kind, "consumer killed")
        print(
            f"{name:<26}{predicted(kind):>10}{_of(lesson.measured.get(kind)):>18}{_of(row.loss if row else None):>18}"
        )
    print("\nother faults, recorded")
    for row in record.rows:
        if row.fault in ("node killed", "visibility expired"):
            name = f"{NAMES[row.broker]}, {row.setting}, {row.fault}"
            print(f"{name:<62}{_of(row.loss):>18} lost, {row.loss.doubled} done twice")
    print("\n" + record.label.replace("; ", ";\n  "))


def _row(record: Recording, kind: str, fault: str) -> Row | None:
    return next((row for row in record.rows if (row.broker, row.fault) == (kind, fault)), None)


def _of(loss: Loss | None) -> str:
    return "not run" if loss is None else f"{loss.lost:,} of {loss.acknowledged:,}"


def check_table(record: Recording, measured: dict[str, Loss] | None = None) -> None:
    """What section e says.

    Args:
        record: the recorded table.
        measured: what was measured here: kind of broker → books.

    Raises:
        ClaimError: it is not so.
    """
    killed = [(row.broker, row.loss) for row in record.rows if row.fault == "consumer killed"]
    killed += list((measured or {}).items())
    careful = [loss.lost for kind, loss in killed if guarantees(kind).delivery == "at_least_once"]
    careless = [loss.lost for kind, loss in killed if guarantees(kind).delivery == "at_most_once"]
    node = [row for row in record.rows if row.fault == "node killed"]
    slow = [row.loss for row in record.rows if row.fault == "visibility expired"]
    numbers = repr(killed)
    check(
        Claim("whoever promises at least once lost nothing when consumers were killed", not any(careful), numbers),
        Claim("whoever promises at most once did lose messages", all(careless) and bool(careless), numbers),
        Claim("recorded: a killed RabbitMQ node lost unconfirmed messages and no confirmed one",
              all((row.loss.lost > 0) == (row.setting == "unconfirmed") for row in node) and bool(node), str(node)),
        Claim("recorded: after SQS's visibility time-out slow consumers did the work twice",
              all(loss.doubled > 0 and loss.lost == 0 for loss in slow) and bool(slow), str(slow)),
    )  # fmt: skip
