"""The sentences: what the picture says, said again in words and numbers.

One sentence serves as live text, alt text and stored summary, so that nobody needs to see the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from demo_workers.scenario import HOOKS, Scenario
from lessons.show.scene import Band, Ghost, Mark
from lessons.show.series import Series, Totals, View

TOGETHER_S = 0.3
"""Knobs that were turned one after the other so quickly are said together: a reader's policy turns two."""

LATE_AFTER_S = 1.0
"""A burst's lateness is worth a title when it outlives the burst by this long."""

SYMBOLS = {
    "arrival_rate": "λ {}",
    "service_time_s": "1/μ {} s",
    "workers": "c {}",
    "limit": "K {}",
    "admission_policy": "queue {}",
    "retry_policy": "retry {}",
    "attempts": "{} tries",
    "timeout_s": "patience {} s",
    "think_time_s": "think {} s",
    "client_rate": "each {} per s",
    "budget_ratio": "budget {}",
    "breaker_failures": "breaker {}",
    "throttle_k": "throttle K {}",
    "bucket_tokens": "bucket {}",
    "next_try": "your {}",
    "admit": "your {}",
    "worker_died": "worker died",
    "horse_died": "work horse died",
    "kill_worker": "worker killed",
    "kill_horse": "work horse killed",
    "freeze_worker": "worker frozen",
    "thaw_worker": "worker thawed",
    "slow_network": "network +{} s",
    "fill_memory": "memory full",
    "free_memory": "memory freed",
    "kill_gateway": "gateway killed",
    "kill_redis": "Redis killed",
    "power_cut": "power cut",
}


_USUAL = {HOOKS["place"][0], HOOKS["take"][0]}  # a mixture names them too


def mark(t: float, knob: str, value: Any) -> Mark:
    """A turned knob as the plots name it."""
    said = "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    if knob == "admission_policy":
        said = "+".join(part for part in said.split("+") if part not in _USUAL) or said
    return Mark(t, knob, SYMBOLS.get(knob, f"{knob.replace('_', ' ')} {{}}").format(said), value)


def turned(marks: Sequence[Mark]) -> str:
    """What was turned last, and when, for a live picture's alt text."""
    if not marks:
        return ""
    last_s = marks[-1].t
    labels = {mark.knob: mark.label for mark in marks if last_s - mark.t < TOGETHER_S}
    return f"Turned at {last_s:.1f} s: {', '.join(labels.values())}."


def names(before: Scenario, after: Scenario) -> tuple[str, str]:
    """What tells two runs apart: the first knob that differs, by its value."""
    pairs: tuple[tuple[Any, Any, Callable[[Any], str]], ...] = (
        (before.admission.limit, after.admission.limit, lambda v: "no limit" if v is None else f"limit {v}"),
        (before.retry.attempts, after.retry.attempts, lambda v: f"{v} tries" if v > 1 else "no retries"),
        (before.retry.policy, after.retry.policy, lambda v: f"backoff {v}"),
        (before.service.workers, after.service.workers, lambda v: f"{v} workers"),
        (before.load.arrival_rate, after.load.arrival_rate, lambda v: f"λ {v:g}"),
    )
    for a, b, name in pairs:
        if a != b:
            return name(a), name(b)
    return "first run", "this run"


def summary(series: Series, *, noun: str = "requests") -> str:
    """What happened, in two to four sentences."""
    n = series.totals()
    if not n.requests:
        return f"No {noun} yet."
    fates = [f"{n.in_time:,} were answered in time", f"{n.late:,} late", f"{n.refused:,} refused"]
    fates += [f"{count:,} {word}" for count, word in ((n.gave_up, "given up"), (n.failed, "failed")) if count]
    fates += [f"{n.open:,} still open"] if n.open else []
    parts = [f"{n.requests:,} {noun} came; {', '.join(fates)}.", f"At most {series.peak:,} were inside."]
    if n.attempts > n.requests:
        parts.append(
            f"They took {n.attempts:,} attempts, {n.attempts / n.requests:.1f} each, and met {n.refusals:,} refusals."
        )
    if n.held_back:
        parts.append(f"The clients' own guards held {n.held_back:,} attempts back.")
    return " ".join(parts)


