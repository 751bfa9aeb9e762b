"""Room for the simulated twin; nothing here yet."""
