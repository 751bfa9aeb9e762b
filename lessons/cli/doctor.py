"""``workbook doctor``."""

from __future__ import annotations

import argparse
import asyncio

import msgspec

from lessons.check.doctor import examine


def doctor(arguments: argparse.Namespace) -> int:
    """Print every finding; 1 when something needed is missing."""
    checks = asyncio.run(examine())
    if arguments.json:
        print(msgspec.json.encode(checks).decode())
    else:
        print("\n".join(map(str, checks)))
    return 0 if all(check.ok is not False for check in checks) else 1
