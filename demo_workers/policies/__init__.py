"""Decisions as scalar functions ``(state, now, u) -> (state, decision)``: no I/O, no clock, no dice of their own."""
