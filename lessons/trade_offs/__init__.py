"""Chapter 05's verbs, one module per section: when is a queue the wrong answer?

``lesson`` holds the running system and the three ways to ask it; ``break_even``, ``ticks`` and ``beats`` (a),
``reload`` (b), ``freeze`` (c), ``guide``, ``numbers`` and ``cost`` (d), ``exercises``.
"""

from demo_workers.queueing.tasks import work
from lessons.trade_offs.beats import beats_during, check_beats, compute_elsewhere
from lessons.trade_offs.break_even import check_break_even, later, measure, show_break_even, slower
from lessons.trade_offs.cost import check_costs, count_costs, count_running, show_costs
from lessons.trade_offs.exercises import grade_percentile, show_share
from lessons.trade_offs.freeze import FULL_S, apart, check_freeze, freeze_for_both, show_freeze
from lessons.trade_offs.guide import ask, check_guide
from lessons.trade_offs.lesson import Lesson, open_lesson
from lessons.trade_offs.numbers import check_numbers, measure_choices, show_numbers
from lessons.trade_offs.reload import check_missed, check_repairs, reload_after_post, repair, show_repairs
from lessons.trade_offs.ticks import check_ticks, play

__all__ = [
    "FULL_S",
    "Lesson",
    "apart",
    "ask",
    "beats_during",
    "check_beats",
    "check_break_even",
    "check_costs",
    "check_freeze",
    "check_guide",
    "check_missed",
    "check_numbers",
    "check_repairs",
    "check_ticks",
    "compute_elsewhere",
    "count_costs",
    "count_running",
    "freeze_for_both",
    "grade_percentile",
    "later",
    "measure",
    "measure_choices",
    "open_lesson",
    "play",
    "reload_after_post",
    "repair",
    "show_break_even",
    "show_costs",
    "show_freeze",
    "show_numbers",
    "show_repairs",
    "show_share",
    "slower",
    "work",
]
