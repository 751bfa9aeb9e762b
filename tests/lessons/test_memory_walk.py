"""One step in memory is timed, and takes longer the larger the working set is."""

from __future__ import annotations

from lessons import memory_walk


def test_a_far_step_is_slower_than_a_near_one() -> None:
    """Sixteen kilobytes are in any first cache, 64 megabytes mostly in none."""
    near, far = 1 << 14, 1 << 26
    found = memory_walk.step_ns((near, far))
    assert list(found) == [near, far]
    assert found[far] > 2 * found[near] > 0
