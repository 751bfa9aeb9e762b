"""The verbs by which a stack is broken on purpose; what each does is said at ``Faults``."""

from __future__ import annotations

from demo_workers.services.faults.power_cut import Survived
from demo_workers.stack.faults import Faults


class Breakable:
    """A stack that can be broken.

    Attributes:
        faults: does it, and knows what is in force.
    """

    faults: Faults

    def kill_worker(self) -> str:
        """``Faults.kill_worker``."""
        return self.faults.kill_worker()

    def kill_horse(self) -> str:
        """``Faults.kill_horse``."""
        return self.faults.kill_horse()

    async def freeze_worker(self) -> str:
        """``Faults.freeze_worker``."""
        return await self.faults.freeze_worker()

    async def thaw_worker(self) -> str:
        """``Faults.thaw_worker``."""
        return await self.faults.thaw_worker()

    async def slow_network(self, latency_s: float) -> None:
        """``Faults.slow_network``."""
        await self.faults.slow_network(latency_s)

    async def fill_memory(self) -> int:
        """``Faults.fill_memory``."""
        return await self.faults.fill_memory()

    async def free_memory(self) -> None:
        """``Faults.free_memory``."""
        await self.faults.free_memory()

    def kill_gateway(self) -> None:
        """``Faults.kill_gateway``."""
        self.faults.kill_gateway()

    def kill_redis(self) -> None:
        """``Faults.kill_redis``."""
        self.faults.kill_redis()

    async def power_cut(self) -> Survived:
        """``Faults.power_cut``."""
        return await self.faults.power_cut()
