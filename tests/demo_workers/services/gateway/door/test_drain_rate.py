from __future__ import annotations

from demo_workers.services.gateway.door.drain_rate import MOST, WINDOW_S, DrainRate


def drained(*times: float) -> DrainRate:
    """A rate that has seen jobs finish at these seconds."""
    rate = DrainRate()
    for t in times:
        rate.finished(t)
    return rate


def test_nothing_finished_is_no_rate() -> None:
    """Then Retry-After is 1."""
    assert DrainRate().per_second(0.0) is None
    assert DrainRate().retry_after_s(depth=90, limit=10, now=0.0) == 1.0


def test_the_surplus_over_the_rate() -> None:
    """Ten jobs a second and 8 + 1 too many inside: 0.9 s."""
    rate = drained(*(n / 10 for n in range(100)))
    assert abs((rate.per_second(9.9) or 0) - 10) < 0.3
    assert abs(rate.retry_after_s(depth=28, limit=20, now=9.9) - 0.9) < 0.03


def test_one_quick_job_is_no_great_rate() -> None:
    """A measurement lasts at least a second."""
    assert drained(5.0).per_second(5.001) == 1.0


def test_what_was_long_ago_does_not_count() -> None:
    """After a pause the rate is unknown again, and begins anew."""
    rate = drained(*(n / 100 for n in range(300)))
    assert rate.per_second(3 + WINDOW_S) is None
    rate.finished(20.0)
    assert rate.per_second(20.5) == 1.0


def test_very_many_jobs_shorten_the_window() -> None:
    """Memory is bounded and the rate still right."""
    rate = drained(*(n / 10_000 for n in range(2 * MOST)))
    assert abs((rate.per_second(2 * MOST / 10_000) or 0) - 10_000) < 10
