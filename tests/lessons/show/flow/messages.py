"""Lives of messages, as an experiment with a broker would tell them."""

from __future__ import annotations

from lessons.show.flow.stage import BROKER, Stage
from lessons.show.flow.steps import Does, Step

STAGE = Stage(workers=2, senders=1, words=BROKER)

RELIABLE_QUEUE = [
    # a message is published, confirmed, received and acknowledged
    Step(0.00, Does.SENT, 0, lane=0),
    Step(0.01, Does.HELD, 0),
    Step(0.01, Does.ANSWERED, 0),
    Step(0.02, Does.DELIVERED, 0, lane=0),
    Step(0.06, Does.DONE, 0, lane=0),
    # the next one's consumer is killed; a reaper gives it back and the other consumer does it
    Step(0.07, Does.SENT, 1, lane=0),
    Step(0.08, Does.HELD, 1),
    Step(0.08, Does.ANSWERED, 1),
    Step(0.09, Does.DELIVERED, 1, lane=0),
    Step(0.10, Does.DIED, lane=0),
    Step(0.15, Does.RETURNED, 1, nth=2, lane=0),
    Step(0.16, Does.DELIVERED, 1, nth=2, lane=1),
    Step(0.20, Does.DONE, 1, nth=2, lane=1),
]
BRPOP = [
    # pop deletes: when the consumer dies nobody has the message
    Step(0.00, Does.SENT, 0, lane=0),
    Step(0.01, Does.HELD, 0),
    Step(0.02, Does.DELIVERED, 0, lane=0),
    Step(0.03, Does.DIED, lane=0),
    Step(0.03, Does.LOST, 0, lane=0),
]
VISIBILITY = [
    # a slow consumer: its time is over, the next one gets the message too, both acknowledge
    Step(0.00, Does.SENT, 0, lane=0),
    Step(0.01, Does.HELD, 0),
    Step(0.02, Does.DELIVERED, 0, lane=0),
    Step(0.06, Does.RETURNED, 0, nth=2),
    Step(0.07, Does.DELIVERED, 0, nth=2, lane=1),
    Step(0.09, Does.DONE, 0, nth=2, lane=1),
    Step(0.12, Does.DONE, 0, lane=0),
]
POISON = [
    # it is given back until it is put aside
    Step(0.00, Does.SENT, 0, lane=0),
    Step(0.01, Does.HELD, 0),
    *[
        step
        for n in (1, 2, 3)
        for step in (
            Step(0.02 * n, Does.DELIVERED, 0, nth=n, lane=0),
            Step(0.02 * n + 0.01, Does.RETURNED, 0, nth=n + 1, lane=0),
        )
    ],
    Step(0.08, Does.REMOVED, 0, nth=4),
]
