"""The simulated twin; so far only what compiles the policies for it."""
