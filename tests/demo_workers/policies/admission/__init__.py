"""Admission policies keep what they promise."""
