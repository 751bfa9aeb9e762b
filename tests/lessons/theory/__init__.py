"""Closed formulas against balance equations, published tables and each other."""
