"""Names of chaincodes are refused before anything is started."""

from __future__ import annotations

import pytest
from treadle_cli.names import ccid_problem, name_problem, version_problem


def test_what_fabric_accepts_is_no_problem() -> None:
    assert name_problem("asset-1_b") is None
    assert version_problem("1.0+a_b-c") is None
    assert ccid_problem("asset:1.0") is None


@pytest.mark.parametrize(
    ("ccid", "said"),
    [
        ("", "want name:version, got ''"),
        ("asset", "want name:version, got 'asset'"),
        ("as set:1", "invalid chaincode name 'as set'"),
        ("-a:1", "invalid chaincode name '-a'"),
        ("asset:", "invalid chaincode version ''"),
        ("asset:1:2", "invalid chaincode version '1:2'"),
    ],
)
def test_a_bad_name_is_answered_with_fabrics_rule(ccid: str, said: str) -> None:
    assert (ccid_problem(ccid) or "").startswith(said)
