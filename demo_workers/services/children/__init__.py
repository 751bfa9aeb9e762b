"""Processes of ours and foreign programs, none of which outlives its owner."""
