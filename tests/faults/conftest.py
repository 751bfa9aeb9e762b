"""The stack that these tests break."""

from __future__ import annotations

from tests.demo_workers.stack.conftest import stack

__all__ = ["stack"]
