"""A slow line in front of any broker: the same address, but each way takes ``latency_s`` longer.

The delay is injected, as if the broker were a city or a continent away; whoever shows it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demo_workers.errors import ScenarioError
from demo_workers.services.children.child import Child
from demo_workers.services.faults.delay_proxy import LOOPBACK

PORTS: Mapping[str, int] = {"redis": 6379, "amqp": 5672, "http": 80}


class SlowLine:
    """A delay between clients and the server of a broker.

    Args:
        address: of the server, as its broker takes it.
        latency_s: the delay each way, at most half a minute.
        directory: for its log, and its socket where the server has one.

    Attributes:
        address: what a broker takes to be far away.
    """

    def __init__(self, address: Mapping[str, str], latency_s: float, directory: Path) -> None:
        self._target, self._directory = dict(address), directory
        self._socket = str(directory / "slow.sock") if "unix_socket_path" in address else ""
        target = {"uds": address["unix_socket_path"]} if self._socket else _host_and_port(address)
        config: dict[str, Any] = {"target": target, "uds": self._socket, "latency_s": latency_s}
        self._proxy = Child("slow line", "demo_workers.services.faults.delay_proxy", config, directory / "slow.log")
        self.address: dict[str, str] = {}

    async def start(self) -> None:
        """Begin; returns when connections are taken.

        Raises:
            LabError: it did not start, for example because the delay is too long.
        """
        said = await self._proxy.start()
        if self._socket:
            self.address = {**self._target, "unix_socket_path": self._socket}
        else:
            self.address = {name: _moved(value, said["port"]) for name, value in self._target.items()}

    async def delay(self, latency_s: float) -> None:
        """Change the delay of what comes from now on.

        Raises:
            LabError: it is too long.
        """
        await self._proxy.call("delay", latency_s=latency_s)

    async def stop(self) -> None:
        """End, with all connections through it; may be called twice and from any state."""
        await self._proxy.stop()


def _host_and_port(address: Mapping[str, str]) -> dict[str, Any]:
    url = urlsplit(next(iter(address.values()), ""))
    if len(address) != 1 or url.scheme not in PORTS:
        kind = url.scheme or ", ".join(address)
        bound = f"a socket or one URL of {', '.join(PORTS)}"
        raise ScenarioError("address", kind, bound, "An encrypted line would not bear another host's name.")
    return {"host": url.hostname, "port": url.port or PORTS[url.scheme]}


def _moved(url: str, port: int) -> str:
    """The same URL at our port; who and what stays."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user}{at}{LOOPBACK}:{port}").geturl()
