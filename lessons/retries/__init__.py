"""Chapter 04's verbs, one module per section: when does trying again help, and when does it hurt?

``lesson`` holds the running system; ``waves`` (a), ``layers`` (b), ``charged`` (d), ``arena`` and ``one_row``
(further), ``exercises``. ``spike`` is the load with two fates, which ``workbook demo`` plays too; ``two_fates``,
``health``, ``rescue``, ``sixty_seconds`` and ``twenty_tapes`` are section c.
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
from lessons.retries.rescue import NAMES, check_live_rescue, check_rescues, rescue_in_twin, show_rescues
from lessons.retries.sixty_seconds import SixtySeconds, play_two, two_panels
from lessons.retries.spike import LIMIT, Fate, finding, share_in_time, spike
from lessons.retries.twenty_tapes import TwentyTapes
from lessons.retries.two_fates import TwoFates, check_two_fates, open_two_fates, served
from lessons.retries.waves import check_waves, come_again, offer_longer, same_crowd, show_waves, waves

__all__ = [
    "EVERYBODY",
    "LIMIT",
    "NAMES",
    "ONLY_FIRST",
    "Fate",
    "Lesson",
    "SixtySeconds",
    "TwentyTapes",
    "TwoFates",
    "arena",
    "buy",
    "check_arena",
    "check_attempts",
    "check_charged",
    "check_layers",
    "check_live_arena",
    "check_live_rescue",
    "check_race",
    "check_rescues",
    "check_two_fates",
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
    "open_two_fates",
    "play_two",
    "race",
    "rescue_in_twin",
    "same_crowd",
    "served",
    "share_in_time",
    "show_amplification",
    "show_arena",
    "show_attempts",
    "show_grade",
    "show_race",
    "show_rescues",
    "show_waves",
    "spike",
    "try_live",
    "twins",
    "two_panels",
    "waves",
]
