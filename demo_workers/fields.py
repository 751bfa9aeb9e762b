"""Fields that know their bounds, so that every bad value gets an error with name, value, bound and remedy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any, get_args

from demo_workers.errors import ScenarioError


def number(default: float | None, low: float, high: float, remedy: str, *, above: bool = False) -> Any:
    """A numeric field in [low, high], or (low, high] when ``above``; a default of None makes None legal."""
    return field(
        default=default,
        metadata={"low": low, "high": high, "above": above, "remedy": remedy, "none": default is None, "int": False},
    )


def integer(default: int | None, low: int, high: int, remedy: str, *, none: bool = False) -> Any:
    """A whole number in [low, high]; None is legal when ``none``."""
    return field(
        default=default,
        metadata={"low": low, "high": high, "above": False, "remedy": remedy, "none": none, "int": True},
    )


def choice(default: str, choices: Any) -> Any:
    """One of the values of a ``Literal``."""
    return field(default=default, metadata={"choices": get_args(choices)})


def _check_number(name: str, value: Any, meta: Mapping[str, Any]) -> None:
    low, high, remedy = meta["low"], meta["high"], meta["remedy"]
    kinds: tuple[type, ...] = (int,) if meta["int"] else (int, float)
    noun = "a whole number" if meta["int"] else "a number"
    bound = f"{noun} {'above' if meta['above'] else 'at least'} {low:g} and at most {high:g}"
    if meta["none"]:
        bound += ', or "none"'
        if value is None:
            return
    if (
        not _is_a(value, kinds)
        or not math.isfinite(value)
        or not (low < value if meta["above"] else low <= value)
        or value > high
    ):
        raise ScenarioError(name, value, bound, remedy)


def _is_a(value: object, kinds: tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


class Section:
    """Checks every field against the bounds in its metadata."""

    _name = ""

    def __post_init__(self) -> None:
        for f in fields(self):  # type: ignore[arg-type]
            name, value = f"{self._name}.{f.name}".lstrip("."), getattr(self, f.name)
            if "choices" in f.metadata:
                if value not in f.metadata["choices"]:
                    bound = f"one of {', '.join(f.metadata['choices'])}"
                    raise ScenarioError(name, value, bound, "Choose one of them.")
            elif "low" in f.metadata:
                _check_number(name, value, f.metadata)
            elif f.type == "bool" and not isinstance(value, bool):
                raise ScenarioError(name, value, "true or false", "Write true or false.")
