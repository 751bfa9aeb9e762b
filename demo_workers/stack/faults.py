"""Faults on purpose: each is real, stands in the steering log, and has a line in the ledger.

What they are and what to expect is in ``FAULTS``. A Redis server that is not the workbook's own is never harmed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil

from demo_workers.errors import ScenarioError
from demo_workers.records.directory import Steer
from demo_workers.services.children.child import Child
from demo_workers.services.faults import freezer
from demo_workers.services.faults.delay_proxy import LONGEST_S
from demo_workers.services.faults.power_cut import Survived, cut_power
from demo_workers.stack import memory

if TYPE_CHECKING:
    from demo_workers.stack.parts import Parts


class Fault(NamedTuple):
    """A fault for people.

    Attributes:
        method: the ``Stack``'s method; only ``slow_network`` takes an argument, the seconds each way.
        does: what it does.
        expect: what to look for.
        mended_by: the method that ends it before the run does; 0 is the argument of ``slow_network`` then. Empty where
            nothing does.
    """

    method: str
    does: str
    expect: str
    mended_by: str = ""


FAULTS = (
    Fault("kill_worker", "SIGKILL to the oldest worker", "its job is lost, its place is taken within a second or two"),
    Fault("kill_horse", "SIGKILL to the process that is at a job, of a forking worker", "its job fails at once"),
    Fault(
        "freeze_worker",
        "SIGSTOP to the oldest worker and its work horse",
        "its job hangs; the others may give it up, and thawed it is finished all the same, late",
        "thaw_worker",
    ),
    Fault(
        "slow_network",
        "a delay each way between clients and gateway, injected by a proxy",
        "time-outs, and retries of work that is done",
        "slow_network",
    ),
    Fault(
        "fill_memory",
        "Redis filled up to a memory limit",
        "503s, and workers that cannot take jobs and die of it",
        "free_memory",
    ),
    Fault("kill_gateway", "SIGKILL to the gateway", "the run ends; whoever was not answered is counted as lost"),
    Fault("kill_redis", "SIGKILL to the Redis server", "the run ends; without persistence all that waited is gone"),
    Fault("power_cut", "as if the plug were pulled on the Redis server", "the run ends; the log says what is on disk"),
)
"""Every fault, mildest first."""


class Faults:
    """The faults of one stack, and what of them is in force.

    Args:
        stack: whom to harm.
    """

    def __init__(self, stack: Parts) -> None:
        self._stack = stack
        self._frozen: dict[str, Child] = {}
        self._proxy: Child | None = None
        self._latency_s = 0.0
        self.full = False
        self._one_at_a_time = asyncio.Lock()  # a run that ends lifts faults, perhaps while another is being made

    def kill_worker(self) -> str:
        """SIGKILL the oldest worker; its job is accounted as lost and its place is taken. Returns its name.

        Raises:
            ScenarioError: there is no worker.
        """
        name = self._oldest("kill")
        self._log("kill_worker", name)
        self._stack.workforce.kill(name)
        return name

    def kill_horse(self) -> str:
        """SIGKILL the work horse of a forking worker that is at a job. Returns the worker's name.

        Raises:
            ScenarioError: the workers do not fork, or none is at a job.
        """
        for name, pid in zip(self._stack.workforce.names, self._stack.workforce.pids, strict=False):
            for horse in _children(pid):
                with contextlib.suppress(psutil.NoSuchProcess):  # done with its job just now
                    horse.kill()
                    self._log("kill_horse", name)
                    return name
        live = self._stack.live
        kind = "none at work" if live is None else live.scenario.service.worker_class
        bound = "fork, with a worker that is at a job"
        raise ScenarioError("service.worker_class", kind, bound, "Only a forking worker has a work horse to kill.")

    async def freeze_worker(self) -> str:
        """SIGSTOP the oldest worker that is not frozen yet; the frozen are killed at the end of the run's drain.

        Returns:
            its name.

        Raises:
            ScenarioError: there is no worker to freeze.
        """
        async with self._one_at_a_time:
            name = self._oldest("freeze")
            pid = self._stack.workforce.pid(name)
            log = self._stack.runtime / f"freezer-{pid}.log"
            command = [sys.executable, "-I", "-S", freezer.__file__]
            # should whoever holds it be killed, it must not stand there for ever
            holder = Child("freezer", "", {"pid": pid}, log, command=command, on_exit=lambda _: self._let_fall(name))
            await holder.start()
            self._frozen[name] = holder
            # a work horse has a group of its own, and would go on working
            await holder.call("hold", pids=[child.pid for child in _children(pid)])
            self._log("freeze_worker", name)
            return name

    async def thaw_worker(self) -> str:
        """SIGCONT the worker that was frozen first; it goes on where it stood. Returns its name.

        Raises:
            ScenarioError: none is frozen.
        """
        async with self._one_at_a_time:
            if not self._frozen:
                raise ScenarioError("frozen workers", 0, "at least 1", "Freeze one first.")
            name, holder = next(iter(self._frozen.items()))
            del self._frozen[name]
            await holder.call("thaw")
            await holder.stop()
            self._log("thaw_worker", name)
            return name

    async def slow_network(self, latency_s: float) -> None:
        """Delay everything between clients and gateway, each way; 0 takes the delay out again. It is injected.

        Args:
            latency_s: seconds each way, at most ``delay_proxy.LONGEST_S``.

        Raises:
            ScenarioError: out of bounds, or this stack has no clients of its own.
        """
        async with self._one_at_a_time:
            stack = self._stack
            if not 0 <= latency_s <= LONGEST_S:
                raise ScenarioError("latency_s", latency_s, f"between 0 and {LONGEST_S:g}", "Choose a smaller delay.")
            if not stack.url.startswith("unix:"):
                raise ScenarioError(
                    "gateway", stack.url, "on the stack's own socket", "Clients elsewhere are not ours."
                )
            # a slower network is so from when it is; a quicker one may be so a little before all is done
            begun = None if latency_s > self._latency_s else self._now()
            self._latency_s = latency_s
            gateway, slow = stack.url.removeprefix("unix:"), str(stack.runtime / "slow.sock")
            if latency_s > 0 and self._proxy is None:
                config = {"uds": slow, "target": {"uds": gateway}, "latency_s": latency_s}
                log = stack.runtime / "delay-proxy.log"
                self._proxy = Child("delay proxy", "demo_workers.services.faults.delay_proxy", config, log)
                await self._proxy.start()
            elif self._proxy is not None:
                await self._proxy.call("delay", latency_s=latency_s)
            await stack.clients.call("redirect", address={"uds": slow if latency_s > 0 else gateway})
            self._log("slow_network", latency_s, begun)

    async def fill_memory(self) -> int:
        """Fill the Redis server to a memory limit: from now on it refuses to store anything. Returns the limit (bytes).

        Raises:
            LabError: the server is not ours.
            RedisUnavailable: it has gone.
        """
        async with self._one_at_a_time:
            self._stack.redis.check_ours("fill")
            self.full = True
            await self._stack.workforce.hold()
            with self._stack.redis.expected_to_answer():
                limit = await memory.fill(self._stack.connection)
            self._log("fill_memory", limit)
            return limit

    async def free_memory(self) -> None:
        """Take the filling and the limit away; workers that died of it are replaced now. Harmless when not full.

        Raises:
            RedisUnavailable: the server has gone.
        """
        async with self._one_at_a_time:
            if self.full:
                with self._stack.redis.expected_to_answer():
                    await memory.free(self._stack.connection)
                self.full = False
                self._log("free_memory", None)
                await self._stack.workforce.go_on()

    def kill_gateway(self) -> None:
        """SIGKILL the gateway; the load ends with GatewayUnavailable, the next ``begin`` starts everything anew."""
        self._log("kill_gateway", None)
        self._stack.gateway.kill()

    def kill_redis(self) -> None:
        """SIGKILL the Redis server; the load ends with RedisUnavailable.

        Raises:
            LabError: the server is not ours.
        """
        self._stack.redis.check_ours("kill")
        self._log("kill_redis", None)
        self._stack.redis.kill()

    async def power_cut(self) -> Survived:
        """Cut the Redis server's power; returns what is on its disk.

        The load ends with RedisUnavailable. The load lab keeps nothing on disk, so there is nothing to find;
        ``services.faults.power_cut`` does the same to servers that do.

        Raises:
            LabError: the server is not ours.
        """
        survived = await cut_power(self._stack.redis, self._stack.runtime / "power-cut")
        self._log("power_cut", survived.to_dict())
        return survived

    async def lift(self) -> None:
        """End every fault that is in force: memory is freed, the frozen are killed, the network is quick again."""
        await self.free_memory()
        async with self._one_at_a_time:
            await self._kill_frozen()
            await self._quicken()

    async def _kill_frozen(self) -> None:
        for name, holder in list(self._frozen.items()):
            del self._frozen[name]
            if name in self._stack.workforce.names:
                self._stack.workforce.kill(name)
            await holder.stop()

    async def _quicken(self) -> None:
        if self._proxy is not None:
            proxy, self._proxy = self._proxy, None
            if self._latency_s > 0:
                self._latency_s = 0.0
                self._log("slow_network", 0.0)
            try:
                await self._stack.clients.call("redirect", address={"uds": self._stack.url.removeprefix("unix:")})
            finally:
                await proxy.stop()
                (self._stack.runtime / "slow.sock").unlink(missing_ok=True)

    async def stop(self) -> None:
        """Leave nothing running; may be called twice and from any state."""
        holders, self._frozen = [*self._frozen.values()], {}
        proxy, self._proxy, self._latency_s = self._proxy, None, 0.0
        self.full = False
        await asyncio.gather(*(child.stop() for child in [*holders, *([proxy] if proxy else [])]))

    async def worker_died(self, name: str) -> None:
        """A frozen worker has died: nobody needs to hold it any more."""
        holder = self._frozen.pop(name, None)
        if holder is not None:
            await holder.stop()

    def horse_died(self, name: str) -> None:
        """A work horse was killed at its job, by whomever; its worker lives on."""
        self._log("horse_died", name)

    def _let_fall(self, name: str) -> None:
        if self._frozen.pop(name, None) is not None and name in self._stack.workforce.names:
            self._stack.workforce.kill(name)

    def _oldest(self, verb: str) -> str:
        names = [name for name in self._stack.workforce.names if name not in self._frozen]
        if not names:
            raise ScenarioError("service.workers", 0, f"at least 1 to {verb} one", "Start a load with workers first.")
        return names[0]

    def _now(self) -> float:
        live = self._stack.live
        return 0.0 if live is None else max(live.now(), 0.0)

    def _log(self, fault: str, value: Any, t: float | None = None) -> None:
        live = self._stack.live
        if live is not None and not live.over:
            live.log(Steer(self._now() if t is None else t, fault, value))


def _children(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []
