"""Rules for the names and versions of chaincodes (fabric-wire.md §3.4)."""

from __future__ import annotations

from treadle_fabric import packages
from treadle_fabric.packages import PackageFormatError

from treadle_peer.endorse.scc.base import SystemChaincodeError


def check_name_and_version(name: str, version: str) -> None:
    """Raise SystemChaincodeError with Fabric's text for a bad one."""
    try:
        packages.check_name_and_version(name, version)
    except PackageFormatError as error:
        raise SystemChaincodeError(str(error)) from error


def wrong_arg_count(count: int) -> SystemChaincodeError:
    """The error for a wrong number of arguments; *count* includes the function's name."""
    return SystemChaincodeError(f"invalid number of arguments to lscc: {count}")
