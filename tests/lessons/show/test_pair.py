"""Two systems side by side, with a model of each that plays in real time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from demo_workers.errors import GatewayUnavailable, LoadGeneratorLagging
from lessons.show import style
from lessons.show.pair import Pair, Side
from lessons.show.surface import Frame
from tests.lessons.show.event_source import ModelStack
from tests.lessons.show.scenes import SHORT
from tests.lessons.show.test_panel import all_widgets, button, until

BUSY = SHORT.replace("load.arrival_rate", 90)


class Two:
    """A pair on two stacks of the model, closed afterwards."""

    def __init__(self) -> None:
        self.stacks = [ModelStack(), ModelStack()]
        self.made: list[Pair] = []

    def pair(self, **more: Any) -> Pair:
        """On the screen, with a browser that acknowledges nothing but is there."""
        one, other = self.stacks
        sides = [Side(one, SHORT, "left"), Side(other, BUSY, "right")]
        self.made.append(Pair("two", sides, noun="posts", **more))
        self.made[-1].show()
        return self.made[-1]


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    """Closes its pairs afterwards."""
    found = Two()
    yield found
    for pair in found.made:
        await pair.close()


async def test_both_loads_are_played_at_the_same_time_and_returned(two: Two) -> None:
    """Each on its own stack, in the order of the sides; the status says that they are over."""
    runs = await two.pair().run(SHORT, BUSY)
    assert [run.scenario for run in runs] == [SHORT, BUSY]
    assert [len(stack.runs) for stack in two.stacks] == [1, 1]
    assert two.made[0].status == "Finished."
    assert not two.made[0].running


async def test_each_picture_ends_with_whom_its_system_served(two: Two) -> None:
    """The alt text begins with the finding, which names the side."""
    await two.pair().run(SHORT, BUSY)
    alts = [frame.alt for frame in all_widgets() if isinstance(frame, Frame)]
    assert len(alts) == 2
    assert [alt.split(":")[0] for alt in alts] == ["left", "right"]
    assert all("per second in time" in alt for alt in alts)


async def test_frames_are_drawn_for_both_while_a_browser_looks(two: Two) -> None:
    """Several for each, as wide as half a notebook."""
    pair = two.pair()
    frames = [frame for frame in all_widgets() if isinstance(frame, Frame)]
    for frame in frames:
        frame.receive(frame, {"kind": "ready", "dpr": 1})
    before = [frame.facts.sent for frame in frames]

    async def look() -> None:
        while True:
            for frame in frames:
                frame.receive(frame, {"kind": "ack", "n": frame.facts.sent})
            await asyncio.sleep(0.01)

    browser = asyncio.ensure_future(look())
    await pair.run(SHORT, BUSY)
    browser.cancel()
    assert all(frame.facts.sent - sent > 2 for frame, sent in zip(frames, before, strict=True))
    assert all(2 * frame.width <= style.SIZE_PX[0] for frame in frames)


async def test_start_plays_what_the_sides_say_and_stop_ends_both(two: Two) -> None:
    """By the buttons."""
    pair = two.pair()
    button("Start").click()
    await until(lambda: pair.running and all(stack.runs for stack in two.stacks))
    assert [stack.runs[0].scenario for stack in two.stacks] == [SHORT, BUSY]
    button("Stop").click()
    await until(lambda: not pair.running)
    button("Reset").click()
    await until(lambda: pair.status == "Ready.")


async def test_a_rider_sees_the_clock_and_turns_a_knob_of_one_side(two: Two) -> None:
    """The other side's scenario stays as it was; the rider ends with the loads."""
    ended = asyncio.Event()

    async def ride(pair: Pair) -> None:
        try:
            while pair.now_s < 0.2:
                await asyncio.sleep(0.01)
            pair.turn(0, "limit", 3)
            await asyncio.sleep(60)
        finally:
            ended.set()

    runs = await two.pair().run(SHORT, BUSY, rider=ride)
    assert ended.is_set()
    assert [[entry.knob for entry in run.steering] for run in runs] == [["limit"], []]
    assert runs[0].steering[0].t >= 0.2


async def test_a_mistake_of_one_ends_both_and_is_raised(two: Two) -> None:
    """The other is not left running, and the status line says what it was."""
    two.stacks[1].refuses = GatewayUnavailable("the gateway is gone")
    with pytest.raises(GatewayUnavailable):
        await two.pair().run(SHORT, BUSY)
    assert "the gateway is gone" in two.made[0].status
    assert two.stacks[0].runs[0].stops > 0


async def test_a_rider_with_a_mistake_is_heard(two: Two) -> None:
    """Its error is not lost with its task."""

    async def ride(_: Pair) -> None:
        raise GatewayUnavailable("the rider fell off")

    with pytest.raises(GatewayUnavailable, match="fell off"):
        await two.pair().run(SHORT, BUSY, rider=ride)


async def test_runs_of_a_busy_machine_are_played_again(two: Two) -> None:
    """Both, three times in all; then the error comes through."""
    two.stacks[0].fails = LoadGeneratorLagging("late")
    with pytest.raises(LoadGeneratorLagging):
        await two.pair().run(SHORT, BUSY)
    assert [len(stack.runs) for stack in two.stacks] == [3, 3]


async def test_a_pair_of_the_same_name_takes_over(two: Two) -> None:
    """The load of the first is ended before the second one's begins."""
    first = two.pair()
    first.start()
    await until(lambda: all(stack.runs for stack in two.stacks))
    second = two.pair()
    await second.run(SHORT, BUSY)
    assert not first.running
    assert [len(stack.runs) for stack in two.stacks] == [2, 2]
