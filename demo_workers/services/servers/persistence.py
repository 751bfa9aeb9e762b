"""What a Redis server keeps on disk, and how soon: the settings that the lessons compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from demo_workers.errors import ScenarioError

Persistence = Literal["none", "rdb", "aof_no", "aof_everysec", "aof_always"]
"""``none``: nothing. ``rdb``: a snapshot now and then. ``aof_*``: every write goes to a log, which is written through
to the disk when the operating system likes, once a second, or before each answer."""

SETTINGS: tuple[Persistence, ...] = get_args(Persistence)

_RDB: Mapping[str, str] = {
    # classroom timing: one second after a change; Redis itself comes with an hour, five minutes or one
    "rdb": "save 1 1",
}
_FSYNC: Mapping[str, str] = {"aof_no": "no", "aof_everysec": "everysec", "aof_always": "always"}


def check(value: str) -> Persistence:
    """The setting of this name.

    Raises:
        ScenarioError: there is none.
    """
    for setting in SETTINGS:
        if value == setting:
            return setting
    raise ScenarioError("persistence", value, f"one of {', '.join(SETTINGS)}", "Check the spelling.")


def config_lines(setting: Persistence, *, timestamps: bool = True) -> list[str]:
    """The lines of a server's configuration.

    Args:
        setting: what to keep.
        timestamps: whether the server can note each second in its log (Redis 7 and later, every Valkey).
    """
    lines = [_RDB.get(setting, 'save ""')]
    if setting not in _FSYNC:
        return [*lines, "appendonly no"]
    lines += ["appendonly yes", f"appendfsync {_FSYNC[setting]}"]
    return [*lines, "aof-timestamp-enabled yes"] if timestamps else lines
