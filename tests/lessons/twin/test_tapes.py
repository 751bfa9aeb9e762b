"""The twin plays the very tape that the live clients play, and its copies of live rules say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo_workers.scenario import Load, Scenario, Service
from demo_workers.services.gateway.door import drain_rate as live
from demo_workers.tape import Request, Tape
from demo_workers.variates import Stream, variate
from lessons.twin import drain_rate, room
from lessons.twin.compiling import compiled
from lessons.twin.parameters import parameters
from lessons.twin.simulate import Overheads
from lessons.twin.tapes import Change, open_tape
from lessons.twin.uniform import uniform_compiled

EXACT_S = 1e-9

loads = st.builds(
    Load,
    kind=st.sampled_from(["poisson", "uniform", "ramp", "spike", "steps"]),
    arrival_rate=st.floats(0, 150),
    ramp_to_rate=st.floats(0, 150),
    spike_rate=st.floats(0, 300),
    spike_start_s=st.floats(0, 3),
    steps=st.just(((1.0, 30.0), (2.5, 90.0))),
    duration_s=st.floats(0.5, 5),
    urgent_share=st.sampled_from([0.0, 0.4]),
)
services = st.builds(Service, distribution=st.sampled_from(["exponential", "deterministic", "lognormal"]))
turns = st.lists(st.tuples(st.floats(0, 5), st.floats(0, 150), st.floats(0.001, 1)), max_size=3)


@settings(max_examples=80, deadline=None)
@given(loads, services, turns, st.integers(0, 2**63 - 1))
def test_the_tape_is_that_of_the_live_clients(
    load: Load, service: Service, turned: list[tuple[float, float, float]], seed: int
) -> None:
    """Every request with its time, work, client and urgency, also with knobs turned on the way."""
    scenario = Scenario(load=load, service=service, seed=seed)
    changes = [
        Change(t, scenario.steered(arrival_rate=rate, service_time_s=mean))
        for t, rate, mean in sorted(turned)
        if rate > 0
    ]
    tape, expected = Tape(scenario), list[Request]()
    for t, then in changes:
        while tape.due_s <= t:
            expected.append(tape.pop())
        tape.steer(t, then)
    expected += list(tape)
    found = open_tape(scenario, changes)
    near_an_end = abs(len(found.due_s) - len(expected)) <= 1  # one that is due in the last moment may be in or out
    n = min(len(found.due_s), len(expected))
    assert near_an_end
    assert found.due_s[:n] == pytest.approx([r.due_s for r in expected[:n]], abs=EXACT_S)
    assert found.service_s[:n] == pytest.approx([r.service_time_s for r in expected[:n]], rel=1e-12)
    assert found.client[:n].tolist() == [r.client for r in expected[:n]]
    assert found.urgent[:n].astype(bool).tolist() == [r.urgent for r in expected[:n]]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=60))
def test_a_refused_client_is_told_the_same_wait(steps: list[tuple[float, bool]]) -> None:
    """The gateway's rule and the twin's copy of it, over the same finishes and questions."""
    scenario = Scenario(load=Load(arrival_rate=0))
    params = [parameters(scenario, scenario)]
    sim = room.sim(7, open_tape(scenario), 1, params, Overheads(), 100, compiled=False)
    gateway, now = live.DrainRate(), 0.0
    for passed_s, finished in steps:
        now += passed_s
        sim.now[0].t = now
        if finished:
            gateway.finished(now)
            drain_rate.finished(sim)
        else:
            assert drain_rate.retry_after_s(sim, 9, 5) == pytest.approx(gateway.retry_after_s(9, 5, now))


def test_compiled_code_throws_the_same_dice() -> None:
    """To the last bit, also for the largest seed."""
    roll = compiled(uniform_compiled)
    for seed in (0, 7, 2**63 - 1):
        for index in (0, 1, 10**9):
            assert roll(seed, int(Stream.JITTER), index, 3) == variate(seed, Stream.JITTER, index, 3)
    assert len({roll(7, 4, i, 0) for i in range(100)}) == 100
    assert np.isfinite(roll(1, 1, 1, 1))
