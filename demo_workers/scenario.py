"""One way to say what happens: Load, Service, Admission and Retry make a Scenario.

A scenario is plain, frozen data. The live system, the twin and the theory all start from it.
Every bad value gets a ``ScenarioError`` with name, value, bound and remedy.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import msgspec
import tomli_w

from demo_workers.errors import ScenarioError

LoadKind = Literal["poisson", "uniform", "steps", "ramp", "spike"]
Distribution = Literal["exponential", "deterministic", "lognormal"]
Work = Literal["sleep", "cpu"]
AdmissionPolicy = Literal["reject", "naive"]
BackoffPolicy = Literal["none", "fixed", "exponential", "full"]
AfterTimeout = Literal["backoff", "at_once"]
Steps = tuple[tuple[float, float], ...]


def _number(default: float | None, low: float, high: float, remedy: str, *, above: bool = False) -> Any:
    """A numeric field in [low, high], or (low, high] when ``above``; a default of None makes None legal."""
    return field(
        default=default,
        metadata={"low": low, "high": high, "above": above, "remedy": remedy, "none": default is None, "int": False},
    )


def _integer(default: int | None, low: int, high: int, remedy: str, *, none: bool = False) -> Any:
    return field(
        default=default,
        metadata={"low": low, "high": high, "above": False, "remedy": remedy, "none": none, "int": True},
    )


def _choice(default: str, choices: Any) -> Any:
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


class _Section:
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


@dataclass(frozen=True, kw_only=True)
class Load(_Section):
    """Requests arriving from outside, whatever the system does (open loop).

    ``poisson`` and ``uniform`` arrive at a constant rate, at random or evenly spaced. The others are Poisson with a
    rate that changes: ``steps`` lists (start in seconds, rate per second) pairs; ``ramp`` moves linearly from
    ``arrival_rate`` to ``ramp_to_rate``; ``spike`` runs at ``spike_rate`` for a while. Rates are requests per second.
    """

    kind: LoadKind = _choice("poisson", LoadKind)
    arrival_rate: float = _number(40.0, 0.0, 2000.0, "Use a rate that one machine can send.")
    duration_s: float = _number(10.0, 0.0, 3600.0, "Use a shorter run, or repeat it.", above=True)
    clients: int = _integer(100, 1, 100_000, "Use at least one client.")
    ramp_to_rate: float = _number(80.0, 0.0, 2000.0, "Use a rate that one machine can send.")
    spike_rate: float = _number(90.0, 0.0, 2000.0, "Use a rate that one machine can send.")
    spike_start_s: float = _number(5.0, 0.0, 3600.0, "Start the spike within the run.")
    spike_length_s: float = _number(5.0, 0.0, 3600.0, "Use a shorter spike.")
    steps: Steps = ()

    _name = "load"

    def __post_init__(self) -> None:
        super().__post_init__()
        remedy = "Write pairs like [[0, 40], [5, 80]]: start in seconds, rate per second."
        try:
            steps = tuple((float(start), float(rate)) for start, rate in self.steps)
        except (TypeError, ValueError):
            raise ScenarioError("load.steps", self.steps, "a list of pairs of numbers", remedy) from None
        starts = [start for start, _ in steps]
        if starts != sorted(set(starts)) or not all(0 <= v <= 3600 for v in starts):
            raise ScenarioError("load.steps", self.steps, "rising starts between 0 and 3600", remedy)
        if not all(0 <= rate <= 2000 for _, rate in steps):
            raise ScenarioError("load.steps", self.steps, "rates between 0 and 2000 per second", remedy)
        if self.kind == "steps" and not steps:
            raise ScenarioError("load.steps", self.steps, "at least one pair when kind is steps", remedy)
        object.__setattr__(self, "steps", steps)


@dataclass(frozen=True, kw_only=True)
class Service(_Section):
    """The work of one request and who does it. ``cv`` is that of the service time; only ``lognormal`` uses it."""

    service_time_s: float = _number(0.05, 0.0, 60.0, "Use a mean of at most a minute.", above=True)
    distribution: Distribution = _choice("exponential", Distribution)
    cv: float = _number(1.0, 0.0, 10.0, "Use a coefficient of variation of at most 10.")
    work: Work = _choice("sleep", Work)
    workers: int = _integer(3, 0, 64, "Each worker is a process of some 45 MB.")

    _name = "service"


@dataclass(frozen=True, kw_only=True)
class Admission(_Section):
    """Who may come in. ``limit`` is K: waiting plus running jobs; None is no limit.

    ``reject`` decides and writes in one script and is exact; ``naive`` reads the length and then pushes, which races.
    """

    policy: AdmissionPolicy = _choice("reject", AdmissionPolicy)
    limit: int | None = _integer(None, 1, 1_000_000, "Use a limit of at least 1, or none.", none=True)

    _name = "admission"


@dataclass(frozen=True, kw_only=True)
class Retry(_Section):
    """What a client does about an attempt that failed.

    ``timeout_s`` is the patience for one attempt, ``deadline_s`` for the whole request (None: no such bound).
    ``attempts`` counts the first one. The n-th retry (n = 1, 2, …) has the ceiling min(cap_s, base_s · 2^(n−1)).
    """

    policy: BackoffPolicy = _choice("none", BackoffPolicy)
    attempts: int = _integer(1, 1, 100, "Use at least one attempt.")
    base_s: float = _number(0.1, 0.0, 600.0, "Use a base of at most ten minutes.", above=True)
    cap_s: float = _number(10.0, 0.0, 3600.0, "Use a cap of at most an hour.", above=True)
    timeout_s: float | None = _number(None, 0.0, 30.0, "Use a patience of at most 30 s.", above=True)
    deadline_s: float | None = _number(None, 0.0, 3600.0, "Use a deadline of at most an hour.", above=True)
    honour_retry_after: bool = True
    after_timeout: AfterTimeout = _choice("backoff", AfterTimeout)

    _name = "retry"


@dataclass(frozen=True, kw_only=True)
class Scenario(_Section):
    """Everything that decides what will happen, apart from the machine.

    ``warmup_s`` is left out of averages (None: 20 % of the run); ``drain_s`` is how long a run waits at its end for
    accepted work. The same seed gives the same tape: arrivals, service times and jitter.
    """

    load: Load = field(default_factory=Load)
    service: Service = field(default_factory=Service)
    admission: Admission = field(default_factory=Admission)
    retry: Retry = field(default_factory=Retry)
    seed: int = _integer(7, 0, 2**63 - 1, "Use a seed that is a natural number.")
    warmup_s: float | None = _number(None, 0.0, 3600.0, "Use a warm-up shorter than the run.")
    drain_s: float = _number(5.0, 0.0, 600.0, "Use a drain of at most ten minutes.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.warmup_s is not None and self.warmup_s >= self.load.duration_s:
            bound = f"below load.duration_s = {self.load.duration_s:g}"
            raise ScenarioError("warmup_s", self.warmup_s, bound, "Use a warm-up shorter than the run.")

    @property
    def warmup(self) -> float:
        """Seconds left out at the start of every average."""
        return 0.2 * self.load.duration_s if self.warmup_s is None else self.warmup_s

    def replace(self, path: str, value: object) -> Scenario:
        """A copy with one dotted field changed, for example ``scenario.replace("load.arrival_rate", 60)``.

        Raises:
            ScenarioError: the field does not exist or the value is out of bounds.
        """
        data = self.to_dict()
        section, _, name = path.rpartition(".")
        target = data.get(section) if section else data
        if not isinstance(target, dict) or name not in target or isinstance(target[name], dict):
            raise ScenarioError(path, value, f"one of {', '.join(sorted(FIELDS))}", "Check the spelling.")
        target[name] = value
        return Scenario.from_dict(data)

    def steered(self, **knobs: object) -> Scenario:
        """A copy with knobs turned, by their short names (see ``KNOBS``)."""
        changed = self
        for knob, value in knobs.items():
            if knob not in KNOBS:
                raise ScenarioError(knob, value, f"one of {', '.join(KNOBS)}", "Check the spelling.")
            changed = changed.replace(KNOBS[knob], value)
        return changed

    def to_dict(self) -> dict[str, Any]:
        """Nested dict of plain values."""
        return dict(msgspec.to_builtins(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scenario:
        """The inverse of ``to_dict``; missing fields take their defaults, ``"none"`` means None."""
        given: dict[str, Any] = {}
        for name, value in data.items():
            if name in SECTIONS:
                if not isinstance(value, Mapping):
                    raise ScenarioError(name, value, "a table of fields", f"Write [{name}] and its fields.")
                given[name] = SECTIONS[name](**{k: _none(name, k, v) for k, v in value.items()})
            else:
                given[name] = _none("", name, value)
        return cls(**given)

    def to_json(self) -> str:
        """JSON text with sorted, readable fields."""
        return msgspec.json.format(msgspec.json.encode(self.to_dict()), indent=2).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Scenario:
        """The inverse of ``to_json``."""
        try:
            data = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise ScenarioError("scenario", text[:60], "JSON", str(error)) from None
        return cls.from_dict(_table(data))

    def to_toml(self) -> str:
        """TOML text; None is written as ``"none"``, since TOML has no null."""
        return tomli_w.dumps(_named_none(self.to_dict()))

    @classmethod
    def from_toml(cls, text: str) -> Scenario:
        """The inverse of ``to_toml``."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise ScenarioError("scenario", text[:60], "TOML", str(error)) from None


