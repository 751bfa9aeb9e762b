"""Queueing theory as closed formulas: what must happen in the long run, before anything is run.

Each module is one idea: ``little``, ``erlang``, ``mm1``, ``mmc``, ``mmck``, ``mg1``, ``kingman``, ``closed_loop``;
``drain``, ``staffing``, ``amplification``, ``throttling``, ``usl``, ``tail``, ``patience``. ``predict`` picks the one
that fits a scenario. Rates are per second, times in seconds, and a limit K counts waiting and running jobs.
"""

from lessons.theory.predicting import predict, predict_or_reason
from lessons.theory.prediction import Prediction

__all__ = ["Prediction", "predict", "predict_or_reason"]
