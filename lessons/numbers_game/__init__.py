"""Chapter 06's verbs, one module per section: how long does it take, how many does it need, when is it normal again?

``lesson`` holds Redis and the workers; ``clocks`` and ``latencies`` (a), ``staffing`` (b), ``outage`` (c), ``growth``
(d), ``fan_out`` (e), ``bill`` (f), ``exercises``.
"""

from lessons.numbers_game.bill import check_bill, show_bill
from lessons.numbers_game.clocks import measure
from lessons.numbers_game.exercises import compare_staffing, say_minutes, show_staffing
from lessons.numbers_game.fan_out import check_pages, show_pages, twin_pages
from lessons.numbers_game.growth import check_growth, do_sweep, play_alone, show_growth, show_time, sweep_box
from lessons.numbers_game.latencies import ask_order, check_latencies, job_to_cache, reveal_order, show_latencies
from lessons.numbers_game.lesson import Lesson, open_lesson
from lessons.numbers_game.outage import back_to_normal, check_outage, show_outage, show_recoveries, twin_outages
from lessons.numbers_game.staffing import check_crews, show_crews, show_enough, show_rule, twin_crews

__all__ = [
    "Lesson",
    "ask_order",
    "back_to_normal",
    "check_bill",
    "check_crews",
    "check_growth",
    "check_latencies",
    "check_outage",
    "check_pages",
    "compare_staffing",
    "do_sweep",
    "job_to_cache",
    "measure",
    "open_lesson",
    "play_alone",
    "reveal_order",
    "say_minutes",
    "show_bill",
    "show_crews",
    "show_enough",
    "show_growth",
    "show_latencies",
    "show_outage",
    "show_pages",
    "show_recoveries",
    "show_rule",
    "show_staffing",
    "show_time",
    "sweep_box",
    "twin_crews",
    "twin_outages",
    "twin_pages",
]
