"""Checks: the doctor; later predictions, exercises and grades."""
