"""Room for closed formulas; nothing here yet."""
