"""A real kernel whose cells end while widgets speak."""

from __future__ import annotations

import queue
import time

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

OPEN = """
import comm
from lessons.show import own_end
widget = comm.create_comm(target_name="nobody")
widget.on_msg(lambda message: None)
print(widget.comm_id)
"""
ROUNDS = 20
CELLS = 5
SPOKEN = 60
PATIENCE_S = 3.0


def ends(client: BlockingKernelClient, requests: list[str]) -> tuple[set[str], str]:
    """Which of the requests the kernel says have ended, and what was printed meanwhile."""
    ended: set[str] = set()
    printed, last = "", time.monotonic()
    while ended != {*requests} and time.monotonic() - last < PATIENCE_S:
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except queue.Empty:
            continue
        last = time.monotonic()
        parent, content = message["parent_header"].get("msg_id"), message["content"]
        assert message["msg_type"] != "error", content
        if message["msg_type"] == "stream":
            printed += content["text"]
        if parent in requests and content.get("execution_state") == "idle":
            ended.add(parent)
    return ended, printed


def lost(client: BlockingKernelClient, widget: str) -> int:
    """Cells that await something and end while a widget speaks: how many of a round are never told so."""
    for _ in range(ROUNDS):
        cells = [client.execute("import asyncio; await asyncio.sleep(0.004)") for _ in range(CELLS)]
        for _ in range(SPOKEN):
            client.shell_channel.send(client.session.msg("comm_msg", {"comm_id": widget, "data": {}}))
            time.sleep(0.0005)
        if missing := len({*cells} - ends(client, cells)[0]):
            return missing
    return 0


@pytest.mark.notebooks
@pytest.mark.timeout(120)
def test_each_cell_is_told_its_own_end() -> None:
    """Without the mending some ends go to other cells. Once that part fails, the kernel is right and it can go."""
    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60)
    try:
        widget = ends(client, [client.execute(OPEN)])[1].strip()
        assert lost(client, widget) > 0
        ends(client, [client.execute("own_end.keep(); own_end.keep()")])
        assert lost(client, widget) == 0
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
