"""The moving part of the flow view by itself: batches of a whole run, played in Chromium on a clock of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext

from demo_workers.scenario import Retry
from lessons.show.flow import canvas
from lessons.show.flow.stage import wire
from lessons.show.flow.steps import Does, Step
from tests.lessons.show.flow.test_flow import Watched, load

pytestmark = pytest.mark.browser

RETRY = Retry(policy="full", attempts=4, base_s=0.8)
SCENE = Path(canvas.__file__).with_name("scene.js")
PLAY = """([script, plan, batches, until]) => {
  const Scene = new Function(`${script}; return Scene;`)(), scene = new Scene(plan), log = [];
  let next = 0;
  for (let t = 0; t < until; t += 1 / 60) {
    while (next < batches.length && batches[next].now <= t) scene.take(batches[next++], t - 0.2);
    scene.play(t - 0.2);
    scene.settle(t - 0.2, 1 / 60);
    const dots = [...scene.dots.values()];
    log.push({t, dots: dots.length, rings: scene.rings.size, jobs: scene.jobs.size, queue: scene.queue.length,
      inside: scene.inside, shares: [...scene.jobs.values()].map(job => job.share),
      lost: dots.filter(({x, y}) => !(x >= 0 && x <= plan.size[0] && y >= 0 && y <= plan.size[1])).length});
  }
  return log;
}"""


async def played(context: BrowserContext, watched: Watched, until_s: float) -> list[dict[str, Any]]:
    """What was on the canvas sixty times a second."""
    page = await context.new_page()
    batches = json.loads(json.dumps(watched.batches))
    script = SCENE.read_text(encoding="utf-8")
    return list(await page.evaluate(PLAY, [script, wire(watched.flow.stage), batches, until_s]))


async def test_everybody_who_came_has_left_in_the_end(context: BrowserContext) -> None:
    """Unsampled: the dots in the queue are as many as wait, none leaves the card, and at last the canvas is empty."""
    watched = Watched()
    watched.play(load(12, retry=RETRY, seed=3).replace("load.duration_s", 4.0).steered(service_time_s=0.2), 30.0)
    log = await played(context, watched, 32.0)
    assert sum(frame["lost"] for frame in log) == 0
    assert max(frame["dots"] for frame in log) > 5
    # the twelve that come each second take a sixth of it from the gateway into the queue
    middle = [frame for frame in log if 1 < frame["t"] < 4]
    assert sum(abs(frame["queue"] - frame["inside"][0]) for frame in middle) / len(middle) < 3
    assert (log[-1]["dots"], log[-1]["rings"], log[-1]["jobs"]) == (0, 0, 0)


async def test_overload_stays_within_the_cap_and_workers_are_seen_at_work(context: BrowserContext) -> None:
    """Ninety per second that come again: fewer than 300 dots, all boxes sweep, also while dots come to mean more."""
    watched = Watched()
    watched.play(load(90, retry=RETRY), 8.0)
    assert watched.flow.per_dot > 1
    log = [frame for frame in await played(context, watched, 8.0) if frame["t"] > 1.5]
    assert max(frame["dots"] for frame in log) < 300
    assert sum(frame["jobs"] for frame in log) / len(log) > 0.9 * 3
    shares = [share for frame in log for share in frame["shares"]]
    assert 0.3 < sum(shares) / len(shares) < 0.95


async def test_a_flood_is_cut_at_three_hundred_dots(context: BrowserContext) -> None:
    """A thousand messages held at once: the count is exact, the dots are not more than can be drawn."""
    watched = Watched()
    for n in range(20):
        now = 0.1 * (n + 1)
        watched.tick([Step(now, Does.HELD, 50 * n + k) for k in range(50)], now)
    assert watched.flow.per_dot == 1  # nobody was seen to send them
    log = await played(context, watched, 4.0)
    assert max(frame["dots"] for frame in log) == 300
    assert watched.flow.counts.in_queue == 1000


async def test_what_was_missed_is_put_right(context: BrowserContext) -> None:
    """Half of the batches never came: the next fresh one leaves no dot that should not be there."""
    watched = Watched()
    watched.play(load(12, retry=RETRY, seed=3).replace("load.duration_s", 4.0), 2.0)
    kept = list(watched.batches)
    watched.ready()
    watched.tick([], 2.2)
    fresh = watched.batches[-1]
    assert fresh["fresh"]
    watched.batches = [*kept[:5], fresh]
    log = await played(context, watched, 3.0)
    inside = {step[2] for step in fresh["steps"] if step[1] in (Does.HELD, Does.DELIVERED)}
    assert log[-1]["queue"] + log[-1]["jobs"] == len(inside)
