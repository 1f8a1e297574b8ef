"""Names of chaincodes that somebody invents."""

from __future__ import annotations

import tracemalloc

import pytest
from treadle_fabric.packages import PackageFormatError, check_name_and_version

MIB = 1 << 20


@pytest.mark.parametrize("name", ["a", "A-b_c-9", "0"])
def test_a_proper_name_passes(name):
    check_name_and_version(name, "1.0")


@pytest.mark.parametrize("name", ["", "-a", "a-", "a--b", "a_-b", "a b", "ä", "a\n"])
def test_an_improper_name_is_refused(name):
    with pytest.raises(PackageFormatError, match="invalid chaincode name"):
        check_name_and_version(name, "1")


def test_a_name_of_megabytes_is_read_without_a_hundred_times_its_size():
    name = "a-" * MIB + "a"
    tracemalloc.start()
    try:
        check_name_and_version(name, "1")
        assert tracemalloc.get_traced_memory()[1] < 16 * MIB
    finally:
        tracemalloc.stop()
