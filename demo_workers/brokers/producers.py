"""Producers that publish until they are stopped or their broker goes, and remember what they were told is safe."""

from __future__ import annotations

import itertools
import threading
import time

from demo_workers.brokers.protocol import Broker
from demo_workers.errors import BrokerError

FIRST_S = 30.0


class Producers:
    """Threads that publish numbers as fast as their broker takes them, or at a rate.

    Args:
        brokers: one for each thread; closed in the end.
        first: where the numbers begin.
        rate: messages per second and producer; None for as many as go.

    Attributes:
        acknowledged: numbers whose ``publish`` has returned.
    """

    def __init__(self, brokers: list[Broker], *, first: int = 0, rate: float | None = None) -> None:
        self._brokers, self._rate = brokers, rate
        self._numbers = itertools.count(first)  # next() on it is one step for all threads
        self._stop = threading.Event()
        self._begun = threading.Event()
        self._threads = [threading.Thread(target=self._publish, args=(broker,), daemon=True) for broker in brokers]
        self.acknowledged: list[int] = []

    def start(self) -> None:
        """Begin; returns when the first message is acknowledged.

        Raises:
            BrokerError: none was within half a minute.
        """
        for thread in self._threads:
            thread.start()
        if not self._begun.wait(FIRST_S):
            self.stop()
            raise BrokerError(f"first message: must be acknowledged within {FIRST_S:g} s. Does the broker live?")

    def stop(self) -> list[int]:
        """End; returns what was acknowledged. May be called twice."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.acknowledged

    def _publish(self, broker: Broker) -> None:
        try:
            with broker:
                while not self._stop.is_set():
                    number, began = next(self._numbers), time.monotonic()
                    broker.publish(number)
                    self.acknowledged.append(number)
                    self._begun.set()
                    if self._rate is not None:
                        self._stop.wait(max(began + 1 / self._rate - time.monotonic(), 0.0))
        except BrokerError:
            pass  # killed, as was the plan: what was not answered is not acknowledged


def drained(broker: Broker, wait_s: float) -> list[int]:
    """All numbers that come until none does for ``wait_s``; each acknowledged."""
    found: list[int] = []
    with broker:
        while (message := broker.receive(wait_s)) is not None:
            found.append(message.body)
            broker.ack(message)
    return found
