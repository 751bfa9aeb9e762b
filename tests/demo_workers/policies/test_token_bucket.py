"""The token bucket of retries: failures take, successes give, and half of it forbids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo_workers.policies.token_bucket import TokenBucket, allow, left, record


@given(st.lists(st.booleans(), max_size=300), st.floats(1, 100), st.floats(0, 10))
def test_the_bucket_counts_within_its_bounds(ended: list[bool], tokens: float, ratio: float) -> None:
    """−1 for a failure, +ratio for a success, never below empty or above full; retries go above half."""
    state, expected = TokenBucket(), tokens
    for failed in ended:
        state = record(state, 0.0, failed, tokens, ratio)
        expected = min(tokens, max(0.0, expected - 1 if failed else expected + ratio))
        assert left(state, tokens) == pytest.approx(expected, abs=1e-9)
        assert allow(state, 0.0, tokens) == (state, left(state, tokens) > tokens / 2)


@given(st.integers(1, 1000))
def test_half_as_many_failures_as_tokens_forbid_retries(tokens: int) -> None:
    """From a full bucket: the one that brings it to half or below, as gRPC has it."""
    state, failures = TokenBucket(), 0
    while allow(state, 0.0, float(tokens))[1]:
        state, failures = record(state, 0.0, True, float(tokens), 0.1), failures + 1
    assert failures == -(-tokens // 2)


@pytest.mark.parametrize("ratio", [0.01, 0.1, 0.5])
def test_retries_go_while_failures_are_rarer_than_the_ratio(ratio: float) -> None:
    """In the long run f failures per success stop retries exactly where f > ratio."""
    for per_success, goes in ((0.8 * ratio, True), (1.2 * ratio, False)):
        state, owed = TokenBucket(), 0.0
        for _ in range(int(100 / ratio)):
            state, owed = record(state, 0.0, False, 10.0, ratio), owed + per_success
            while owed >= 1:
                state, owed = record(state, 0.0, True, 10.0, ratio), owed - 1
        assert allow(state, 0.0, 10.0)[1] == goes


def test_a_smaller_bucket_in_mid_run_is_not_in_debt() -> None:
    """A knob turned down leaves an empty bucket, not a negative one."""
    state = TokenBucket(missing=80.0)
    assert left(state, 10.0) == 0
    state = record(state, 0.0, False, 10.0, 6.0)
    assert left(state, 10.0) == 6
