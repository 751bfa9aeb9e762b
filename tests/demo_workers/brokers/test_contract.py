"""Every broker keeps the protocol, and does what its guarantees say, no more and no less."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from demo_workers.brokers import KINDS, Broker, Guarantees, Message, guarantees, open_broker
from demo_workers.brokers.consumer import consumer, read_notes
from demo_workers.errors import BrokerError, ScenarioError
from tests.demo_workers.brokers.place import Place, quick
from tests.demo_workers.services.processes import ever, until
from tests.patience import patience

pytestmark = pytest.mark.live


def where(holds: Callable[[Guarantees], bool]) -> pytest.MarkDecorator:
    """Every broker whose guarantees are such."""
    return pytest.mark.parametrize("kind", [kind for kind in KINDS if holds(guarantees(kind))])


every_broker = where(lambda given: True)
SOON_S, LONG_S = 0.3, 10.0
BODY = {"author": "Ada", "text": "✓ \u0000 ü", "likes": 3, "tags": ["a", None, True, 1.5], "more": {}}


@pytest.fixture
def broker(place: Place, kind: str) -> Iterator[Broker]:
    """A new queue."""
    with place.broker(kind) as broker:
        if not broker.guarantees.keeps:
            broker.receive()  # it listens
        yield broker


def received(broker: Broker) -> Message:
    """The next message, which must come."""
    message = broker.receive(LONG_S)
    assert message is not None
    return message


def holds(broker: Broker, condition: Callable[[Any], bool]) -> bool:
    """Whether the broker's own count comes to say so; some count a moment later."""
    return until(lambda: condition(broker.depth()), LONG_S)


@every_broker
def test_what_is_published_is_received_as_it_was(broker: Broker) -> None:
    """Text of all kinds, numbers, lists, mappings, and the largest body allowed."""
    largest = "x" * (broker.guarantees.body_max - 2)
    for body in (BODY, [], "", 0, None, largest):
        broker.publish(body)
        message = received(broker)
        assert message.body == body
        broker.ack(message)
    assert broker.receive(SOON_S) is None


@every_broker
def test_an_empty_queue_is_waited_at_for_as_long_as_asked(broker: Broker) -> None:
    """Not at all, or for a while; and somebody who waits gets what comes."""
    began = time.monotonic()
    assert broker.receive(1.0) is None
    assert time.monotonic() - began >= 1.0
    assert broker.receive() is None


@every_broker
def test_what_is_published_while_nobody_listens_waits_or_is_gone(place: Place, kind: str) -> None:
    """As ``keeps`` says."""
    with place.broker(kind) as broker:
        broker.publish("early")
        message = broker.receive(SOON_S if not broker.guarantees.keeps else LONG_S)
        assert (message is not None) == broker.guarantees.keeps


@every_broker
def test_one_of_many_gets_a_message_or_everyone_does(place: Place, broker: Broker) -> None:
    """As ``fan_out`` says."""
    with place.another(broker) as other:
        other.receive()
        for n in range(10):
            broker.publish(n, group=str(n))
        everyone = broker.guarantees.fan_out
        got = [drained(one, 10 if everyone else 0) for one in (broker, other)]
        if not everyone:
            got[0] += drained(broker, 10 - len(got[0]) - len(got[1]))
    if everyone:
        assert got == [list(range(10))] * 2
    else:
        assert sorted(got[0] + got[1]) == list(range(10))


def drained(broker: Broker, expected: int) -> list[Any]:
    """All bodies that come, acknowledged: the expected ones are waited for, others only for a moment."""
    bodies: list[Any] = []
    while (message := broker.receive(LONG_S if len(bodies) < expected else SOON_S)) is not None:
        bodies.append(message.body)
        broker.ack(message)
    return bodies


@every_broker
def test_one_consumer_sees_them_in_the_order_in_which_they_were_published(broker: Broker) -> None:
    """Where an order is promised."""
    for n in range(20):
        broker.publish(n, group="one")
    got = drained(broker, 20)
    assert sorted(got) == list(range(20))
    if broker.guarantees.order != "none":
        assert got == list(range(20))


