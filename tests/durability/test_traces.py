"""What strace wrote is read as calls that are known to have been done."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.disk_calls import Written
from harness.disk_trace import read_trace

FILE = "".join(f"\\x{byte:02x}" for byte in b"/peer0/data/log")
BEGUN = f'17 1795427403.285545034 write(3<{FILE}>, "\\x31", 1'


@pytest.mark.parametrize("end", [" <detached ...>", ") = ? <unavailable>"])
def test_a_call_that_strace_did_not_see_the_end_of_is_not_known_to_be_done(end: str) -> None:
    assert list(read_trace(BEGUN + end, root=Path("/peer0"))) == []


def test_a_call_that_came_to_its_end_is_known() -> None:
    (call,) = read_trace(f"{BEGUN}) = 1 <0.000000012>", root=Path("/peer0"))
    assert isinstance(call, Written)
    assert call.path == "data/log"


def test_a_line_of_another_form_is_never_passed_over() -> None:
    with pytest.raises(AssertionError, match="strace wrote"):
        list(read_trace(f"{BEGUN} <lost>", root=Path("/peer0")))
