"""Exported runs: what is read back is what was recorded."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest

from demo_workers.records import columns
from demo_workers.records.directory import Steer
from demo_workers.records.events import ClientOutcome, Kind, Outcome, Result
from demo_workers.records.export import FORMATS, Format, export
from demo_workers.records.run import Run
from demo_workers.records.tables import ATTEMPT, EXECUTION, Table
from demo_workers.scenario import Scenario
from tests.demo_workers.records import books

TABLES = {"attempts": columns.ATTEMPTS, "executions": columns.EXECUTIONS, "steering": columns.STEERING}
STEERING = [Steer(0.1 + 0.2, "limit", None), Steer(1.0, "retry_policy", "full"), Steer(2.5, "arrival_rate", 61.5)]


def eventful(seed: int) -> Run:
    """The hand-written run and a hundred attempts more, with every outcome and end there is, at odd times."""
    rows, dice = books.rows(), random.Random(seed)
    for request in range(100, 200):
        t, attempt = dice.uniform(0, 100) / 3, dice.randint(1, 3)
        known: dict[str, Any] = {"attempt": attempt, "value": t}
        rows.append(books.event(Kind.SENT, request, t + 1e-3, actor=dice.choice([-1, 7]), **known))
        if dice.random() < 0.8:
            decided = {"code": dice.choice(list(Outcome)), "status": 202, "limit": dice.choice([-1, 20])}
            rows.append(books.event(Kind.DECIDED, request, t + 2e-3, depth=dice.randint(-1, 20), **known | decided))
        if dice.random() < 0.8:
            answered = {"code": dice.choice(list(ClientOutcome)), "status": dice.choice([0, 200, 503])}
            rows.append(books.event(Kind.ANSWERED, request, t + 3e-3, **known | answered))
        if dice.random() < 0.8:
            rows.append(books.event(Kind.STARTED, request, t + 4e-3, actor=2, **known))
        if dice.random() < 0.8:
            ended = {"code": dice.choice(list(Result)), "actor": dice.choice([-1, 2])}
            rows.append(books.event(Kind.ENDED, request, dice.choice([np.nan, t + 5e-3]), **known | ended))
    return books.run(rows, steering=STEERING)


def read(directory: Path, name: str, form: Format) -> pa.Table:
    """A table as another tool reads it; of a CSV the types are those that the manifest names."""
    told = json.loads((directory / "manifest.json").read_text())["tables"][name]
    path = directory / told["file"]
    if form == "parquet":
        return pa_parquet.read_table(path)
    types = {column: pa.type_for_alias(about["type"]) for column, about in told["columns"].items()}
    options = pa_csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    return pa_csv.read_csv(path, convert_options=options)


def rebuilt(table: pa.Table, described: dict[str, columns.Column], dtype: np.dtype[Any]) -> Table:
    """The record's table made from what was read."""
    rows = np.zeros(table.num_rows, dtype)
    for name in dtype.names or ():
        about, values = described[name], table[name].to_pylist()
        if about.words is not None:
            rows[name] = [about.words[word.upper()] for word in values]
        else:
            nothing = np.nan if about.nothing is None else about.nothing
            rows[name] = [nothing if value is None else value for value in values]
    return rows


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_is_read_back_is_what_was_recorded(tmp_path: Path, form: Format, seed: int) -> None:
    """Every number to its last bit, every word, every gap, in both formats."""
    run = eventful(seed)
    export(run, tmp_path, form)
    for name, rows in (("attempts", run.attempts), ("executions", run.executions)):
        again = rebuilt(read(tmp_path, name, form), TABLES[name], rows.dtype)
        assert len(again) == len(rows) > 50
        for column in rows.dtype.names or ():
            np.testing.assert_array_equal(again[column], rows[column], err_msg=column)
    steering = read(tmp_path, "steering", form).to_pylist()
    assert [Steer(row["t_s"], row["knob"], json.loads(row["value"])) for row in steering] == STEERING
    assert Scenario.from_toml((tmp_path / "scenario.toml").read_text()) == run.scenario


@pytest.mark.parametrize("form", FORMATS)
def test_words_stand_for_numbers_and_gaps_for_nan(tmp_path: Path, form: Format) -> None:
    """No enumeration is left as a number, and what did not happen is null, not NaN, not -1 and not 0."""
    export(eventful(4), tmp_path, form)
    attempts, executions = (read(tmp_path, name, form) for name in ("attempts", "executions"))
    assert set(attempts["outcome"].to_pylist()) == {o.name.lower() for o in Outcome}
    assert set(attempts["client_outcome"].to_pylist()) == {o.name.lower() for o in ClientOutcome}
    assert set(executions["result"].to_pylist()) == {r.name.lower() for r in Result}
    for table in (attempts, executions):
        for name in table.column_names:
            assert not {-1, "nan", "NaN"} & {value for value in table[name].to_pylist() if value == value}, name
            assert all(value == value for value in table[name].to_pylist()), name
    for name in ("client", "admitted_s", "depth_seen", "limit", "answered_s", "status", "seen_s", "backoff_s"):
        assert attempts[name].null_count > 0, name


def test_the_manifest_says_what_each_column_means(tmp_path: Path) -> None:
    """All columns in their order, seconds are named as such, and words are listed."""
    run = eventful(5)
    *_, manifest = export(run, tmp_path, "csv")
    told = json.loads(manifest.read_text())
    assert told["tables"]["attempts"]["rows"] == len(run.attempts)
    for name, table in told["tables"].items():
        header = (tmp_path / table["file"]).read_text().splitlines()[0].replace('"', "").split(",")
        assert list(table["columns"]) == header
        for column, about in table["columns"].items():
            assert about["meaning"], f"{name}.{column}"
            assert (about["unit"] == "s") == column.endswith("_s"), f"{name}.{column}"
    assert told["tables"]["attempts"]["columns"]["outcome"]["words"] == [o.name.lower() for o in Outcome]
    assert "seconds" in told["tables"]["executions"]["columns"]["started_s"]["meaning"]


def test_every_column_of_the_record_is_described() -> None:
    """Whoever adds a column says here what it means, or nothing can be exported."""
    assert tuple(columns.ATTEMPTS) == ATTEMPT.names
    assert tuple(columns.EXECUTIONS) == EXECUTION.names


def test_parquet_carries_the_meanings_itself(tmp_path: Path) -> None:
    """A file that was parted from its manifest still says what it holds."""
    export(eventful(6), tmp_path, "parquet")
    field = pa_parquet.read_schema(tmp_path / "attempts.parquet").field("due_s")
    assert field.metadata[b"unit"] == b"s"
    assert field.metadata[b"meaning"].startswith(b"when it was meant to leave")


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_run_has_empty_tables(tmp_path: Path, form: Format) -> None:
    """With their columns all the same."""
    export(books.run([]), tmp_path, form)
    assert read(tmp_path, "attempts", form).column_names == list(columns.ATTEMPTS)
    assert read(tmp_path, "executions", form).num_rows == 0