@every_broker
def test_what_is_acknowledged_never_comes_again(broker: Broker) -> None:
    """Not at once, not after the visibility time-out, and nothing of it is left."""
    broker.publish(1)
    broker.ack(received(broker))
    assert broker.receive(broker.settings.visibility_s + SOON_S) is None
    assert holds(broker, lambda depth: depth.waiting == 0 and not depth.held and not depth.dead)


@every_broker
def test_what_is_given_back_comes_again_at_once(place: Place, broker: Broker) -> None:
    """Also to another consumer; counted where deliveries are. Where nothing is taken back, the error says so."""
    broker.publish("back")
    message = received(broker)
    if not broker.guarantees.takes_back:
        with pytest.raises(BrokerError, match="cannot give back"):
            broker.nack(message)
        return
    assert message.deliveries == (1 if broker.guarantees.counts_deliveries else None)
    broker.nack(message)
    again = received(broker)
    assert again.body == "back"
    assert again.deliveries == (2 if broker.guarantees.counts_deliveries else None)
    broker.ack(again)


@every_broker
def test_what_is_neither_acknowledged_nor_given_back_comes_again_as_declared(place: Place, broker: Broker) -> None:
    """After the time-out although its consumer lives; when its consumer has hung up; or never."""
    with place.another(broker) as slow:
        if not broker.guarantees.keeps:
            slow.receive()
        broker.publish("held")
        taken = received(slow)
        wait_s = broker.settings.visibility_s + 2.0
        while_it_lives = received_again(broker, wait_s)
        assert while_it_lives == (broker.guarantees.redelivers == "after_timeout" or broker.guarantees.fan_out)
        slow.close()
        afterwards = not while_it_lives and received_again(broker, wait_s)
        assert afterwards == (broker.guarantees.redelivers == "on_disconnect")
        assert taken.body == "held"


def received_again(broker: Broker, wait_s: float) -> bool:
    """Whether something comes; it is acknowledged."""
    message = broker.receive(wait_s)
    if message is not None:
        broker.ack(message)
    return message is not None


@where(lambda given: given.takes_back)
def test_a_poison_message_is_put_aside_or_comes_for_ever(broker: Broker) -> None:
    """After ``max_deliveries`` where there are dead letters; the message behind it is served."""
    broker.publish("poison", group="a")
    times = 0
    while times <= broker.settings.max_deliveries and (message := broker.receive(2.0)) is not None:
        broker.nack(message)
        times += 1
    if broker.guarantees.dead_letters:
        assert times == broker.settings.max_deliveries
        assert holds(broker, lambda depth: depth.dead == 1 and depth.waiting == 0)
        broker.publish("healthy", group="b")
        assert received(broker).body == "healthy"
    else:
        assert times == broker.settings.max_deliveries + 1
        assert not broker.depth().dead


@every_broker
def test_what_waits_and_what_is_held_is_counted(broker: Broker) -> None:
    """Where the broker says so."""
    for n in range(3):
        broker.publish(n, group=str(n))
    if not broker.guarantees.keeps:
        assert broker.depth().waiting == 0
        return
    assert holds(broker, lambda depth: depth.waiting == 3)
    message = received(broker)
    assert holds(broker, lambda depth: (depth.waiting, depth.held) in ((2, 1), (2, None)))
    broker.ack(message)
    # one that pushes hands the next one ahead
    assert holds(broker, lambda depth: (depth.waiting, depth.held) in ((2, 0), (2, None), (1, None)))


@every_broker
def test_published_twice_under_one_name(broker: Broker) -> None:
    """Counts once where the broker deduplicates."""
    for _ in range(2):
        broker.publish("charge", id="order-1")
    expected = 1 if broker.guarantees.deduplicates else 2
    assert len(drained(broker, expected)) == expected


