"""The twin agrees with what it simulates."""
