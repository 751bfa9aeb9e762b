"""RabbitMQ is optional: chapter 01 shows what was recorded with it, chapter 02 does not know of it.

On a machine that has it, as the one of the CI does, the other tests of this folder run both notebooks with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.notebooks.test_notebooks import GONE_S, NOTEBOOKS, nbval, still_alive

HIDING = """
import os

really = os.access


def access(path, *args, **kwargs):
    return "rabbitmq-server" not in str(path) and really(path, *args, **kwargs)


os.access = access
"""
"""Python runs it before anything else: no program of this name can be found or run, wherever a system puts it."""

LOOKING = """
from demo_workers.services.servers.rabbitmq_server import RabbitMQUnavailable, find_program
try:
    print(find_program())
except RabbitMQUnavailable:
    print("not there")
"""

pytestmark = [pytest.mark.notebooks, pytest.mark.slow]


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RabbitMQ is nowhere for whatever is started, also where it is installed."""
    (tmp_path / "sitecustomize.py").write_text(HIDING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.delenv("AMQP_URL", raising=False)


def says(program: str) -> str:
    """What a Python of its own prints."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    ).stdout.strip()


@pytest.mark.usefixtures("hidden")
@pytest.mark.timeout(180)
def test_chapter_01_says_the_same_without_rabbitmq() -> None:
    """All that is compared is as stored: the recording stands in for what cannot run here."""
    assert says(LOOKING) == "not there"
    (path,) = (path for path in NOTEBOOKS if path.stem == "01_message_queues")
    mark = uuid.uuid4().hex
    result = nbval(path, mark)
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert still_alive(mark, GONE_S) == []


def test_chapter_02_does_not_know_of_rabbitmq() -> None:
    """Its verbs load nothing that could look for it."""
    loads = "import sys; from lessons import task_queues; print([name for name in sys.modules if 'rabbitmq' in name])"
    assert says(loads) == "[]"