@where(lambda given: given.order == "group")
def test_a_group_waits_for_its_first_where_groups_are_kept_in_order(place: Place, kind: str) -> None:
    """The second message of a group does not overtake the first, which another consumer holds."""
    with place.broker(kind, replace(quick(kind), visibility_s=30.0)) as broker, place.another(broker) as slow:
        for body, group in ((1, "ada"), (2, "ada"), (3, "bob")):
            broker.publish(body, group=group)
        first = received(slow)
        assert first.body == 1
        other = received(broker)
        assert other.body == 3
        broker.ack(other)
        assert broker.receive(SOON_S) is None
        slow.ack(first)
        assert received(broker).body == 2


@every_broker
def test_the_effect_of_a_killed_consumer_is_lost_or_repeated_as_declared(
    place: Place, broker: Broker, kind: str, tmp_path: Path
) -> None:
    """Killed in the middle of its work: at most once loses that message, at least once delivers it again."""
    address, again = place.address(kind), broker.guarantees.delivery == "at_least_once"
    first = consumer(kind, address, broker.queue, tmp_path, settings=broker.settings, work_s=60.0)
    heir = consumer(kind, address, broker.queue, tmp_path, settings=broker.settings, name="heir")
    place.wait_for(first.start())
    broker.publish("post")
    assert until(lambda: read_notes(tmp_path), LONG_S)
    first.kill()
    assert place.wait_for(first.wait(patience(LONG_S)))
    place.wait_for(heir.start())
    assert until(lambda: done(tmp_path), LONG_S) if again else not ever(lambda: done(tmp_path), 2.0)
    place.wait_for(heir.stop())
    steps = [note.step for note in read_notes(tmp_path)]
    assert steps == (["took", "took", "effect", "acked"] if again else ["took"])


def done(directory: Path) -> bool:
    """Whether a message was acknowledged."""
    return any(note.step == "acked" for note in read_notes(directory))


@every_broker
def test_a_body_that_json_cannot_say_or_that_is_too_large_is_refused(broker: Broker) -> None:
    """Before anything is sent; the error names the field, or its size and the bound."""
    for body in ({1, 2}, b"bytes", float("nan"), object()):
        with pytest.raises(ScenarioError, match="body"):
            broker.publish(body)
    with pytest.raises(ScenarioError, match=f"at most {broker.guarantees.body_max} bytes"):
        broker.publish("x" * broker.guarantees.body_max)
    assert broker.receive(SOON_S) is None


@every_broker
@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "x" * 65, "../x", "a\n"])
def test_a_name_that_not_every_broker_takes_is_refused(kind: str, name: str) -> None:
    """Before anybody is asked."""
    with pytest.raises(ScenarioError, match="queue"):
        open_broker(kind, {}, name)


@every_broker
def test_a_wait_without_end_is_refused(broker: Broker) -> None:
    """Whoever wants to wait longer asks again."""
    for wait_s in (-1.0, 61.0, float("nan")):
        with pytest.raises(ScenarioError, match="wait_s"):
            broker.receive(wait_s)


@every_broker
def test_a_broker_can_be_closed_twice_and_used_again(broker: Broker) -> None:
    """It connects when it is used."""
    broker.close()
    broker.close()
    if broker.guarantees.keeps:
        broker.publish(1)
        broker.close()
        broker.ack(received(broker))
    broker.close()


@where(lambda given: not given.fan_out)
def test_many_consumers_get_each_message_once(place: Place, kind: str, tmp_path: Path) -> None:
    """Without a fault nothing is lost and nothing doubled, whoever asks and in whatever order."""
    dice = random.Random(time.time_ns())
    with place.broker(kind, replace(quick(kind), visibility_s=30.0)) as broker, place.another(broker) as other:
        for n in range(30):
            broker.publish(n, group=str(n % 7))
        got: list[int] = []
        while len(got) < 30:
            one = dice.choice((broker, other))
            if (message := one.receive(SOON_S)) is not None:
                got.append(message.body)
                one.ack(message)
        assert sorted(got) == list(range(30))
        assert broker.receive(SOON_S) is None
