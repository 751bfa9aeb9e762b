"""The list of brokers: each can be found, and none costs those who do not use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from demo_workers.brokers import KINDS, broker_class, open_broker
from demo_workers.errors import ScenarioError
from tests.demo_workers.services.processes import ROOT

CLIENTS = "{'pika', 'boto3', 'botocore', 'moto', 'flask'}"


@pytest.mark.parametrize("module", ["demo_workers", "demo_workers.brokers", "demo_workers.services.servers.sqs_server"])
def test_no_client_library_is_imported_before_it_is_used(module: str) -> None:
    """boto3 alone takes a quarter of a second."""
    code = f"import sys, {module}; print(sorted({CLIENTS} & sys.modules.keys()))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_it_is_and_what_it_teaches(kind: str) -> None:
    """Under its own name, in its class and in its module."""
    found = broker_class(kind)
    assert found.kind == kind
    assert found.__doc__
    module = sys.modules[found.__module__].__doc__
    assert module is not None
    assert len(module) > 300


def test_another_kind_is_refused_with_those_there_are() -> None:
    """By name."""
    with pytest.raises(ScenarioError, match="redis_safe_list"):
        open_broker("kafka", {}, "posts")
