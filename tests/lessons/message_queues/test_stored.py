"""Sections d and e: what an acknowledgement was worth, and what each broker promises; each check can fail."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from demo_workers.brokers import KINDS
from demo_workers.brokers.losses import Loss, recorded
from demo_workers.stack import Stack
from lessons import message_queues
from lessons.check.claims import ClaimError
from lessons.message_queues import Lesson, check_stored, check_table, lost_to_power, show_stored
from lessons.message_queues.stored import PUBLISHES, SETTINGS, WORDS, Stored
from lessons.message_queues.table import NAMES


@pytest.mark.live
@pytest.mark.faults
async def test_a_log_outlives_the_process_and_not_always_the_power(
    lesson: Lesson, capsys: pytest.CaptureFixture[str]
) -> None:
    """Four servers, each dead in both ways; the table names every setting, and says what is recorded."""
    stored = await message_queues.lose_servers(lesson)
    capsys.readouterr()
    check_stored(stored)
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    show_stored(stored)
    table = capsys.readouterr().out
    assert all(words in table for words in WORDS.values())
    assert "recorded on" in table
    assert lost_to_power(stored).startswith("no: 0 of")


ALL, NONE = Loss.of(range(PUBLISHES), ()), Loss.of(range(PUBLISHES), range(PUBLISHES))
GOOD = {
    "none": Stored("none", 20_000, ALL, ALL, "nothing"),
    "aof_no": Stored("aof_no", 20_000, NONE, ALL, "cachestat"),
    "aof_everysec": Stored("aof_everysec", 20_000, NONE, ALL, "cachestat"),
    "aof_always": Stored("aof_always", 2_000, NONE, NONE, "cachestat"),
}

BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "lost everything, either way": ("none", {"killed": NONE}),
    "the process alone lost nothing": ("aof_everysec", {"killed": ALL}),
    "did lose messages": ("aof_no", {"power": NONE}),
    "nothing was lost, either way": ("aof_always", {"power": ALL}),
    "slower than keeping nothing": ("aof_always", {"rate": 30_000}),
}


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_about_the_servers_can_fail(claim: str) -> None:
    """By one number that is wrong."""
    check_stored(list(GOOD.values()))
    assert set(GOOD) == set(SETTINGS)
    setting, changes = BAD[claim]
    with pytest.raises(ClaimError, match=claim):
        check_stored(list({**GOOD, setting: GOOD[setting]._replace(**changes)}.values()))


def test_the_recording_bears_the_table_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind of broker has a name, a row of promises and a recorded row; the checked lines hold no digit."""
    check_table(recorded(), {"redis_list": ALL, "redis_stream": NONE})
    assert not any(letter.isdigit() for letter in capsys.readouterr().out)
    assert set(NAMES) == set(KINDS)
    message_queues.show_promises()
    promises = capsys.readouterr().out
    assert all(name in promises for name in NAMES.values())


async def test_what_was_not_run_here_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """In the column of what was measured, and never guessed; what was recorded stands beside it, with its label."""
    message_queues.show_table(Lesson(Stack("test")))
    said = capsys.readouterr().out
    assert said.count("not run") == len(KINDS)
    record = recorded()
    for row in record.rows:
        if row.broker.startswith("rabbitmq") and row.fault in ("consumer killed", "node killed"):
            assert f"{row.loss.lost:,} of {row.loss.acknowledged:,}" in said
    assert record.label.split(";")[0] in said


BAD_ROWS: dict[str, tuple[str, str, str]] = {
    "at least once lost nothing": ("rabbitmq", "consumer killed", "lost"),
    "at most once did lose": ("redis_pubsub", "consumer killed", "kept"),
    "and no confirmed one": ("rabbitmq", "node killed", "lost"),
    "slow consumers did the work twice": ("sqs", "visibility expired", "kept"),
}


@pytest.mark.parametrize("claim", BAD_ROWS)
def test_each_claim_about_the_table_can_fail(claim: str) -> None:
    """By one row that is otherwise."""
    broker, fault, how = BAD_ROWS[claim]
    record = recorded()
    loss = Loss.of(range(9), ()) if how == "lost" else Loss.of(range(9), range(9))
    rows = [
        msgspec.structs.replace(row, loss=loss) if (row.broker, row.fault) == (broker, fault) else row
        for row in record.rows
    ]
    with pytest.raises(ClaimError, match=claim):
        check_table(msgspec.structs.replace(record, rows=rows))


def test_a_loss_that_was_measured_here_counts_too() -> None:
    """A stream that loses on this machine is told, whatever the recording says."""
    with pytest.raises(ClaimError, match="at least once lost nothing"):
        check_table(recorded(), {"redis_stream": ALL})
