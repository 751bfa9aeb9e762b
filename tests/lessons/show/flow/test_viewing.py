"""A flow view by itself, told of messages: the same canvas serves a broker."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from lessons.show.flow.steps import Does, Step
from lessons.show.flow.viewing import FlowView
from tests.lessons.show.flow.messages import BRPOP, POISON, RELIABLE_QUEUE, STAGE, VISIBILITY
from tests.lessons.show.test_notebook import execute
from tests.lessons.show.test_panel import until


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (RELIABLE_QUEUE, {"sent": 2, "answered": 2, "returned": 1, "done": 2, "lost": 0, "twice": 0}),
        (BRPOP, {"sent": 1, "done": 0, "lost": 1}),
        (VISIBILITY, {"sent": 1, "returned": 1, "done": 2, "twice": 1}),
        (POISON, {"sent": 1, "delivered": 3, "returned": 3, "removed": 1, "done": 0}),
    ],
)
async def test_a_recorded_experiment_with_a_broker_is_played(steps: list[Step], expected: dict[str, int]) -> None:
    """Publish, hold, deliver, acknowledge, redeliver, lose: all is counted, and nothing is left on the canvas."""
    view = FlowView("test", STAGE)
    await view.play(steps)
    counts = view.counts
    assert {name: getattr(counts, name) for name in expected} == expected
    assert (counts.in_queue, counts.at_work) == (0, 0)


async def test_it_is_told_from_other_threads_while_it_is_watched() -> None:
    """A consumer runs in a thread of its own; the browser gets the steps while the block runs, not after it."""
    view, batches = FlowView("test", STAGE), list[dict[str, Any]]()

    def take(content: dict[str, Any], buffers: object = None) -> None:
        if content.get("kind") == "batch":
            batches.append(content)
            view.flow.canvas.receive(view.flow.canvas, {"kind": "ack", "n": content["n"]})

    view.flow.canvas.send = take  # type: ignore[method-assign]
    view.flow.canvas.receive(view.flow.canvas, {"kind": "ready"})

    def consume() -> None:
        for n in range(20):
            view.tell(Does.SENT, n, lane=0)
            view.tell(Does.HELD, n)

    async with view.watching():
        thread = threading.Thread(target=consume)
        thread.start()
        await until(lambda: sum(len(batch["steps"]) for batch in batches) == 40)
        thread.join()
        assert view.counts.in_queue == 20
    assert "20 are still inside" in view.summary()


async def test_an_error_in_the_block_is_the_blocks_own() -> None:
    """The view ends and does not swallow it; watching again begins anew."""
    view = FlowView("test", STAGE)

    async def fails() -> None:
        async with view.watching():
            view.tell(Does.SENT, 0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert view.counts.sent == 1
    async with view.watching():
        await asyncio.sleep(0)
    assert view.counts.sent == 0


@pytest.mark.notebooks
def test_a_notebook_without_a_kernel_shows_the_boxes_with_their_counts() -> None:
    """One output: the canvas with a kernel, without one a picture that the awaiting cell has renewed; same words."""
    notebook = execute(
        "from lessons.show.flow.viewing import FlowView\n"
        "from tests.lessons.show.flow.messages import STAGE, BRPOP\n"
        "view = FlowView('x', STAGE)\nview.show()",
        "FlowView('y', STAGE).show()",
        "await view.play(BRPOP)",
    )
    shown, empty = notebook.cells[1].outputs, notebook.cells[2].outputs
    assert len(shown) == 1
    assert shown[0].data["text/plain"] == "Flow of messages: publishers, broker, held, consumers, acknowledged"
    assert shown[0].data["image/png"] != empty[0].data["image/png"]
