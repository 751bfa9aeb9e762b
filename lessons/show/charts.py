"""Still charts of measurements against a quantity: theory pale and dotted, the twin thin, live bold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from lessons.show import style
from lessons.show.figures import Picture

SIZE_PX = (900, 360)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One kind of thing in a chart: points with how they are drawn, and their range if they have one.

    Attributes:
        name: for the legend.
        x, y: the points.
        low, high: the range of each point, or None.
        look: what Matplotlib is told about line and marker.
    """

    name: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    look: Mapping[str, Any] = field(default_factory=dict)


def curve(name: str, x: ArrayLike, y: ArrayLike, *, second: bool = False) -> Layer:
    """What theory says: dotted and pale; dashed where there is a first curve already."""
    look = _stroke(style.THEORY) | {"alpha": 0.8} | ({"ls": (0, (4.0, 1.2))} if second else {})
    return Layer(name=name, x=np.asarray(x, float), y=np.asarray(y, float), look=look)


def path(name: str, x: ArrayLike, y: ArrayLike) -> Layer:
    """What the twin says, point after point: thin."""
    return Layer(name=name, x=np.asarray(x, float), y=np.asarray(y, float), look=_stroke(style.TWIN))


def spread(
    name: str, values: Mapping[int, Sequence[float]] | Mapping[float, Sequence[float]], *, joined: bool = True
) -> Layer:
    """What the twin says: the mean of its runs, with their range."""
    x, y = _means(values)
    low, high = (np.array([end(ones) for ones in values.values()], float) for end in (min, max))
    look = _stroke(style.TWIN) | {"marker": "o", "ms": 6, "mfc": style.PAPER}
    look |= {} if joined else {"ls": ""}
    return Layer(name=name, x=x, y=y, low=low, high=high, look=look)


def measured(
    name: str, values: Mapping[int, Sequence[float]] | Mapping[float, Sequence[float]], *, joined: bool = False
) -> Layer:
    """What was measured on the real thing: bold."""
    x, y = _means(values)
    look = _stroke(style.LIVE) | {"ls": "-" if joined else "", "marker": "D", "ms": 8}
    return Layer(name=name, x=x, y=y, look=look)


def same_tape(name: str, values: Mapping[int, Sequence[float]] | Mapping[float, Sequence[float]]) -> Layer:
    """What the twin says to the tape of a live run."""
    x, y = _means(values)
    return Layer(name=name, x=x, y=y, look=_stroke(style.TWIN) | {"ls": "", "marker": "x", "ms": 11, "mew": 2.4})


def dots(name: str, x: ArrayLike, y: ArrayLike) -> Layer:
    """Many single things that were measured."""
    look = _stroke(style.LIVE) | {"ls": "", "marker": ".", "ms": 6, "alpha": 0.6}
    return Layer(name=name, x=np.asarray(x, float), y=np.asarray(y, float), look=look)


def line(name: str, x: ArrayLike, y: ArrayLike, stroke: style.Stroke, marker: str, *, joined: bool = True) -> Layer:
    """One of several quantities that were measured: each has a stroke and a marker of its own.

    Args:
        name: for the legend.
        x: the points.
        y: likewise.
        stroke: colour, dashes and width.
        marker: Matplotlib's letter.
        joined: whether there is a line from point to point.
    """
    look = _stroke(stroke) | {"marker": marker, "ms": 7 if joined else 5} | ({} if joined else {"ls": ""})
    return Layer(name=name, x=np.asarray(x, float), y=np.asarray(y, float), look=look)


def chart(
    title: str,
    layers: Iterable[Layer],
    *,
    x: str,
    y: str,
    log_x: bool = False,
    log_y: bool = False,
    ticks: Mapping[float, str] | None = None,
    y_ticks: Mapping[float, str] | None = None,
) -> Picture:
    """A picture of some layers; its text for screen readers has their numbers.

    Args:
        title: the finding, or the question.
        layers: what to draw, from back to front.
        x: label of the axis, with its unit.
        y: likewise.
        log_x: a logarithmic axis.
        log_y: likewise.
        ticks: places on the x axis and what to write there; default is Matplotlib's choice.
        y_ticks: likewise on the y axis.
    """
    layers = list(layers)
    width, height = (px / style.DPI for px in SIZE_PX)
    figure = Picture(figsize=(width, height), dpi=style.DPI, facecolor=style.PAPER)
    axes = figure.add_axes((0.07, 0.145, 0.905, 0.71))
    style.dress(axes, "")
    _scale(axes, layers, log_x, log_y)
    for depth, layer in enumerate(layers, start=2):
        axes.plot(layer.x, layer.y, zorder=depth, label=layer.name, **layer.look)
        if layer.low is not None and layer.high is not None:
            axes.vlines(layer.x, layer.low, layer.high, color=layer.look["color"], lw=1.6, zorder=depth)
    axes.set_xlabel(x, fontsize=style.LABEL_PT, color=style.GREY)
    axes.set_ylabel(y, fontsize=style.LABEL_PT, color=style.GREY)
    if ticks is not None:
        axes.set_xticks(list(ticks), list(ticks.values()))
        axes.set_xticks([], minor=True)
    if y_ticks is not None:
        axes.set_yticks(list(y_ticks), list(y_ticks.values()))
        axes.set_yticks([], minor=True)
    axes.legend(loc="best", fontsize=style.LABEL_PT, frameon=False)
    style.title(figure, title)
    figure.alt = f"{title}. {' '.join(_words(layer, ticks or {}) for layer in layers)}"
    return figure


def _stroke(stroke: style.Stroke) -> dict[str, Any]:
    return {"color": stroke.color, "lw": stroke.width, "ls": stroke.dash}


def _scale(axes: Axes, layers: Sequence[Layer], log_x: bool, log_y: bool) -> None:
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    else:
        tops = [np.nanmax(layer.y if layer.high is None else layer.high) for layer in layers]
        axes.set_ylim(0, style.nice(1.08 * float(max(tops))))


def _means(values: Mapping[Any, Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.array(list(values), float), np.array([np.mean(ones) for ones in values.values()], float)


def _words(layer: Layer, places: Mapping[float, str]) -> str:
    """Few points are told, at the names of their places; of many, the first and the last."""
    points = list(zip(layer.x, layer.y, strict=True))
    shown = points if len(points) <= 8 else [points[0], points[-1]]
    said = ", ".join(f"{y:.3g} at {places.get(float(x), f'{x:.3g}')}" for x, y in shown)
    return f"{layer.name[0].upper()}{layer.name[1:]}: {said}."
