"""Decisions as scalar functions ``(state, now, u) -> (state, decision)``: no I/O, no clock, no dice of their own.

A state is a NamedTuple of numbers; every decision gives back the next one. ``now`` is in seconds since the run's
origin, ``u`` is a unit variate and there only where a policy throws dice. The live system calls these functions, and
the twin compiles the very same ones: so they keep to what a compiler of scalars knows (no None, dict or exception).
"""