SECTIONS: dict[str, type[Any]] = {"load": Load, "service": Service, "admission": Admission, "retry": Retry}

FIELDS = frozenset(
    [f"{name}.{f.name}" for name, section in SECTIONS.items() for f in fields(section)]
    + ["seed", "warmup_s", "drain_s"]
)
"""Every dotted field name, as ``--set`` takes them."""

KNOBS = {
    "arrival_rate": "load.arrival_rate",
    "service_time_s": "service.service_time_s",
    "workers": "service.workers",
    "limit": "admission.limit",
    "admission_policy": "admission.policy",
    "retry_policy": "retry.policy",
    "attempts": "retry.attempts",
    "base_s": "retry.base_s",
    "cap_s": "retry.cap_s",
    "timeout_s": "retry.timeout_s",
    "deadline_s": "retry.deadline_s",
    "honour_retry_after": "retry.honour_retry_after",
    "after_timeout": "retry.after_timeout",
}
"""What can be changed while a run is going on, and the field it stands for."""


def parse(path: str, text: str) -> Any:
    """The value that ``--set path=text`` means: none, a boolean, a number, JSON for steps, else the text itself."""
    lowered = text.strip().lower()
    if lowered == "none":
        # ``retry.policy=none`` is a policy's name; everywhere else none means "no such bound"
        return "none"
    try:
        return msgspec.json.decode(lowered)
    except msgspec.DecodeError:
        return text


def _none(section: str, name: str, value: Any) -> Any:
    path = f"{section}.{name}".lstrip(".")
    if path not in FIELDS:
        raise ScenarioError(path, value, f"one of {', '.join(sorted(FIELDS))}", "Check the spelling.")
    return None if value == "none" and path != "retry.policy" else value


def _named_none(data: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _named_none(value) if isinstance(value, dict) else "none" if value is None else value
        for name, value in data.items()
    }


def _table(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ScenarioError("scenario", data, "a JSON object", "Write {} around the sections.")
    return data


__all__ = ["FIELDS", "KNOBS", "Admission", "Load", "Retry", "Scenario", "Service", "parse"]
