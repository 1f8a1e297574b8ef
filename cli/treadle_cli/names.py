"""Whether words of the user may name a chaincode: Fabric's own rules, asked early. Pure."""

from __future__ import annotations

from treadle_fabric.packages import PackageFormatError, check_name_and_version


def name_problem(name: str) -> str | None:
    """What is wrong with *name* as a chaincode's name; None when nothing is."""
    return _problem(name, "0")


def version_problem(version: str) -> str | None:
    """What is wrong with *version* as a chaincode's version; None when nothing is."""
    return _problem("a", version)


def ccid_problem(ccid: str) -> str | None:
    """What is wrong with *ccid* as ``name:version``; None when nothing is."""
    name, colon, version = ccid.partition(":")
    if not colon:
        return f"want name:version, got '{ccid}'"
    return _problem(name, version)


def _problem(name: str, version: str) -> str | None:
    try:
        check_name_and_version(name, version)
    except PackageFormatError as error:
        return str(error)
    return None
