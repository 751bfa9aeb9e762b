"""The picture and its sentence on a surface: drawn when wanted, and never for more than a tenth of a core."""

from __future__ import annotations

import html
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import ipywidgets

from lessons.show import text
from lessons.show.layout import FOUR, Look
from lessons.show.livefig import LiveFigure
from lessons.show.scene import LongRun, Mark
from lessons.show.series import Series
from lessons.show.surface import Surface

DUTY = 10.0
"""The next frame comes no sooner than this many times the CPU time of a frame."""
RECENT = 10
"""Frames that time is the least of: one new axis must not stop the picture, nor workers that crowd the caches."""
AT_ONCE = 3.0
"""The same when somebody turned a knob and is waiting to see it."""
CALM_FPS = 1.0
"""For readers who asked for reduced motion."""
SLOWED = 1.2
"""When sharp pictures make the frames so much rarer, plain ones are drawn from then on."""
SENTENCE_S = 1.0


class Screen:
    """Shows one run after the other.

    Args:
        surface: where pictures go.
        look: what the first picture is about.
        fps: pictures per second asked for.
    """

    def __init__(self, surface: Surface, look: Look, *, fps: float = 10.0) -> None:
        self._surface, self._fps = surface, fps
        self._figure = LiveFigure(look)
        self._sharp = True
        self._costs: deque[float] = deque(maxlen=RECENT)
        self._drawn_at, self._due_s, self._said_at = 0.0, 0.0, 0.0
        self._told: Mark | None = None  # the knob turned last, once it was said
        self._words = ipywidgets.HTML(layout=ipywidgets.Layout(max_width=f"{(look.sheet or FOUR).size_px[0]}px"))
        self.png = b""  # the last picture meant to be kept
        self.sentence = ""
        self.frames = 0
        self._long_run = LongRun()

    @property
    def widgets(self) -> list[Any]:
        """The picture and the sentence under it."""
        return [self._surface.widget, self._words]

    @property
    def title(self) -> str:
        """What the picture says."""
        return self._figure.title

    @property
    def cost_s(self) -> float:
        """CPU seconds a frame takes when nothing gets in its way."""
        return min(self._costs, default=0.0)

    def about(self, look: Look) -> None:
        """Begin a new subject with an empty picture."""
        self._figure, self._long_run, self._told = LiveFigure(look), LongRun(), None
        self.keep(Series(), title="")

    def expect(self, long_run: LongRun) -> None:
        """Show from the next frame on what theory says of the present settings."""
        self._long_run = long_run
        self._figure.expect(long_run)

    def pause_s(self, *, at_once: bool = False) -> float:
        """Seconds until the next frame may be drawn."""
        fps = CALM_FPS if self._surface.facts.reduced else self._fps
        gap = AT_ONCE * self.cost_s if at_once else max(1.0 / fps, DUTY * self.cost_s)
        self._due_s = self._drawn_at + gap
        return max(self._due_s - time.monotonic(), 0.0)

    def draw(self, series: Series, now: float, marks: Sequence[Mark]) -> None:
        """Show the present state, if anybody is looking."""
        now_s = time.monotonic()
        # counted from when it should have been, so that small delays do not add up
        self._drawn_at = max(min(self._due_s, now_s), now_s - 0.5 / self._fps)
        if not self._surface.wanted():
            return
        began = time.thread_time()
        if self._sharp:
            self._figure.rescale(self._surface.facts.ratio)
        self._surface.push(self._figure.frame(series, now, marks))
        self.frames += 1
        last = marks[-1] if marks else None
        if last != self._told or self._drawn_at - self._said_at > SENTENCE_S:
            self._told, self._said_at = last, self._drawn_at
            so_far = f"So far: {text.summary(series, noun=self._figure.look.noun)}"
            present = self._present(series, now, marks)
            self._say(" ".join(filter(None, (text.turned(marks), present, str(self._long_run), so_far))))
        self._costs.append(time.thread_time() - began)
        costly = len(self._costs) == RECENT and DUTY * self.cost_s * self._fps > SLOWED
        if costly and self._sharp and self._surface.facts.ratio > 1:
            self._sharp = False
            self._costs.clear()
            self._figure.rescale(1.0)

    def keep(self, series: Series, marks: Sequence[Mark] = (), *, title: str | None = None) -> None:
        """Draw the picture that stays: at the end of a run, or before the first.

        Args:
            series: the whole run.
            marks: knobs that were turned.
            title: None computes the finding; "" leaves the question.
        """
        look = self._figure.look
        if title is None:
            title = text.finding(series, noun=look.noun, ghost=look.ghost, bands=look.bands, patience_s=look.patience_s)
        if title:
            self._figure.retitle(title)
        self._figure.rescale(1.0)
        self.png = self._figure.snapshot(series, None, marks)
        sharp = self._surface.facts.ratio
        if sharp > 1:
            self._figure.rescale(sharp)
        self._surface.push(self.png if sharp == 1 else self._figure.snapshot(series, None, marks))
        ended = self._present(series, None, marks) if look.sheet else ""
        self._say(" ".join(filter(None, (ended, text.summary(series, noun=look.noun), str(self._long_run)))))

    def _present(self, series: Series, now: float | None, marks: Sequence[Mark]) -> str:
        look = self._figure.look
        if look.sheet is None or look.sheet.words is None:
            return text.present(series.view(now, 1.0))
        return look.sheet.words(look, series.view(now), series.totals(), marks)

    def _say(self, sentence: str) -> None:
        self.sentence = sentence
        self._surface.alt = f"{self._figure.title}. {sentence}" if self._figure.title else sentence
        self._words.value = f"<p style='margin:4px 0;line-height:1.4'>{html.escape(sentence)}</p>"
