"""The simulated twin: the same scenario, the same tape and the same policies, played by one machine in no time.

``simulate`` gives a ``Run`` like any other; ``replicate`` gives means over many, with their confidence. The engine is
written once (``engine``, ``door``, ``clients``, ``workers``) and runs as plain Python or compiled, equal to the last
byte; ``compiling`` also compiles the live system's policies as they stand.
"""

from lessons.twin.replications import Replications, replicate
from lessons.twin.simulate import Overheads, simulate

__all__ = ["Overheads", "Replications", "replicate", "simulate"]
