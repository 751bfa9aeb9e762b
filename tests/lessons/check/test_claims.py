"""What a notebook says is checked in words that are the same on every machine."""

from __future__ import annotations

import pytest

from lessons.check.claims import Claim, ClaimError, check


def test_true_claims_are_printed_without_their_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each."""
    check(Claim("the sky is blue", True, "475 nm"), Claim("water is wet", True))
    assert capsys.readouterr().out == "✓ the sky is blue\n✓ water is wet\n"


def test_a_false_claim_is_printed_and_raised_with_its_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """All lines are printed, also those after it; the error names the false ones alone."""
    with pytest.raises(ClaimError, match=r"^the moon is cheese \(0 g of 7e25 g\); pigs fly \(no wings\)$"):
        check(
            Claim("the moon is cheese", False, "0 g of 7e25 g"),
            Claim("the sky is blue", True, "475 nm"),
            Claim("pigs fly", False, "no wings"),
        )
    assert capsys.readouterr().out == "✗ the moon is cheese\n✓ the sky is blue\n✗ pigs fly\n"


def test_no_claim_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed."""
    check()
    assert capsys.readouterr().out == ""
