"""Amazon's own SQS is used by nobody who has not asked for it twice. Here a local server stands in for Amazon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from demo_workers.brokers import Settings, open_broker
from demo_workers.brokers.real_sqs import real_sqs
from demo_workers.errors import BrokerError, ScenarioError

pytestmark = pytest.mark.live

ACCOUNT = "123456789012"
ASKED = {"WORKBOOK_SQS": "aws"}


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of what every program here takes for Amazon."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)  # what it holds belongs to the process
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    yield boto3.client("sqs")
    server.stop()


def queues(client: Any) -> list[str]:
    """All queues of the account."""
    return list(client.list_queues().get("QueueUrls", []))


@pytest.mark.parametrize("environ", [{}, {"WORKBOOK_SQS": "yes"}, {"WORKBOOK_SQS": ""}])
def test_nobody_is_asked_who_has_not_asked_for_it(environ: dict[str, str]) -> None:
    """Without the variable not even the account is looked up."""

    def confirm(text: str) -> str:
        raise AssertionError("not to be called")

    with pytest.raises(BrokerError, match="WORKBOOK_SQS"), real_sqs(confirm, environ=environ):
        pass


@pytest.mark.parametrize("said", ["", "yes", "y", "123"])
def test_nothing_is_done_before_the_account_is_confirmed(amazon: Any, said: str) -> None:
    """A yes is not enough: the number that was shown must be typed."""
    shown: list[str] = []

    def confirm(text: str) -> str:
        shown.append(text)
        return said

    with pytest.raises(BrokerError, match="Nothing was done"), real_sqs(confirm, environ=ASKED):
        pass
    assert ACCOUNT in shown[0]
    assert "eu-central-1" in shown[0]
    assert queues(amazon) == []


def test_what_was_made_is_deleted_also_after_an_error_and_nothing_else_is(amazon: Any) -> None:
    """Another queue of the account stays; ours have a prefix of their own."""
    precious = amazon.create_queue(QueueName="workbook-precious")["QueueUrl"]
    with pytest.raises(ZeroDivisionError), real_sqs(lambda text: ACCOUNT, environ=ASKED) as address:
        use_and_fail(address, amazon)
    assert queues(amazon) == [precious]


def use_and_fail(address: dict[str, str], amazon: Any) -> None:
    """Both kinds of queue, then an error."""
    for kind in ("sqs", "sqs_fifo"):
        with open_broker(kind, address, "posts") as broker:
            broker.publish(1)
            message = broker.receive(5.0)
            assert message is not None
            broker.ack(message)
    assert len(queues(amazon)) == 5
    raise ZeroDivisionError


def test_no_request_goes_out_beyond_the_budget(amazon: Any) -> None:
    """The error names it; the queues are deleted all the same."""
    with real_sqs(lambda text: ACCOUNT, budget=10, environ=ASKED) as address:
        with open_broker("sqs", address, "posts", Settings(visibility_s=5)) as broker:
            for n in range(7):
                broker.publish(n)  # three requests made the queues
            with pytest.raises(BrokerError, match="at most 10"):
                broker.publish(7)
        with open_broker("sqs_fifo", address, "posts") as other, pytest.raises(BrokerError, match="at most 10"):
            other.publish(8)
        assert amazon.get_queue_attributes(QueueUrl=queues(amazon)[0], AttributeNames=["All"])
    assert queues(amazon) == []


@pytest.mark.parametrize("budget", [0, 9, 10**6])
def test_a_budget_without_end_is_refused(budget: int) -> None:
    """With its bounds."""
    with pytest.raises(ScenarioError, match="budget"), real_sqs(budget=budget, environ=ASKED):
        pass
