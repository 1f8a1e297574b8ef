"""Rules for the names and versions of chaincodes (fabric-wire.md §3.4)."""

from __future__ import annotations

import re
from typing import Final

from treadle_fabric.packages.errors import PackageFormatError

CHAINCODE_NAME: Final = re.compile(r"[a-zA-Z0-9]++(?:[-_][a-zA-Z0-9]++)*+")
CHAINCODE_VERSION: Final = re.compile(r"[A-Za-z0-9_.+-]+")


def check_name_and_version(name: str, version: str) -> None:
    """Raise PackageFormatError with Fabric's text for a bad one."""
    if not CHAINCODE_NAME.fullmatch(name):
        raise PackageFormatError(
            f"invalid chaincode name '{name}'. Names must start with an alphanumeric character "
            "and can only consist of alphanumerics, '_', and '-'"
        )
    if not CHAINCODE_VERSION.fullmatch(version):
        raise PackageFormatError(
            f"invalid chaincode version '{version}'. Versions must not be empty and can only "
            "consist of alphanumerics, '_',  '-', '+', and '.'"
        )
