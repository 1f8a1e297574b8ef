"""Rules for the names and versions of chaincodes (fabric-wire.md §3.4)."""

from __future__ import annotations

import re

from treadle_peer.endorse.scc.base import SystemChaincodeError

_NAME = re.compile(r"[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*")
_VERSION = re.compile(r"[A-Za-z0-9_.+-]+")


def check_name_and_version(name: str, version: str) -> None:
    """Raise SystemChaincodeError with Fabric's text for a bad one."""
    if not _NAME.fullmatch(name):
        raise SystemChaincodeError(
            f"invalid chaincode name '{name}'. Names must start with an alphanumeric character "
            "and can only consist of alphanumerics, '_', and '-'"
        )
    if not _VERSION.fullmatch(version):
        raise SystemChaincodeError(
            f"invalid chaincode version '{version}'. Versions must not be empty and can only "
            "consist of alphanumerics, '_',  '-', '+', and '.'"
        )


def wrong_arg_count(count: int) -> SystemChaincodeError:
    """The error for a wrong number of arguments; *count* includes the function's name."""
    return SystemChaincodeError(f"invalid number of arguments to lscc: {count}")
