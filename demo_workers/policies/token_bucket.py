"""Retry throttling by a token bucket: failures empty it, successes fill it slowly, and half empty it forbids retries.

A failure takes one token, a success gives ``ratio``. Retries go while more than half of the ``tokens`` are there. There
is no clock in it: only answers move it.

Source: gRPC proposal A6, "Client Retries", section "Throttling Retry Attempts and Hedged RPCs" (maxTokens, tokenRatio).
"""

from __future__ import annotations

from typing import NamedTuple


class TokenBucket(NamedTuple):
    """How many tokens are missing, so that every bucket starts full, whatever its size."""

    missing: float = 0.0


def allow(state: TokenBucket, now: float, tokens: float) -> tuple[TokenBucket, bool]:
    """A retry wants to go: it does while more than half of the tokens are there. Asking takes none."""
    return state, left(state, tokens) > tokens / 2


def record(state: TokenBucket, now: float, failed: bool, tokens: float, ratio: float) -> TokenBucket:
    """An attempt has ended."""
    missing = min(tokens, state.missing) + (1.0 if failed else -ratio)
    return TokenBucket(min(tokens, max(0.0, missing)))


def left(state: TokenBucket, tokens: float) -> float:
    """Tokens in the bucket."""
    return max(0.0, tokens - state.missing)
