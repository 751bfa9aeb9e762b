"""The stationary probabilities of a birth-death chain, by balance between neighbours.

Source: p(n + 1)/p(n) = birth(n)/death(n + 1) (Kleinrock, "Queueing Systems", volume 1, chapter 3).
"""

from __future__ import annotations

import numpy as np

from lessons.theory.sojourn import Floats


def stationary(ratios: Floats) -> Floats:
    """Probabilities of the states 0 … n, given the n ratios p(i + 1)/p(i).

    Sums of logarithms start at the likeliest state, so nothing overflows and the digits are where the weight is.
    """
    with np.errstate(divide="ignore"):  # a ratio of 0 ends the chain there: its logarithm is -inf
        steps = np.log(ratios)
    top = int(np.argmax(np.concatenate(([0.0], np.cumsum(steps)))))
    up = np.cumsum(steps[top:])
    down = -np.cumsum(steps[:top][::-1])[::-1]
    weights = np.exp(np.concatenate((down, [0.0], up)))
    return np.asarray(weights / weights.sum())
