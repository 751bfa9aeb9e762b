"""Chapter 04's verbs: when does trying again help, and when does it hurt?

``spike`` holds the load with two fates, which ``workbook demo`` plays too.
"""

from lessons.retries.spike import LIMIT, Fate, finding, share_in_time, spike

__all__ = ["LIMIT", "Fate", "finding", "share_in_time", "spike"]
