"""Little's law and the utilization law: true for any distribution and any order, if nothing stays for ever.

Source: J. D. C. Little, "A Proof for the Queuing Formula: L = λW", Operations Research 9 (1961). Utilization law:
P. J. Denning and J. P. Buzen, "The Operational Analysis of Queueing Network Models", Computing Surveys 10 (1978).
"""

from __future__ import annotations

from lessons.theory.bounds import number, positive


def in_system(admitted_rate: float, sojourn_s: float) -> float:
    """L = λW: mean jobs inside, from the admitted rate (per second) and the mean time inside (seconds).

    With the wait instead of the sojourn it is the backlog.

    Raises:
        ScenarioError: a value is negative or no number.
    """
    return number("admitted_rate", admitted_rate) * number("sojourn_s", sojourn_s)


def sojourn_s(in_system: float, admitted_rate: float) -> float:
    """W = L/λ (seconds): how long a job stays, from what is inside and how many get in per second.

    Refused jobs do not stay: use the admitted rate, not the offered one.

    Raises:
        ScenarioError: a value is negative or no number, or nothing comes in.
    """
    return number("in_system", in_system) / positive("admitted_rate", admitted_rate)


def admitted_rate(in_system: float, sojourn_s: float) -> float:
    """λ = L/W (per second).

    Raises:
        ScenarioError: a value is negative or no number, or the time is 0.
    """
    return number("in_system", in_system) / positive("sojourn_s", sojourn_s)


def busy_workers(throughput: float, service_time_s: float) -> float:
    """The utilization law: mean busy workers = throughput × mean service time.

    Raises:
        ScenarioError: a value is negative or no number.
    """
    return number("throughput", throughput) * number("service_time_s", service_time_s)
