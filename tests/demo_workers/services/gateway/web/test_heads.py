from __future__ import annotations

import pytest

from demo_workers.services.gateway.web import heads
from demo_workers.services.gateway.web.heads import Name
from demo_workers.services.gateway.web.problems import Problem


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (b"", None),
        (b"wait=3", 3),
        (b"wait=31", 30),
        (b"wait=999999999", 30),
        (b'respond-async; x="y", WAIT = "7"', 7),
        (b"wait=2;strict", 2),
        (b"wait=2.5", None),
        (b"wait=-2", None),
        (b"nowait=2", None),
        (b"wait=9999999999", None),
    ],
)
def test_prefer_wait(prefer: bytes, seconds: int | None) -> None:
    """Whole seconds, at most 30; anything else is ignored."""
    assert heads.wait_s({b"prefer": prefer}) == seconds


def test_several_prefer_headers_are_one_list() -> None:
    """As RFC 9110 has it for lists."""
    head = heads.read([(b"prefer", b"respond-async"), (b"host", b"w"), (b"prefer", b"wait=4")])
    assert heads.wait_s(head) == 4


@pytest.mark.parametrize(
    ("client", "attempt", "name"),
    [
        (b"", b"", Name(77, 1, -1)),
        (b"12", b"", Name(77, 1, 12)),
        (b"12", b"345.2", Name(345, 2, 12)),
        (b"0", b"0.1", Name(0, 1, 0)),
        (b"2147483647", b"1073741823.65535", Name(2**30 - 1, 65535, 2**31 - 1)),
    ],
)
def test_names(client: bytes, attempt: bytes, name: Name) -> None:
    """Who does not say which attempt this is gets a number of the gateway's own."""
    assert heads.name({b"workbook-client": client, b"workbook-attempt": attempt}, lambda: 77) == name


@pytest.mark.parametrize(
    ("client", "attempt"),
    [
        (b"x", b""),
        (b"-1", b""),
        (b"2147483648", b""),
        (b"1e3", b""),
        ("٣".encode(), b""),
        (b"", b"1"),
        (b"", b"1.0"),
        (b"", b"1.65536"),
        (b"", b"1073741824.1"),
        (b"", b"1.1.1"),
        (b"", b"1 .1"),
    ],
)
def test_what_is_no_name_is_refused(client: bytes, attempt: bytes) -> None:
    """400, with the bounds in the text."""
    with pytest.raises(Problem, match="must be") as caught:
        heads.name({b"workbook-client": client, b"workbook-attempt": attempt}, lambda: 77)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("priority", "urgent"),
    [
        (b"", False),
        (b"u=2", True),
        (b"u=3", False),
        (b"i, u=0", True),
        (b"u=1;x=2, i", True),
        (b"u=5, u=1", True),
        (b"u=1, u=5", False),
        (b"u=8", False),
        (b"u=10", False),
        (b"au=1", False),
        (b"u = 1", False),
    ],
)
def test_priority(priority: bytes, urgent: bool) -> None:
    """RFC 9218: the last urgency counts, what is not understood is ignored."""
    assert heads.urgent({b"priority": priority}) is urgent


@pytest.mark.parametrize(("given", "seconds"), [(b"", None), (b"0", 0.0), (b"0.953", 0.953), (b"3600", 3600.0)])
def test_deadline(given: bytes, seconds: float | None) -> None:
    """Seconds with a decimal point, or nothing."""
    assert heads.deadline_s({b"workbook-deadline": given}) == seconds


@pytest.mark.parametrize("given", [b"-1", b"soon", b"1e3", b"nan", b"3600.1", b"99999", b".5", b"0.1234567890"])
def test_what_is_no_deadline_is_refused(given: bytes) -> None:
    """400, with the bound in the text."""
    with pytest.raises(Problem, match="must be seconds") as caught:
        heads.deadline_s({b"workbook-deadline": given})
    assert caught.value.status == 400


def test_a_key_belongs_to_its_run() -> None:
    """Each run sees another digest, each key another; none is none."""
    digests = {heads.key_digest({heads.KEY: key}, run) for key in (b"a", b"b", b'"a"') for run in ("1", "2")}
    assert len(digests) == 6
    assert heads.key_digest({}, "1") == ""
