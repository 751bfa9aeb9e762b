"""One way to say what happens: Load, Service, Admission and Retry make a Scenario.

A scenario is plain, frozen data. The live system, the twin and the theory all start from it.
Every bad value gets a ``ScenarioError`` with name, value, bound and remedy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import msgspec
import tomli_w

from demo_workers.errors import ScenarioError
from demo_workers.fields import Section, choice, integer, number

LoadKind = Literal["poisson", "uniform", "steps", "ramp", "spike", "closed"]
Distribution = Literal["exponential", "deterministic", "lognormal"]
Work = Literal["sleep", "cpu"]
WorkerClass = Literal["simple", "fork"]
Timings = Literal["classroom", "default"]
BackoffPolicy = Literal["none", "immediate", "fixed", "exponential", "full", "equal", "decorrelated", "custom"]
AfterTimeout = Literal["backoff", "at_once"]
Steps = tuple[tuple[float, float], ...]

MAX_RATE = 2000.0
"""Arrivals per second: more than one machine can send."""

MAX_SERVICE_S = 60.0
"""The gateway takes no longer job; the tail of a wide distribution is cut here."""

HOOKS: Mapping[str, tuple[str, ...]] = {
    "admit": ("reject", "naive", "adaptive", "custom"),
    "place": ("fifo", "lifo", "drop_oldest", "priority"),
    "take": ("all", "drop_expired", "codel"),
}
"""Where an admission policy acts, and the policies that act there; the first of each is what happens unless another
is named. ``admit``: in the gateway, whether to ask at all. ``place``: in the Lua script, where in the queue, and at
whose cost. ``take``: at the worker, whether a job is still worth doing."""


@dataclass(frozen=True, kw_only=True)
class Load(Section):
    """Requests arriving from outside.

    Open loop, whatever the system does: ``poisson`` and ``uniform`` arrive at a constant rate, at random or evenly
    spaced. The next three are Poisson with a rate that changes: ``steps`` lists (start in seconds, rate per second)
    pairs; ``ramp`` moves linearly from ``arrival_rate`` to ``ramp_to_rate``; ``spike`` runs at ``spike_rate`` for a
    while. Rates are requests per second.

    ``closed`` is the closed loop: each of ``clients`` thinks (exponential, mean ``think_time_s``), sends one request,
    and thinks again once that has ended; ``arrival_rate`` plays no part.

    ``urgent_share`` of the requests are urgent, which only ``admission.policy=priority`` looks at.
    """

    kind: LoadKind = choice("poisson", LoadKind)
    arrival_rate: float = number(40.0, 0.0, MAX_RATE, "Use a rate that one machine can send.")
    duration_s: float = number(10.0, 0.0, 3600.0, "Use a shorter run, or repeat it.", above=True)
    clients: int = integer(100, 1, 100_000, "Use at least one client.")
    ramp_to_rate: float = number(80.0, 0.0, MAX_RATE, "Use a rate that one machine can send.")
    spike_rate: float = number(90.0, 0.0, MAX_RATE, "Use a rate that one machine can send.")
    spike_start_s: float = number(5.0, 0.0, 3600.0, "Start the spike within the run.")
    spike_length_s: float = number(5.0, 0.0, 3600.0, "Use a shorter spike.")
    steps: Steps = ()
    think_time_s: float = number(1.0, 0.0, 3600.0, "Use a think time of at most an hour.")
    urgent_share: float = number(0.0, 0.0, 1.0, "Use a share between 0 and 1.")

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
        if not all(0 <= rate <= MAX_RATE for _, rate in steps):
            raise ScenarioError("load.steps", self.steps, f"rates between 0 and {MAX_RATE:g} per second", remedy)
        if self.kind == "steps" and not steps:
            raise ScenarioError("load.steps", self.steps, "at least one pair when kind is steps", remedy)
        object.__setattr__(self, "steps", steps)


@dataclass(frozen=True, kw_only=True)
class Service(Section):
    """The work of one request and who does it.

    ``cv`` is that of the service time; only ``lognormal`` uses it. ``worker_class``: ``simple`` works in the worker's
    own process, ``fork`` in a child process (work horse) per job. ``timings``: how soon RQ notices the dead,
    ``classroom`` in seconds, ``default`` as RQ comes.
    """

    service_time_s: float = number(0.05, 0.0, 60.0, "Use a mean of at most a minute.", above=True)
    distribution: Distribution = choice("exponential", Distribution)
    cv: float = number(1.0, 0.0, 10.0, "Use a coefficient of variation of at most 10.")
    work: Work = choice("sleep", Work)
    workers: int = integer(3, 0, 64, "Each worker is a process of some 45 MB.")
    worker_class: WorkerClass = choice("simple", WorkerClass)
    timings: Timings = choice("classroom", Timings)

    _name = "service"


@dataclass(frozen=True, kw_only=True)
class Admission(Section):
    """Who may come in, in which order they are served, and which jobs are not worth doing any more.

    ``limit`` is K: waiting plus running jobs; None is no limit. ``policy`` is one name of ``HOOKS``, or several joined
    by ``+``, at most one for each hook: ``reject`` (decides and writes in one script, exact), ``naive`` (reads the
    length, then pushes: it races), ``lifo+drop_expired``. ``client_rate`` and ``client_burst`` bound each client by a
    token bucket, past which it hears 429.

    Attributes:
        codel_target_s, codel_interval_s: of ``codel``. A queueing delay that stays above the target for an interval
            is a standing queue. Source: RFC 8289, whose 5 and 100 ms are for packets; ours are for jobs.
        gradient_tolerance: of ``adaptive``. How many times the quiet sojourn may be exceeded before the limit shrinks.
    """

    policy: str = "reject"
    limit: int | None = integer(None, 1, 1_000_000, "Use a limit of at least 1, or none.", none=True)
    client_rate: float | None = number(None, 0.0, 2000.0, "Use a rate of at most 2,000 per second.", above=True)
    client_burst: float = number(10.0, 1.0, 10_000.0, "Use a burst of at least 1.")
    codel_target_s: float = number(0.1, 0.0, 60.0, "Use a target of at most a minute.", above=True)
    codel_interval_s: float = number(1.0, 0.0, 600.0, "Use an interval of at most ten minutes.", above=True)
    gradient_tolerance: float = number(2.0, 1.0, 100.0, "Use a tolerance of at least 1.")

    _name = "admission"

    def __post_init__(self) -> None:
        super().__post_init__()
        given: object = self.policy
        parts = given.split("+") if isinstance(given, str) else [""]
        known = [name for names in HOOKS.values() for name in names]
        acts = [hook for part in parts for hook, names in HOOKS.items() if part in names]
        if any(part not in known for part in parts):
            bound = f"one of {', '.join(known)}, or several joined by +"
            raise ScenarioError("admission.policy", self.policy, bound, "Check the spelling.")
        if len(set(acts)) < len(acts):
            groups = "; ".join(f"{hook}: {', '.join(names)}" for hook, names in HOOKS.items())
            bound = f"at most one policy of each group ({groups})"
            raise ScenarioError("admission.policy", self.policy, bound, "Leave one of them out.")

    def hook(self, name: str) -> str:
        """The policy at a hook: ``admit``, ``place`` or ``take``."""
        names = HOOKS[name]
        return next((part for part in self.policy.split("+") if part in names), names[0])


@dataclass(frozen=True, kw_only=True)
class Retry(Section):
    """What a client does about an attempt that failed.

    ``timeout_s`` is the patience for one attempt, ``deadline_s`` for the whole request (None: no such bound).
    ``attempts`` counts the first one. The n-th retry (n = 1, 2, …) has the ceiling min(cap_s, base_s · 2^(n−1)).
    ``none`` never tries again, ``immediate`` does so at once, ``custom`` asks a function written in a cell.

    The guards stand before an attempt or a retry. All clients of a run share them, as the users of one calling service
    do; None leaves a guard out.

    Attributes:
        idempotency_key: all attempts of a request carry the same key, so that a second one joins the first one's job
            instead of adding another.
        propagate_deadline: each attempt says how long its client will wait, so that ``drop_expired`` can know.
        budget_ratio, budget_floor_per_s: retry budget: retries per request, plus so many per second.
        breaker_failures, breaker_open_s: circuit breaker: opens after so many failures in a row, for so long.
        throttle_k, throttle_window_s: adaptive throttling: attempts are held back when they exceed K times the
            accepted ones of the window.
        bucket_tokens, bucket_ratio: token bucket of retries: a failure takes one, a success gives ``bucket_ratio``;
            no retry while half or fewer are left.
    """

    policy: BackoffPolicy = choice("full", BackoffPolicy)
    attempts: int = integer(1, 1, 100, "Use at least one attempt.")
    base_s: float = number(0.1, 0.0, 600.0, "Use a base of at most ten minutes.", above=True)
    cap_s: float = number(10.0, 0.0, 3600.0, "Use a cap of at most an hour.", above=True)
    timeout_s: float | None = number(None, 0.0, 30.0, "Use a patience of at most 30 s.", above=True)
    deadline_s: float | None = number(None, 0.0, 3600.0, "Use a deadline of at most an hour.", above=True)
    honour_retry_after: bool = True
    after_timeout: AfterTimeout = choice("backoff", AfterTimeout)
    idempotency_key: bool = False
    propagate_deadline: bool = True
    budget_ratio: float | None = number(None, 0.0, 10.0, "Use a ratio such as 0.2.")
    budget_floor_per_s: float = number(1.0, 0.0, 1000.0, "Use a few retries per second.")
    breaker_failures: int | None = integer(None, 1, 10_000, "Use a number such as 20, or none.", none=True)
    breaker_open_s: float = number(2.0, 0.0, 600.0, "Use a few seconds.", above=True)
    throttle_k: float | None = number(None, 1.0, 100.0, "Use a K such as 2, or none.")
    throttle_window_s: float = number(10.0, 0.0, 600.0, "Use some seconds; its source uses 120.", above=True)
    bucket_tokens: float | None = number(None, 1.0, 10_000.0, "Use a number such as 10, or none.")
    bucket_ratio: float = number(0.1, 0.0, 100.0, "Use a ratio such as 0.1.")

    _name = "retry"


@dataclass(frozen=True, kw_only=True)
class Scenario(Section):
    """Everything that decides what will happen, apart from the machine.

    ``warmup_s`` is left out of averages (None: 20 % of the run); ``drain_s`` is how long a run waits at its end for
    accepted work. The same seed gives the same tape: arrivals, service times and jitter.
    """

    load: Load = field(default_factory=Load)
    service: Service = field(default_factory=Service)
    admission: Admission = field(default_factory=Admission)
    retry: Retry = field(default_factory=Retry)
    seed: int = integer(7, 0, 2**63 - 1, "Use a seed that is a natural number.")
    warmup_s: float | None = number(None, 0.0, 3600.0, "Use a warm-up shorter than the run.")
    drain_s: float = number(5.0, 0.0, 600.0, "Use a drain of at most ten minutes.")

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

_FIXED = (
    *("kind", "duration_s", "clients", "ramp_to_rate", "spike_rate", "spike_start_s", "spike_length_s", "steps"),
    *("distribution", "cv", "work", "worker_class", "timings"),
)
_KNOB_NAMES = {"admission.policy": "admission_policy", "retry.policy": "retry_policy"}

KNOBS = {
    _KNOB_NAMES.get(f"{section}.{f.name}", f.name): f"{section}.{f.name}"
    for section, kind in SECTIONS.items()
    for f in fields(kind)
    if f.name not in _FIXED
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


__all__ = ["FIELDS", "HOOKS", "KNOBS", "Admission", "Load", "Retry", "Scenario", "Service", "parse"]