def present(view: View) -> str:
    """The last second in words, for a live picture's alt text."""
    if not len(view.t):
        return ""
    limit = "no limit" if np.isnan(view.limit[-1]) else f"limit {view.limit[-1]:g}"
    said = f"Now {view.arriving[-1]:.0f} arrive per second, {view.in_time[-1]:.0f} are answered in time"
    said += f", {view.refused[-1]:.0f} refused; {view.inside[-1]:.0f} inside, {limit}"
    return said + ("." if np.isnan(view.p95[-1]) else f"; 95 % are done within {view.p95[-1]:.2f} s.")


def finding(
    series: Series,
    *,
    noun: str = "requests",
    ghost: Ghost | None = None,
    bands: Sequence[Band] = (),
    patience_s: float | None,
) -> str:
    """The title of a run that is over, computed from it."""
    n = series.totals()
    if not n.requests:
        return f"No {noun} came"
    if ghost:
        return comparison(ghost.totals, n, noun=noun)
    lateness = _lateness(series.view(), bands, patience_s)
    if lateness and n.late:
        return lateness.format(noun=noun)
    if n.in_time == n.requests:
        return f"All {n.requests:,} {noun} were answered in time"
    return f"{n.in_time:,} of {n.requests:,} {noun} were answered in time"


def comparison(before: Totals, after: Totals, *, noun: str = "requests") -> str:
    """What the second run changed, from the counts of both."""
    more, refused = after.in_time - before.in_time, after.refused - before.refused
    gain = f"{more:,} more" if more > 0 else f"{-more:,} fewer" if more < 0 else "just as many"
    if refused > 0:
        return f"Refusing {after.refused:,} {noun} served {gain} in time"
    return f"{gain[0].upper()}{gain[1:]} {noun} in time: {before.in_time:,} before, {after.in_time:,} now"


def _lateness(view: View, bands: Sequence[Band], patience_s: float | None) -> str:
    """How long lateness outlived the burst, as a title with the noun left open; "" when it did not."""
    if not bands or patience_s is None:
        return ""
    end = bands[-1].end_s
    length = bands[-1].end_s - bands[-1].start_s
    late = view.t[(view.p95 > patience_s) & (view.t > end)]
    if not len(late) or late[-1] - end < LATE_AFTER_S:
        return ""
    return f"{length:g} s of {bands[-1].label}, and {{noun}} were late for {late[-1] - end:.0f} s more"


def compare(before: Series, after: Series, labels: tuple[str, str], *, noun: str = "requests") -> str:
    """Alt text of two runs in one figure."""
    return (
        f"{labels[0].capitalize()}: {summary(before, noun=noun)} {labels[1].capitalize()}: {summary(after, noun=noun)}"
    )


def fates(first: float, second: float, labels: tuple[str, str], tail_s: float, *, noun: str = "requests") -> str:
    """Two goodput curves after the same spike.

    Args:
        first: answers in time per second at the end, of the first run.
        second: the same of the second run.
        labels: names of both runs.
        tail_s: seconds at the end over which these are means.
        noun: what is answered.
    """
    return (
        f"The same load and the same spike, twice. In the last {tail_s:g} s {first:.0f} {noun} per second were "
        f"answered in time with {labels[0]}, and {second:.0f} per second with {labels[1]}."
    )


def facts(series: Series) -> dict[str, bool]:
    """What can be asserted without numbers: the same in every healthy run of a robust scenario."""
    view, n = series.view(), series.totals()
    return {
        "answers came in time": n.in_time > 0,
        "some were late": n.late > 0,
        "503s seen": n.refusals > 0,
        "retries seen": n.attempts > n.requests,
        "never above the limit": not np.any(view.inside > np.nan_to_num(np.fmax.accumulate(view.limit), nan=np.inf)),
    }
