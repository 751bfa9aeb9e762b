"""Chapter 02's verbs, one module per section: what becomes of a task between its 202 and its result?

``lesson`` holds the running system; ``by_hand``, ``states``, ``snapshot`` and ``hearing`` (a), ``compute``, ``drawing``
and ``shared`` (b), ``defaults``, ``unnoticed``, ``fates``, ``deaths``, ``restart`` and ``on_stage`` (c), ``scheduling``
and ``leaderboard`` (d), ``exercises``.
"""

from lessons.task_queues.by_hand import check_by_hand, run_by_hand
from lessons.task_queues.compute import check_thumbnails, make_thumbnails, quicker, show_thumbnails
from lessons.task_queues.deaths import six_troubles
from lessons.task_queues.defaults import show_defaults
from lessons.task_queues.exercises import grade_report, try_report
from lessons.task_queues.fates import check_fates, show_fates, show_who_noticed
from lessons.task_queues.hearing import check_heard, check_progress, crash_after_202, order_report
from lessons.task_queues.leaderboard import check_board, compare_boards, show_board
from lessons.task_queues.lesson import Lesson, open_lesson
from lessons.task_queues.scheduling import check_delayed, check_periodic, delay_a_job, two_schedulers
from lessons.task_queues.snapshot import check_snapshot, edit_after_enqueueing
from lessons.task_queues.states import check_states, show_states, watch_jobs
from lessons.task_queues.unnoticed import (
    check_unnoticed,
    phrase,
    recording,
    show_recording,
)

__all__ = [
    "Lesson",
    "check_board",
    "check_by_hand",
    "check_delayed",
    "check_fates",
    "check_heard",
    "check_periodic",
    "check_progress",
    "check_snapshot",
    "check_states",
    "check_thumbnails",
    "check_unnoticed",
    "compare_boards",
    "crash_after_202",
    "delay_a_job",
    "edit_after_enqueueing",
    "grade_report",
    "make_thumbnails",
    "open_lesson",
    "order_report",
    "phrase",
    "quicker",
    "recording",
    "run_by_hand",
    "show_board",
    "show_defaults",
    "show_fates",
    "show_recording",
    "show_states",
    "show_thumbnails",
    "show_who_noticed",
    "six_troubles",
    "try_report",
    "two_schedulers",
    "watch_jobs",
]
