"""Chapter 03's verbs, one module per section: how long may the queue be?

``lesson`` holds the running system and the loads; ``overload`` (a), ``limits`` (b), ``race`` and ``doors`` (c),
``hockey_stick`` and ``side_by_side`` (d), ``little`` (e), ``distance`` and ``full_memory`` (f), ``exercises``.
"""

from lessons.back_pressure.distance import check_distance, measure_distance, show_distance, slower
from lessons.back_pressure.doors import check_doors, knock
from lessons.back_pressure.exercises import compare_doors, show_grade, try_live, try_promise
from lessons.back_pressure.full_memory import check_full, check_places, fill_up, look_for_places, show_places
from lessons.back_pressure.hockey_stick import (
    check_stick,
    check_variation,
    live_points,
    show_stick,
    show_theory,
    show_variation,
    twin_stick,
    vary,
)
from lessons.back_pressure.lesson import LIMITS, PATIENCE_S, Lesson, open_lesson
from lessons.back_pressure.limits import check_limits, check_live_limits, live_limits, show_limits, twin_limits
from lessons.back_pressure.little import a_run, check_little, check_tool, show_little, show_tool
from lessons.back_pressure.overload import check_overload, doubling, overload, overload_panel, show_drain
from lessons.back_pressure.race import check_race, race, race_for_places
from lessons.back_pressure.side_by_side import check_gaps, lay_over

__all__ = [
    "LIMITS",
    "PATIENCE_S",
    "Lesson",
    "a_run",
    "check_distance",
    "check_doors",
    "check_full",
    "check_gaps",
    "check_limits",
    "check_little",
    "check_live_limits",
    "check_overload",
    "check_places",
    "check_race",
    "check_stick",
    "check_tool",
    "check_variation",
    "compare_doors",
    "doubling",
    "fill_up",
    "knock",
    "lay_over",
    "live_limits",
    "live_points",
    "look_for_places",
    "measure_distance",
    "open_lesson",
    "overload",
    "overload_panel",
    "race",
    "race_for_places",
    "show_distance",
    "show_drain",
    "show_grade",
    "show_limits",
    "show_little",
    "show_places",
    "show_stick",
    "show_theory",
    "show_tool",
    "show_variation",
    "slower",
    "try_live",
    "try_promise",
    "twin_limits",
    "twin_stick",
    "vary",
]
