"""Chapter 04's verbs, one module per section: when does trying again help, and when does it hurt?

``lesson`` holds the running system; ``waves`` (a), ``layers`` (b), ``charged`` (d), ``arena`` and ``one_row``
(further), ``exercises``. ``spike`` is the load with two fates, which ``workbook demo`` plays too.
"""

from lessons.retries.arena import (
    arena,
    check_arena,
    check_attempts,
    check_live_arena,
    more_attempts,
    offer_live,
    show_arena,
    show_attempts,
    twins,
)
from lessons.retries.charged import buy, check_charged
from lessons.retries.exercises import compare_retries, show_grade, try_live
from lessons.retries.layers import EVERYBODY, ONLY_FIRST, check_layers, click, show_amplification
from lessons.retries.lesson import Lesson, open_lesson
from lessons.retries.one_row import check_race, model, race, show_race
from lessons.retries.spike import LIMIT, Fate, finding, share_in_time, spike
from lessons.retries.waves import check_waves, come_again, offer_longer, same_crowd, show_waves, waves

__all__ = [
    "EVERYBODY",
    "LIMIT",
    "ONLY_FIRST",
    "Fate",
    "Lesson",
    "arena",
    "buy",
    "check_arena",
    "check_attempts",
    "check_charged",
    "check_layers",
    "check_live_arena",
    "check_race",
    "check_waves",
    "click",
    "come_again",
    "compare_retries",
    "finding",
    "model",
    "more_attempts",
    "offer_live",
    "offer_longer",
    "open_lesson",
    "race",
    "same_crowd",
    "share_in_time",
    "show_amplification",
    "show_arena",
    "show_attempts",
    "show_grade",
    "show_race",
    "show_waves",
    "spike",
    "try_live",
    "twins",
    "waves",
]
