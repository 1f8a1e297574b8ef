"""A Job with fetched sources goes when nobody can need them any more."""

from __future__ import annotations

import pytest
from treadle_operator.reconcile.package import is_needed
from treadle_operator.reconcile.targets import INSTALLED, Target


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ([INSTALLED], False),
        ([INSTALLED, "PeerMissing"], False),
        ([INSTALLED, "Fetching"], True),
        (["InstallFailed"], True),
        (["PeerNotReady"], True),
        ([INSTALLED, "PeerRefused"], True),
        (["PackageMismatch"], False),
    ],
)
def test_who_is_away_for_a_while_still_needs_them(reasons: list[str], expected: bool) -> None:
    assert is_needed([Target(f"peer{n}", reason) for n, reason in enumerate(reasons)]) is expected
