"""Decisions as scalar functions ``(state, now, u) -> (state, decision)``; no I/O, no clock, no randomness of their own."""
