"""A recorded run as files for other tools: three tables as CSV or Parquet, the scenario, and what each column means."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from demo_workers.errors import ScenarioError
from demo_workers.records.columns import ATTEMPTS, EXECUTIONS, STEERING, Column
from demo_workers.records.run import Run
from demo_workers.records.tables import Table

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)


def format_named(text: str) -> Format:
    """The format of this name.

    Raises:
        ScenarioError: there is none.
    """
    for form in FORMATS:
        if text == form:
            return form
    raise ScenarioError("format", text, f"one of {', '.join(FORMATS)}", "CSV opens everywhere; Parquet keeps types.")


def export(run: Run, directory: Path, form: Format) -> list[Path]:
    """Write ``attempts``, ``executions`` and ``steering`` in a format, ``scenario.toml`` and ``manifest.json``.

    Enumerations become their words, NaN and "none" become empty fields (CSV) or nulls (Parquet). What a column means
    is in the manifest, and in Parquet also with the column itself.

    Args:
        run: a run, live, recorded or of the twin.
        directory: an existing one; files of these names are replaced.
        form: ``"csv"`` or ``"parquet"``.

    Returns:
        The files, the manifest last.
    """
    tables = {
        "attempts": (_columns(run.attempts), ATTEMPTS),
        "executions": (_columns(run.executions), EXECUTIONS),
        "steering": (_steering(run), STEERING),
    }
    files, told = [], {}
    for name, (values, columns) in tables.items():
        made = _table(values, columns)
        files.append(directory / f"{name}.{form}")
        _write(made, files[-1], form)
        told[name] = {"file": files[-1].name, "rows": made.num_rows, "columns": _told(made, columns)}
    scenario, manifest = directory / "scenario.toml", directory / "manifest.json"
    scenario.write_text(run.scenario.to_toml(), encoding="utf-8")
    manifest.write_bytes(msgspec.json.format(msgspec.json.encode(_about(run) | {"tables": told}), indent=1) + b"\n")
    return [*files, scenario, manifest]


def _columns(rows: Table) -> dict[str, Any]:
    return {name: rows[name] for name in rows.dtype.names or ()}


def _steering(run: Run) -> dict[str, Any]:
    return {
        "t_s": np.array([entry.t for entry in run.steering], float),
        "knob": [entry.knob for entry in run.steering],
        "value": [msgspec.json.encode(entry.value).decode() for entry in run.steering],
    }


def _table(values: Mapping[str, Any], columns: Mapping[str, Column]) -> Any:
    """An Arrow table; a column of the record that nobody has described is a mistake of ours."""
    arrays = [_array(column, columns[name]) for name, column in values.items()]
    fields = [
        pa.field(name, array.type, metadata={"meaning": columns[name].meaning, "unit": columns[name].unit})
        for name, array in zip(values, arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _array(values: Any, column: Column) -> Any:
    if isinstance(values, list):
        return pa.array(values, pa.string())
    if column.words is not None:
        return pa.array([column.words(value).name.lower() for value in values], pa.string())
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
    if column.nothing is not None:
        missing |= values == column.nothing
    return pa.array(values, mask=missing)


def _write(table: Any, path: Path, form: Format) -> None:
    if form == "parquet":
        pa_parquet.write_table(table, path)
    else:
        pa_csv.write_csv(table, path, pa_csv.WriteOptions(quoting_style="needed"))


def _told(table: Any, columns: Mapping[str, Column]) -> dict[str, Any]:
    """What the manifest says of a table's columns, in their order."""
    said: dict[str, Any] = {}
    for field in table.schema:
        column = columns[field.name]
        said[field.name] = {"type": str(field.type), "unit": column.unit, "meaning": column.meaning}
        if column.words is not None:
            said[field.name]["words"] = [word.name.lower() for word in column.words]
    return said


def _about(run: Run) -> dict[str, Any]:
    return {
        "run": str(run.directory) if run.directory else None,
        "source": run.source,
        "length_s": run.length_s,
        "valid": run.valid,
        "invalid": run.invalid,
        "ended_by": run.ended_by,
        "notes": list(run.notes),
        "torn_rows": run.torn,
        "balanced": run.ledger.balanced,
        "versions": run.manifest.get("versions", {}),
        "clock": run.manifest.get("clock", "same"),
    }
