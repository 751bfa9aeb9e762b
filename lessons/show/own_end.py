"""Every cell is told its own end, also when a widget spoke just then.

While a cell awaits something, ipykernel 7.4 answers a widget's message, and then takes that cell for the current
request again (the ``finally`` of its ``shell_main``). If the next cell has begun meanwhile, what that one prints,
and its end, are told as the cell's before: the notebook shows ``[*]`` beside a cell that has long run, and what waits
for its end (Run All, nbclient) waits in vain. ``keep`` lets the kernel take the newest request instead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from ipykernel.kernelbase import Kernel

Request = tuple[Any, dict[str, Any]]
"""The identity of who asked, and the message."""

REMEMBERED = 256
"""So many messages may come while one widget's message is being answered."""


def keep() -> None:
    """Mend the kernel this runs in, once; elsewhere there is nothing to mend."""
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is not None and hasattr(kernel, "shell_main") and "set_parent" not in vars(kernel):
        vars(kernel)["set_parent"] = _Newest(kernel)


class _Newest:
    """Stands for the kernel's ``set_parent``: a request that was taken before gives way to the newest one.

    The newest is a context variable, as the kernel's own are: each subshell has its own, and so has each message of a
    widget that is answered beside a cell.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._set_parent: Callable[[Any, dict[str, Any], str], None] = kernel.set_parent
        self._newest: ContextVar[Request] = ContextVar("newest")
        self._taken: deque[str] = deque(maxlen=REMEMBERED)

    def __call__(self, ident: Any, parent: dict[str, Any], channel: str = "shell") -> None:
        if channel == "shell" and (message := parent.get("header", {}).get("msg_id")):
            if message in self._taken:
                ident, parent = self._newest.get((ident, parent))
            else:
                self._taken.append(message)
                self._newest.set((ident, parent))
        self._set_parent(ident, parent, channel)
