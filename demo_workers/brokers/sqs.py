"""Amazon SQS: a queue that somebody else runs, spoken to over HTTP, one request for each call.

A received message is hidden for the *visibility time-out*, not removed; whoever does not delete it by then, being dead
or only slow, sees it delivered again. A *long poll* waits at the server, in whole seconds, instead of asking again and
again, which costs money. After ``maxReceiveCount`` deliveries the *redrive policy* moves a message to a second queue.

A *standard* queue delivers at least once and mostly in order. A *FIFO* queue keeps the order within each group: while a
message of a group is in flight, the group waits. It also drops a message that is published again under the same id
within five minutes; what comes later, or is received twice, is still a duplicate.

A receipt belongs to one delivery. Bodies: up to 1 MiB (some tools still say 256 KiB).
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
from functools import cached_property
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from demo_workers.brokers.protocol import Broker, Depth, Guarantees, Message, steps
from demo_workers.brokers.sqs_budget import limit_requests

BODY_MAX = 1 << 20
LONG_POLL_S = 20
"""The longest poll. Source: Amazon SQS, ReceiveMessage."""
SOCKET_S = 10.0
REGION = "us-east-1"
WAITING, HELD = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


class Sqs(Broker):
    """A standard queue. Its address is ``{"endpoint_url": ...}``, or what ``real_sqs`` gives."""

    kind = "sqs"
    guarantees = Guarantees(
        delivery="at_least_once",
        redelivers="after_timeout",
        stored="by_the_provider",
        order="none",
        counts_deliveries=True,
        dead_letters=True,
        body_max=BODY_MAX,
    )
    _ending = ""

    def close(self) -> None:
        """Hang up; what is in flight becomes visible again in its time."""
        client = self.__dict__.pop("_client", None)
        for name in ("_url", "_dead"):
            self.__dict__.pop(name, None)
        if client is not None:
            client.close()

    @cached_property
    def _client(self) -> Any:
        # a request whose answer was lost is not sent again: it may have been done
        patience: dict[str, Any] = {"retries": {"total_max_attempts": 1}, "connect_timeout": SOCKET_S}
        config = Config(**patience, read_timeout=LONG_POLL_S + SOCKET_S)
        if "endpoint_url" not in self.address:
            client = boto3.Session(region_name=self.address["region"]).client("sqs", config=config)
            limit_requests(client, self.address["prefix"], int(self.address["budget"]))
            return client
        # nothing of the reader's own account, and no proxy, gets between this machine and itself
        return _isolated().client(
            "sqs", endpoint_url=self.address["endpoint_url"], config=config.merge(Config(proxies={}))
        )

    @cached_property
    def _dead(self) -> str:
        """Address of the queue of dead letters; making it twice is harmless."""
        return self._made(f"{self.queue}-dead", {})

    @cached_property
    def _url(self) -> str:
        """Address of the queue, once both are there."""
        arn = self._client.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])
        policy = f'{{"deadLetterTargetArn":"{arn["Attributes"]["QueueArn"]}","maxReceiveCount":"%d"}}'
        attributes = {
            "VisibilityTimeout": str(math.ceil(self.settings.visibility_s)),
            "RedrivePolicy": policy % self.settings.max_deliveries,
        }
        return self._made(self.queue, attributes)

    def _made(self, name: str, attributes: dict[str, str]) -> str:
        full = f"{self.address.get('prefix', '')}{name}{self._ending}"
        made = self._client.create_queue(QueueName=full, Attributes={**attributes, **self._kind_of_queue()})
        return str(made["QueueUrl"])

    def _kind_of_queue(self) -> dict[str, str]:
        return {}

    def _publish(self, data: bytes, group: str, id: str) -> None:
        self._client.send_message(QueueUrl=self._url, MessageBody=data.decode(), **self._about(group, id))

    def _about(self, group: str, id: str) -> dict[str, str]:
        return {}

    def _receive(self, wait_s: float) -> Message | None:
        for step_s in steps(wait_s, LONG_POLL_S):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                WaitTimeSeconds=math.ceil(step_s),
                MaxNumberOfMessages=1,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            for one in answer.get("Messages", ()):
                deliveries = int(one["Attributes"]["ApproximateReceiveCount"])
                return Message(data=one["Body"].encode(), deliveries=deliveries, receipt=one["ReceiptHandle"])
        return None

    def _ack(self, message: Message) -> None:
        self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def _nack(self, message: Message) -> None:
        self._client.change_message_visibility(QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=0)

    def _depth(self) -> Depth:
        living, dead = self._counts(self._url), self._counts(self._dead)
        return Depth(living[WAITING], living[HELD], dead[WAITING])

    def _counts(self, url: str) -> dict[str, int]:
        told = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=[WAITING, HELD])["Attributes"]
        return {name: int(told[name]) for name in (WAITING, HELD)}

    def _delete(self) -> None:
        for url in (self._url, self._dead):
            with contextlib.suppress(self._client.exceptions.QueueDoesNotExist):
                self._client.delete_queue(QueueUrl=url)
        self.close()

    def _errors(self) -> tuple[type[Exception], ...]:
        return BotoCoreError, ClientError, OSError


class SqsFifo(Sqs):
    """A FIFO queue: order within each group, and no second message of the same id."""

    kind = "sqs_fifo"
    guarantees = Guarantees(
        delivery="at_least_once",
        redelivers="after_timeout",
        stored="by_the_provider",
        order="group",
        counts_deliveries=True,
        dead_letters=True,
        deduplicates=True,
        body_max=BODY_MAX,
    )
    _ending = ".fifo"

    def _kind_of_queue(self) -> dict[str, str]:
        return {"FifoQueue": "true"}

    def _about(self, group: str, id: str) -> dict[str, str]:
        # every message needs both: without a name of its own each is a new one
        return {"MessageGroupId": group or "all", "MessageDeduplicationId": id or secrets.token_hex(16)}


def _isolated() -> Any:
    """A session that knows no profile, no file and no variable of the reader's."""
    nobody: dict[str, tuple[Any, ...]] = {
        "profile": (None, [], None, None),
        "config_file": (None, [], os.devnull, None),
        "credentials_file": (None, [], os.devnull, None),
    }
    session = botocore.session.Session(nobody)
    session.set_credentials("local", "local")
    return boto3.Session(botocore_session=session, region_name=REGION)
