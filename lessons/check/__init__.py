"""Checks: the doctor, predictions, claims, gaps between theory, twin and live run; later exercises and grades."""
