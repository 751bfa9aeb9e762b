"""The closed tape is a function of scenario, seed, steering and when requests ended."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.closed_tape import LEAST_CYCLE_S, ClosedTape, tape_of
from demo_workers.scenario import Load, Scenario, Service
from demo_workers.tape import Request, Tape, service_time
from demo_workers.variates import Stream, variate

Response = Callable[[Request], float]


def scenario(clients: int = 5, think_time_s: float = 0.5, seed: int = 7, duration_s: float = 10.0) -> Scenario:
    """A closed loop."""
    load = Load(kind="closed", clients=clients, think_time_s=think_time_s, duration_s=duration_s)
    return Scenario(load=load, seed=seed)


def play(tape: ClosedTape, response: Response, until_s: float = math.inf) -> list[tuple[Request, float]]:
    """All requests that begin before a time with when each ended; each is out for as long as ``response`` says."""
    out: list[tuple[float, int]] = []
    found = []
    while True:
        next_end_s = out[0][0] if out else math.inf
        if min(tape.due_s, next_end_s) > until_s or tape.due_s == next_end_s == math.inf:
            return found
        if next_end_s <= tape.due_s:
            end_s, number = heapq.heappop(out)
            tape.ended(number, end_s)
        else:
            request = tape.pop()
            end_s = request.due_s + response(request)
            heapq.heappush(out, (end_s, request.request))
            found.append((request, end_s))


def by_service(request: Request) -> float:
    """As if every request had a worker of its own."""
    return request.service_time_s


@given(st.integers(0, 2**63 - 1), st.integers(1, 20), st.floats(0.01, 2))
def test_each_client_thinks_waits_and_thinks_again(seed: int, clients: int, think_time_s: float) -> None:
    """Each request comes a think time, its own, after the end of its client's last; the first begins with one."""
    played = play(ClosedTape(scenario(clients, think_time_s, seed, 3.0)), by_service)
    ended_s = dict.fromkeys(range(clients), 0.0)
    for request, end_s in played:
        think_s = -math.log1p(-variate(seed, Stream.THINK, request.request)) * think_time_s
        earliest_s = ended_s[request.client]
        assert request.due_s >= earliest_s + think_s
        assert request.due_s == pytest.approx(earliest_s + think_s, abs=LEAST_CYCLE_S)
        assert request.client == request.request % clients
        ended_s[request.client] = end_s
    for client in range(clients):
        numbers = [r.request for r, _ in played if r.client == client]
        assert numbers == list(range(client, client + clients * len(numbers), clients))


def test_the_same_seed_and_the_same_answers_play_the_same_tape() -> None:
    """To the last bit; another seed, others."""
    first, again, other = (play(ClosedTape(scenario(seed=seed)), by_service) for seed in (7, 7, 8))
    assert first == again != other


def test_a_slow_answer_moves_its_own_client_only() -> None:
    """What the others are to do does not depend on client 0, and neither do anybody's service times."""
    quick = play(ClosedTape(scenario()), by_service)
    slow = play(ClosedTape(scenario()), lambda r: 2.0 if r.client == 0 else r.service_time_s)
    assert [r for r, _ in slow if r.client] == [r for r, _ in quick if r.client]
    assert sum(r.client == 0 for r, _ in slow) < sum(r.client == 0 for r, _ in quick)
    for request, _ in slow:
        u = variate(7, Stream.SERVICE, request.request)
        assert request.service_time_s == service_time(Service(), u)


def test_no_answer_no_request() -> None:
    """Clients who wait for ever send one request each."""
    played = play(ClosedTape(scenario(clients=8)), lambda r: math.inf, until_s=1e9)
    assert sorted(r.request for r, _ in played) == list(range(8))


@pytest.mark.parametrize("seed", range(5))
def test_throughput_is_that_of_the_law(seed: int) -> None:
    """With response R and think time Z, N clients make N/(Z + R) requests per second, within five standard errors."""
    n, z, r = 50, 0.4, 0.1
    played = play(ClosedTape(scenario(n, z, seed, duration_s=100)), lambda request: r)
    expected = 100 * n / (z + r)
    assert abs(len(played) - expected) < 5 * math.sqrt(expected) * z / (z + r)


def test_no_think_time_and_no_service_do_not_stop_the_clock() -> None:
    """Refused at once, a client that does not think comes back after the least cycle: the tape gets on."""
    played = play(ClosedTape(scenario(3, 0.0, duration_s=0.1)), lambda r: 0.0)
    assert len(played) == pytest.approx(3 * 0.1 / LEAST_CYCLE_S, abs=6)
    due = [r.due_s for r, _ in played if r.client == 1]
    assert np.diff(due) == pytest.approx(LEAST_CYCLE_S)


def test_nothing_begins_after_the_duration() -> None:
    """The last request may end later; open-ended tapes go on."""
    played = play(ClosedTape(scenario(duration_s=2)), by_service)
    assert 1.5 < max(r.due_s for r, _ in played) <= 2.0
    longer = play(ClosedTape(scenario(duration_s=2), open_ended=True), by_service, until_s=10)
    assert longer[: len(played)] == played
    assert max(r.due_s for r, _ in longer) > 9


def test_past_its_end_it_says_so() -> None:
    """A tape without a next request has none to give."""
    tape = ClosedTape(scenario(1, 0.0))
    tape.pop()
    assert tape.due_s == math.inf
    with pytest.raises(StopIteration):
        tape.pop()


@given(st.integers(0, 1000), st.floats(0, 10), st.floats(0.1, 10))
def test_a_turned_think_time_scales_what_is_left_of_each(seed: int, t: float, new_s: float) -> None:
    """Who is thinking keeps the share that is left; nothing that was due before the change moves."""
    plain, steered = (ClosedTape(scenario(20, 2.0, seed), open_ended=True) for _ in range(2))
    steered.steer(t, scenario(20, new_s, seed))
    due, moved = ([tape.pop().due_s for _ in range(20)] for tape in (plain, steered))
    assert moved == pytest.approx([d if d <= t else t + (d - t) * new_s / 2.0 for d in due])


def test_think_time_and_service_time_take_effect() -> None:
    """From the change on, think times of zero end at once and service times are the new ones; and back again."""
    tape = ClosedTape(scenario(100, 5.0, duration_s=1000))
    rushed = scenario(100, 0.0, duration_s=1000).replace("service.service_time_s", 0.2)
    due = list(itertools.takewhile(lambda d: d <= 1.0, iter(lambda: tape.pop().due_s, None)))
    assert 0 < len(due) < 50
    tape.steer(1.0, rushed)
    request = tape.pop()
    assert request.due_s == 1.0
    u = variate(7, Stream.SERVICE, request.request)
    assert request.service_time_s == service_time(Service(service_time_s=0.2), u)
    tape.steer(1.0, scenario(100, 5.0, duration_s=1000))
    tape.ended(request.request, 1.5)
    think_s = -math.log1p(-variate(7, Stream.THINK, request.request + 100)) * 5.0
    while (last := tape.pop()).request != request.request + 100:
        assert last.due_s == 1.0
    assert last.due_s == 1.5 + think_s


def test_each_kind_of_load_has_its_tape() -> None:
    """Open loads get the open tape, which does not care when a request ends."""
    assert isinstance(tape_of(scenario()), ClosedTape)
    tape, twin = tape_of(Scenario()), tape_of(Scenario())
    assert isinstance(tape, Tape)
    tape.ended(tape.pop().request, 99.0)
    twin.pop()
    assert tape.due_s == twin.due_s
