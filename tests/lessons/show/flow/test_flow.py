"""Batches: exact counts, fewer dots when there are many, nothing for nobody."""

from __future__ import annotations

from typing import Any

from demo_workers.scenario import Load, Retry, Scenario
from lessons.show.flow.flow import Flow
from lessons.show.flow.record import Reader
from lessons.show.flow.stage import Stage
from lessons.show.flow.steps import Does, Step
from tests.lessons.show.event_source import Model
from tests.lessons.show.test_surface import Clock

TENTH_S = 0.1


class Watched:
    """A flow on a clock of ours, and the batches that a browser got."""

    def __init__(self, *, acknowledges: bool = True, **state: object) -> None:
        self.clock, self.batches = Clock(), list[dict[str, Any]]()
        self.clock.now = 1.0
        self.flow = Flow(Stage(workers=3, limit=12), clock=self.clock)
        self._acknowledges = acknowledges
        self.flow.canvas.send = self._take  # type: ignore[method-assign]
        if state.pop("opened", True):
            self.ready(**state)
            self.flow.clear()

    def ready(self, **state: object) -> None:
        """A browser reports."""
        self.flow.canvas.receive(self.flow.canvas, {"kind": "ready", "dpr": 1, **state})

    def tick(self, steps: list[Step], now_s: float) -> None:
        """A tenth of a second."""
        self.clock.now += TENTH_S
        self.flow.feed(steps)
        if self.flow.due():
            self.flow.send(now_s)

    def play(self, scenario: Scenario, seconds: float) -> None:
        """What a panel would see of this scenario."""
        model, reader = Model(scenario), Reader(3)
        for n in range(round(seconds / TENTH_S)):
            self.tick(reader.steps(model.advance((n + 1) * TENTH_S)), (n + 1) * TENTH_S)

    def _take(self, content: dict[str, Any], buffers: object = None) -> None:
        if content.get("kind") != "batch":
            return
        self.batches.append(content)
        if self._acknowledges:
            self.flow.canvas.receive(self.flow.canvas, {"kind": "ack", "n": content["n"]})


def load(rate: float, **more: Any) -> Scenario:
    """Some load, limit 12."""
    return Scenario(load=Load(kind="uniform", arrival_rate=rate, duration_s=60.0), **more).steered(limit=12)


def drawn(batches: list[dict[str, Any]], kind: Does) -> set[int]:
    """Requests of which the browser saw such a step."""
    return {step[2] for batch in batches for step in batch["steps"] if step[1] == kind}


def test_up_to_thirty_a_second_every_request_is_a_dot() -> None:
    """Twenty per second: all are drawn, once."""
    watched = Watched()
    watched.play(load(20), 5.0)
    sent = [step for batch in watched.batches for step in batch["steps"] if step[1] == Does.SENT]
    assert len(sent) == watched.flow.counts.sent > 90
    assert watched.flow.per_dot == 1


def test_above_that_one_dot_stands_for_several_and_the_counts_stay_exact() -> None:
    """Ninety per second: a third is drawn, each from its sending to its end, and it is said."""
    watched = Watched()
    watched.play(load(90, retry=Retry(policy="full", attempts=3)), 8.0)
    assert watched.flow.per_dot >= 3
    tail = watched.batches[-20:]
    seen = drawn(tail, Does.SENT)
    assert seen
    assert all(request % watched.flow.per_dot == 0 for request in seen)
    assert f"One dot stands for {watched.flow.per_dot}" in watched.flow.canvas.line
    assert watched.batches[-1]["labels"].heads[1][0] == f"{watched.flow.counts.refused:,}"
    assert watched.flow.counts.sent > 8 * 85


def test_a_rate_at_the_edge_does_not_flicker() -> None:
    """More dots come back only when there is room to spare."""
    watched, shares = Watched(), set()
    for n in range(80):
        rate = 33 if n % 2 else 28
        ids = range(n * 40, n * 40 + rate)
        for tenth in range(10):
            now = n + (tenth + 1) * TENTH_S
            watched.tick([Step(now, Does.SENT, i) for i in list(ids)[tenth::10]], now)
        if n > 4:
            shares.add(watched.flow.per_dot)
    assert len(shares) == 1


def test_nothing_is_sent_to_nobody() -> None:
    """No browser yet, and a tab that is hidden: not one batch, and the counts go on."""
    for watched in (Watched(opened=False), Watched(hidden=True)):
        watched.play(load(20), 3.0)
        assert watched.batches == []
        assert watched.flow.counts.sent > 50


def test_a_browser_that_does_not_answer_gets_no_more_than_it_can_take() -> None:
    """Two batches on their way, and one more risked: no pile in the server."""
    watched = Watched(acknowledges=False)
    watched.play(load(60), 10.0)
    assert len(watched.batches) <= 3
    watched.flow.canvas.receive(watched.flow.canvas, {"kind": "ack", "n": len(watched.batches)})
    watched.tick([], 10.1)
    assert watched.batches[-1]["fresh"]  # what was missed is not played: all is put in its place at once
    inside = {step[2] for step in watched.batches[-1]["steps"] if step[1] in (Does.HELD, Does.DELIVERED)}
    assert 0 < len(inside) <= watched.flow.counts.in_queue + watched.flow.counts.at_work


def test_a_view_that_appears_in_mid_run_is_told_where_everything_is() -> None:
    """A reloaded tab shows what is inside at once."""
    watched = Watched(opened=False)
    watched.play(load(90), 3.0)
    watched.ready()
    watched.tick([], 3.1)
    (batch,) = watched.batches
    assert batch["fresh"]
    held = [step for step in batch["steps"] if step[1] == Does.HELD and step[2] % watched.flow.per_dot == 0]
    assert len(held) == watched.flow.counts.in_queue or watched.flow.per_dot > 1
    assert batch["inside"] == [watched.flow.counts.in_queue, watched.flow.counts.at_work]


def test_reduced_motion_is_numbers_once_a_second_and_no_dots() -> None:
    """Ten batches in ten seconds, without a step."""
    watched = Watched(reduced=True)
    watched.play(load(40), 10.0)
    assert 8 <= len(watched.batches) <= 11
    assert all(len(batch["steps"]) == 0 for batch in watched.batches)
    assert watched.batches[-1]["labels"].heads[4][0] != "0"


def test_the_sentence_comes_once_a_second() -> None:
    """A screen reader is not flooded; it says what the canvas shows."""
    watched, said = Watched(), []
    watched.flow.canvas.observe(lambda change: said.append(change["new"]), "line")
    watched.play(load(60, retry=Retry(policy="full", attempts=3)), 6.0)
    assert 4 <= len(said) <= 7
    assert "wait in the queue" in said[-1]
    assert "3 workers are busy" in said[-1] or "of 3 workers" in said[-1]
    watched.flow.end(6.0)
    assert watched.flow.summary == watched.flow.canvas.line
    assert f"{watched.flow.counts.refused:,} were refused" in watched.flow.summary
