"""Further 2: what a million jobs cost, as a worker is paid for also while it is idle and while RQ is at work."""

from __future__ import annotations

from lessons.check.claims import Claim, check
from lessons.theory.bounds import number, positive

JOBS = 1_000_000
HOUR_S = 3600.0
PRICE = 0.05
"""Of one worker for an hour, in whatever money: an example, and the reader's to change."""

RQ_S = 0.003
"""What RQ itself takes per job in the example; chapter 03 prints what it is on this machine."""

WORKS_S = (0.001, 0.05, 1.0)
UTILIZATIONS = (0.5, 0.79, 0.95)
"""Three workers, nineteen, and what Finance would like (sections b to d)."""


def cost(work_s: float, utilization: float, *, price: float = PRICE, rq_s: float = RQ_S) -> float:
    """What a million jobs cost: the time they hold workers, over the share of the time in which workers are held.

    Args:
        work_s: of one job, seconds.
        utilization: ρ, RQ's own time included; in (0, 1].
        price: of one worker for an hour.
        rq_s: RQ's own time per job, seconds.

    Raises:
        ScenarioError: a value is out of bounds.
    """
    held_s = positive("work_s", work_s) + number("rq_s", rq_s)
    busy = number("utilization", utilization, 0.0, 1.0, above=True)
    return JOBS * held_s / busy * number("price", price) / HOUR_S


def show_bill(price: float = PRICE, rq_s: float = RQ_S) -> None:
    """A table: three lengths of work, three utilizations, and how much of the bill is RQ's.

    Args:
        price: of one worker for an hour.
        rq_s: RQ's own time per job, seconds.
    """
    print(f"a million jobs, a worker at {price:g} per hour, RQ {1000 * rq_s:g} ms per job")
    print(f"{'work':>8}" + "".join(f"{f'at {rho:.0%}':>10}" for rho in UTILIZATIONS) + f"{'of it RQ':>10}")
    for work_s in WORKS_S:
        costs = "".join(f"{cost(work_s, rho, price=price, rq_s=rq_s):>10.2f}" for rho in UTILIZATIONS)
        print(f"{f'{1000 * work_s:g} ms':>8}{costs}{rq_s / (work_s + rq_s):>10.0%}")


def check_bill() -> None:
    """What this section says of the bill.

    Raises:
        ClaimError: it is not so.
    """
    tiny, usual, long = (cost(work_s, UTILIZATIONS[1]) for work_s in WORKS_S)
    half, busy = cost(WORKS_S[1], UTILIZATIONS[0]), cost(WORKS_S[1], UTILIZATIONS[2])
    numbers = f"{tiny:.3f}, {usual:.3f}, {long:.3f}; {half:.3f}, {busy:.3f}"
    check(
        Claim("of the shortest jobs' bill more than half is RQ's", tiny > 2 * cost(WORKS_S[0], UTILIZATIONS[1], rq_s=0),
              numbers),
        Claim("of the longest jobs' bill hardly anything is", long < 1.01 * cost(WORKS_S[2], UTILIZATIONS[1], rq_s=0),
              numbers),
        Claim("the large pool saves a third of what the small one costs", 0.3 < 1 - usual / half < 0.4, numbers),
        Claim("to run it hotter still saves less than a fifth of the rest", 0 < 1 - busy / usual < 0.2, numbers),
    )  # fmt: skip
