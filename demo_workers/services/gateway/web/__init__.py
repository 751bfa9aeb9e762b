"""HTTP itself: the listening side, its bounds, what headers say, and problem bodies."""
