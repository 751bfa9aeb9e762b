"""Section b: tries multiply through a chain of real servers, which count for themselves."""

from __future__ import annotations

import pytest

from lessons import retries
from lessons.check.claims import ClaimError
from lessons.retries import Lesson
from lessons.retries.layers import Asked
from tests.processes import children

EVERYBODY = Asked((4, 4, 4), (1, 4, 16, 64), 503)
ONLY_FIRST = Asked((4, 1, 1), (1, 4, 4, 4), 503)
BAD = {
    "clicked once": (EVERYBODY, ONLY_FIRST._replace(status=200)),
    "each layer multiplies": (EVERYBODY._replace(counts=(1, 4, 16, 63)), ONLY_FIRST),
    "nothing is multiplied": (EVERYBODY, ONLY_FIRST._replace(counts=(1, 4, 8, 8))),
}


@pytest.mark.live
@pytest.mark.timeout(120)
async def test_four_servers_in_a_chain(lesson: Lesson) -> None:
    """As the notebook asks them, with other tries, and a second time; none of them is left."""
    before = children()
    everybody, only_first = await retries.click(lesson, retries.EVERYBODY, retries.ONLY_FIRST)
    retries.check_layers(everybody, only_first)
    assert (everybody, only_first) == (EVERYBODY, ONLY_FIRST)
    (last,) = await retries.click(lesson, (1, 1, 3))
    assert last.counts == (1, 1, 1, 3)
    assert "database 64" in str(everybody)
    assert children() == before


def test_true_counts_pass_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are compared when the notebook is tested."""
    retries.check_layers(EVERYBODY, ONLY_FIRST)
    lines = capsys.readouterr().out
    assert lines.count("✓") == 3
    assert not any(letter.isdigit() for letter in lines.replace("503", ""))


@pytest.mark.parametrize("claim", BAD)
def test_each_claim_can_fail(claim: str) -> None:
    """By the one figure that is wrong."""
    with pytest.raises(ClaimError, match=claim):
        retries.check_layers(*BAD[claim])


def test_the_printed_theory(capsys: pytest.CaptureFixture[str]) -> None:
    """Its numbers are compared when the notebook is tested: 4³, 3⁵, certain failure, and a budget of a tenth."""
    retries.show_amplification()
    said = capsys.readouterr().out
    assert "4 tries in 3 layers: 64 calls" in said
    assert "3 tries in 5 layers: 243 calls" in said
    assert "probability 1.00: 4.00 calls, 0.000000% succeed" in said
    assert "at most 10% of the requests: 1.10 calls" in said
