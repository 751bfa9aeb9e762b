"""Chapter 01's verbs, one module per section: who holds the message, and what if somebody dies?

``lesson`` holds the running system; ``workflow`` and ``optimistic`` (a), ``by_hand`` and ``deaths`` (b), ``twice`` (c),
``stored`` (d), ``table`` (e), ``exercises``. ``crew`` is the consumers that are killed in b and c.
"""

from demo_workers.brokers.losses import recorded
from lessons.message_queues.by_hand import check_by_hand, run_by_hand
from lessons.message_queues.deaths import check_killed, check_repaired, kill_a_consumer, kill_repaired
from lessons.message_queues.exercises import grade_consume, try_consume
from lessons.message_queues.lesson import Lesson, open_lesson
from lessons.message_queues.optimistic import check_undone, post_and_fail
from lessons.message_queues.stored import check_stored, lose_servers, lost_to_power, show_stored
from lessons.message_queues.table import check_table, show_promises, show_table
from lessons.message_queues.twice import (
    AT_MOST,
    KILLED,
    LEDGER_KILLED,
    LEDGER_SLOW,
    SLOW,
    check_once,
    check_twice,
    send_a_like,
    show_ledger,
)
from lessons.message_queues.workflow import check_moments, follow_posts, show_moments

__all__ = [
    "AT_MOST",
    "KILLED",
    "LEDGER_KILLED",
    "LEDGER_SLOW",
    "SLOW",
    "Lesson",
    "check_by_hand",
    "check_killed",
    "check_moments",
    "check_once",
    "check_repaired",
    "check_stored",
    "check_table",
    "check_twice",
    "check_undone",
    "follow_posts",
    "grade_consume",
    "kill_a_consumer",
    "kill_repaired",
    "lose_servers",
    "lost_to_power",
    "open_lesson",
    "post_and_fail",
    "recorded",
    "run_by_hand",
    "send_a_like",
    "show_ledger",
    "show_moments",
    "show_promises",
    "show_stored",
    "show_table",
    "try_consume",
]
