"""Every error a reader can meet.

LabError
├── ScenarioError (also a ValueError)   a value outside its bounds
├── UnstableQueue                       more work arrives than the workers can do, for ever
├── RedisUnavailable                    no server found, or it died
├── RabbitMQUnavailable                 no RabbitMQ node found, or it did not start
├── BrokerError                         a broker has gone, or cannot do what it was asked
├── GatewayUnavailable                  the HTTP gateway died or does not answer
├── WorkersNotReady                     workers did not report in time
├── LoadGeneratorLagging                the clients could not keep their own schedule
├── LedgerError                         the books do not balance
└── PolicyError                         a policy raised, hung or returned nonsense
"""

from __future__ import annotations


class LabError(Exception):
    """Base of all errors raised by the workbook."""


class ScenarioError(LabError, ValueError):
    """A value is outside its bounds.

    Args:
        name: dotted name of the field, for example ``load.arrival_rate``.
        value: what was given.
        bound: what is allowed, as a phrase ("above 0 and at most 10000").
        remedy: what to do about it.
    """

    def __init__(self, name: str, value: object, bound: str, remedy: str) -> None:
        self.name, self.value, self.bound, self.remedy = name, value, bound, remedy
        super().__init__(f"{name} = {value!r}: must be {bound}. {remedy}")


class UnstableQueue(LabError):
    """The offered load is at or above what the workers can do, so no steady state exists."""


class RedisUnavailable(LabError):
    """No Redis server could be found or started, or the one in use has died."""


class RabbitMQUnavailable(LabError):
    """No RabbitMQ node could be found or started."""


class BrokerError(LabError):
    """A message broker does not answer, or cannot do what it was asked."""


class GatewayUnavailable(LabError):
    """The gateway did not start, has died, or does not answer."""


class WorkersNotReady(LabError):
    """Workers did not report in before their deadline."""


class LoadGeneratorLagging(LabError):
    """Attempts left too late after their due time; the run measures the tester, not the system."""


class LedgerError(LabError):
    """A line of the ledger does not balance or disagrees with its witness."""


class PolicyError(LabError):
    """A policy raised, did not return in time, or returned a value that makes no sense."""
