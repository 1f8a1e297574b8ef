"""How many calls of one chaincode may be under way, for a limit on all proposals."""

from __future__ import annotations

import pytest
from treadle_peer.main.chaincodes import calls_of_one


@pytest.mark.parametrize(("proposals", "calls"), [(0, 0), (1, 1), (2, 1), (5, 4), (2500, 2000)])
def test_one_chaincode_leaves_a_fifth_and_is_never_unbounded_by_rounding(
    proposals: int, calls: int
) -> None:
    assert calls_of_one(proposals) == calls
