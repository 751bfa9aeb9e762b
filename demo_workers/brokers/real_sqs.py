"""Amazon's own SQS, for those who ask for it twice: it is somebody's account, and requests may cost money.

Asked for with ``WORKBOOK_SQS=aws`` in the environment, and again by typing the number of the account that is shown.
Every queue has a prefix that is made up for this one use, each process has a budget of requests, and the queues are
deleted in the end, whatever happens. Tests never do this.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from demo_workers.errors import BrokerError, ScenarioError

ASKED = "WORKBOOK_SQS"
BUDGET = 1000
MOST = 100_000


@contextmanager
def real_sqs(
    confirm: Callable[[str], str] = input, *, budget: int = BUDGET, environ: Mapping[str, str] = os.environ
) -> Iterator[dict[str, str]]:
    """An address for ``open_broker("sqs", ...)``; its queues are deleted at the end.

    Args:
        confirm: shows a text to the reader and returns what is typed.
        budget: requests that each process may send, between 10 and 100,000.
        environ: where ``WORKBOOK_SQS`` is looked up. Keys and region are found as for every program that uses AWS.

    Raises:
        BrokerError: it was not asked for, not confirmed, or AWS does not answer.
        ScenarioError: a budget out of bounds.
    """
    if environ.get(ASKED) != "aws":
        remedy = f"Set {ASKED}=aws to use your own account, or keep to the local server."
        raise BrokerError(f"{ASKED} = {environ.get(ASKED)!r}: must be 'aws'. {remedy}")
    if not 10 <= budget <= MOST:
        raise ScenarioError("budget", budget, f"between 10 and {MOST}", "A lesson needs some hundreds.")
    session, account, who = _identity()
    prefix = f"workbook-{secrets.token_hex(4)}-"
    said = confirm(
        f"Account {account} ({who}), region {session.region_name}: queues {prefix}* are made and deleted in the end; "
        f"at most {budget} requests from each process, which may cost money. Type the account's number to go on: "
    )
    if said.strip() != account:
        raise BrokerError(f"confirmation = {said[:20]!r}: must be the account's number. Nothing was done.")
    try:
        yield {"region": str(session.region_name), "prefix": prefix, "budget": str(budget)}
    finally:
        _delete_all(session.client("sqs"), prefix)


def _identity() -> tuple[Any, str, str]:
    try:
        session = boto3.Session()
        identity = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise BrokerError(f"AWS account: must be reachable ({error}). Check keys and network.") from error
    if session.region_name is None:
        raise BrokerError("AWS region = None: must be set. Set AWS_DEFAULT_REGION.")
    return session, str(identity["Account"]), str(identity["Arn"])


def _delete_all(client: Any, prefix: str) -> None:
    """Every queue under this prefix; the local names of those that could not be deleted are told."""
    left = []
    try:
        pages = client.get_paginator("list_queues").paginate(QueueNamePrefix=prefix)
        for url in [url for page in pages for url in page.get("QueueUrls", ())]:
            try:
                client.delete_queue(QueueUrl=url)
            except ClientError as error:
                left.append(f"{url} ({error})")
    except (BotoCoreError, ClientError) as error:
        left.append(f"{prefix}* ({error})")
    if left:
        raise BrokerError(f"queues left in the account = {', '.join(left)}: must be deleted. Delete them by hand.")
