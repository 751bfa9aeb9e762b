"""Rows of events folded into time bins: what the plots draw, live or of a whole run.

Feeding is incremental and does not depend on how the rows were cut into batches, nor on whether the gateway's row
of an attempt comes before its client's. All times are seconds since the run's origin.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from demo_workers.records.events import ClientOutcome, Events, Kind, Outcome, Result
from lessons.show.latencies import Latencies, grown

Array = NDArray[np.float64]

_BROKEN = (Result.FAILED, Result.LOST)
_WORKED = (Result.OK, *_BROKEN)
"""Ends of jobs that had begun at a worker."""

GRAIN = 2.0**-20
"""Parts of a bin are multiples of this, so that sums of them do not depend on the order."""

AMPLIFICATION_S = 2.0
"""Attempts per request are counted over this many seconds."""


class _Column(IntEnum):
    ATTEMPTS, FIRST, IN_TIME, REFUSED, INSIDE, RETRYING, BUSY, BUSY_PART = range(8)


class Totals(NamedTuple):
    """What became of everything so far.

    ``late``: the client's patience was over first; ``gave_up``: cut short by its deadline or the end of the run;
    ``refused``: the last answer was a 503 or 429, or a guard of the clients' own held the last try back; ``failed``: a
    broken connection or no proper answer. ``refusals`` counts every 503 and 429, ``attempts`` every try that left,
    ``held_back`` those that did not; ``broken`` jobs failed at a worker or were lost with it.
    """

    requests: int = 0
    attempts: int = 0
    refusals: int = 0
    in_time: int = 0
    late: int = 0
    refused: int = 0
    gave_up: int = 0
    failed: int = 0
    held_back: int = 0
    broken: int = 0

    @property
    def open(self) -> int:
        """Requests whose end is not known yet."""
        return self.requests - self.in_time - self.late - self.refused - self.gave_up - self.failed


class View(NamedTuple):
    """Columns over time, one value per bin. Rates are per second, latencies seconds, NaN where there is nothing.

    ``t`` is the middle of each bin; ``arriving`` counts every attempt, ``first`` first attempts only; ``limit`` is NaN
    where there is none; ``retrying`` counts requests between a failed attempt and the end of the next; ``busy`` are the
    workers that have a job, on average over the bin.
    """

    t: Array
    arriving: Array
    first: Array
    in_time: Array
    refused: Array
    inside: Array
    limit: Array
    p50: Array
    p95: Array
    retrying: Array
    amplification: Array
    busy: Array


class Series:
    """A fold of events.

    Args:
        bin_s: width of a bin in seconds.
        limit: the limit in force at the start; None is none.
    """

    def __init__(self, *, bin_s: float = 0.25, limit: int | None = None) -> None:
        self.bin_s = bin_s
        self.over = False  # once true, requests still open count by their last attempt
        self.latest_s = 0.0
        self._first_limit = np.inf if limit is None else float(limit)
        self._counts = np.zeros((256, len(_Column)))
        self._depth = np.full(256, -1.0)
        self._limits = np.full(256, np.nan)
        self._state = np.zeros(1024, np.uint8)  # ClientOutcome of the last attempt of each request
        self._again = np.zeros(1024, bool)  # whether that attempt is going to be followed by another
        self._latencies = Latencies(bin_s)
        self._attempts = self._requests = self._refusals = self._held_back = self._broken = 0

    def feed(self, events: Events) -> None:
        """Add rows."""
        if not len(events):
            return
        times = events["t"]
        last = float(np.nanmax(times, initial=self.latest_s))
        self.latest_s = max(self.latest_s, last)
        self._counts = grown(self._counts, int(last / self.bin_s) + 2, 0.0)
        self._depth = grown(self._depth, len(self._counts), -1.0)
        self._limits = grown(self._limits, len(self._counts), np.nan)
        kinds = events["kind"]
        self._feed_clients(events[(kinds == Kind.SENT) | (kinds == Kind.ANSWERED) | (kinds == Kind.HELD_BACK)])
        self._feed_decisions(events[kinds == Kind.DECIDED])
        ended = events[kinds == Kind.ENDED]
        # a job that never returned left the system when its row says so
        left = np.where(np.isnan(ended["t"]), ended["value"], ended["t"])
        left = np.where(np.isnan(left), self.latest_s, left)
        self._add(_Column.INSIDE, left[self._latencies.end(ended)], -1.0)
        self._feed_work(events[kinds == Kind.STARTED], left[np.isin(ended["code"], _WORKED) & (ended["actor"] >= 0)])
        self._broken += int(np.isin(ended["code"], _BROKEN).sum())

    def _feed_work(self, started: Events, left: Array) -> None:
        taken = np.where(np.isnan(started["value"]), started["t"], started["value"])
        for times, sign in ((taken, 1.0), (left, -1.0)):
            self._add(_Column.BUSY, times, sign)
            # of the bin in which it changes, the part that is still to come
            part = np.rint((1 - times / self.bin_s % 1) / GRAIN) * GRAIN
            np.add.at(self._counts[:, _Column.BUSY_PART], self._bin(times), sign * part)

    def _feed_clients(self, rows: Events) -> None:
        if not len(rows):
            return
        size = int(rows["request"].max()) + 1
        self._state, self._again = grown(self._state, size, 0), grown(self._again, size, False)
        sent, answered = rows["kind"] == Kind.SENT, rows["kind"] == Kind.ANSWERED
        codes, again = rows["code"], answered & np.isfinite(rows["value"])
        # of several rows of one request the last one stays
        self._state[rows["request"]] = np.where(answered, codes, ClientOutcome.PENDING)
        self._again[rows["request"]] = again

        times, first = rows["t"], rows["attempt"] == 1
        self._latencies.send(rows[sent])
        self._add(_Column.ATTEMPTS, times[sent])
        self._add(_Column.FIRST, times[~answered & first])
        self._add(_Column.IN_TIME, times[answered & (codes == ClientOutcome.SUCCEEDED)])
        refused = answered & (codes == ClientOutcome.REFUSED) & (rows["status"] > 0)
        self._add(_Column.REFUSED, times[refused])
        self._add(_Column.RETRYING, times[again])
        self._add(_Column.RETRYING, times[answered & ~first], -1.0)
        self._attempts += int(sent.sum())
        self._requests += int((~answered & first).sum())
        self._refusals += int(refused.sum())
        self._held_back += int((~sent & ~answered).sum())

    def _feed_decisions(self, rows: Events) -> None:
        admitted = rows[rows["code"] == Outcome.ADMITTED]
        self._add(_Column.INSIDE, admitted["t"])
        np.maximum.at(self._depth, self._bin(admitted["t"]), admitted["depth"])
        said = rows[(rows["code"] == Outcome.ADMITTED) | (rows["code"] == Outcome.SHED)]
        self._limits[self._bin(said["t"])] = np.where(said["limit"] < 0, np.inf, said["limit"])

    def totals(self) -> Totals:
        """Counts so far."""
        ends = self._state if self.over else np.where(self._again, ClientOutcome.PENDING, self._state)
        n = np.bincount(ends, minlength=len(ClientOutcome)).tolist()
        return Totals(
            self._requests,
            self._attempts,
            self._refusals,
            in_time=n[ClientOutcome.SUCCEEDED],
            late=n[ClientOutcome.TIMED_OUT],
            refused=n[ClientOutcome.REFUSED],
            gave_up=n[ClientOutcome.GAVE_UP],
            failed=n[ClientOutcome.ERRORED],
            held_back=self._held_back,
            broken=self._broken,
        )

    def view(self, until_s: float | None = None, seconds: float | None = None, *, smooth: int = 2) -> View:
        """The bins that are complete at ``until_s`` (default: everything fed), the last ``seconds`` of them.

        Args:
            until_s: seconds since the run's origin; a bin that is still filling would show a dip that is none.
            seconds: None shows all from the start.
            smooth: rates are means over this many bins.
        """
        if until_s is None:
            n = int(self.latest_s / self.bin_s) + 1
        else:
            n = min(max(int(until_s / self.bin_s + 1e-9), 0), len(self._counts))
        start = 0 if seconds is None else max(n - round(seconds / self.bin_s), 0)
        counts = self._counts[:n]
        arriving, first, in_time, refused = (_recent(counts[:, c], smooth) / self.bin_s for c in range(4))
        wide = max(round(AMPLIFICATION_S / self.bin_s), 1)
        requests, attempts = (_recent(counts[:, c], wide) for c in (_Column.FIRST, _Column.ATTEMPTS))
        p50, p95 = self._latencies.quantiles(n)
        with np.errstate(divide="ignore", invalid="ignore"):
            amplification = np.asarray(np.where(requests > 0, attempts / requests, np.nan), float)
        level = np.maximum(np.cumsum(counts[:, _Column.RETRYING]), 0)
        middles: Array = (np.arange(n, dtype=float) + 0.5) * self.bin_s
        had = np.cumsum(counts[:, _Column.BUSY]) - counts[:, _Column.BUSY]
        busy = np.maximum(had + counts[:, _Column.BUSY_PART], 0)
        inside, limit = self._inside(n), self._limit(n)
        every = View(middles, arriving, first, in_time, refused, inside, limit, p50, p95, level, amplification, busy)
        return View._make(column[start:] for column in every)

    @property
    def peak(self) -> int:
        """The most jobs that were in the system at once."""
        return int(np.max(self._inside(int(self.latest_s / self.bin_s) + 1), initial=0))

    def _inside(self, n: int) -> Array:
        # The admission script's own count is exact, so it goes first. Between admissions the record has to do: it
        # cannot be used throughout, because admissions are stamped before the script runs and would overshoot.
        level = np.maximum(np.cumsum(self._counts[:n, _Column.INSIDE]), 0)
        before = np.concatenate([[0.0], level])[:n]
        return np.where(self._depth[:n] >= 0, self._depth[:n], np.maximum(level, before))

    def _limit(self, n: int) -> Array:
        seen = np.concatenate([[self._first_limit], self._limits[:n]])
        last = np.maximum.accumulate(np.where(np.isnan(seen), 0, np.arange(n + 1)))
        limit = seen[last][1:]
        return np.where(np.isinf(limit), np.nan, limit)

    def _bin(self, times: Array) -> NDArray[np.int64]:
        return np.maximum(times / self.bin_s, 0).astype(np.int64)

    def _add(self, column: _Column, times: Array, amount: float = 1.0) -> None:
        np.add.at(self._counts[:, column], self._bin(times), amount)


def _recent(column: Array, bins: int) -> Array:
    """Trailing mean over at most ``bins`` bins."""
    total = np.concatenate([[0.0], np.cumsum(column)])
    at = np.arange(1, len(column) + 1)
    since = np.maximum(at - bins, 0)
    return np.asarray((total[at] - total[since]) / np.maximum(at - since, 1))
