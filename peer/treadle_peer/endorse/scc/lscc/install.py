"""lscc install: check a package and store it (fabric-wire.md §3.4).

Fabric also builds here; Treadle builds at instantiate, so a peer without toolchains can hold
packages, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from treadle_fabric.packages import ChaincodePackage, PackageFormatError, parse_legacy_package

from treadle_peer.endorse.scc.base import SystemChaincodeError
from treadle_peer.endorse.scc.lscc.names import check_name_and_version
from treadle_peer.execution import InstalledPackage, PackageError, PackageStore

InstalledCallback = Callable[[InstalledPackage], None]


async def install(
    raw: bytes, *, packages: PackageStore, system: Collection[str]
) -> InstalledPackage:
    """Store *raw*; raises SystemChaincodeError with Fabric's text."""
    package = await asyncio.to_thread(_read, raw)
    check_name_and_version(package.name, package.version)
    if package.name in system:
        raise SystemChaincodeError(
            f"cannot install: {package.name} is the name of a system chaincode"
        )
    try:
        return await asyncio.to_thread(packages.install, raw)
    except PackageError as error:
        raise SystemChaincodeError(str(error)) from error


def _read(raw: bytes) -> ChaincodePackage:
    try:
        return parse_legacy_package(raw)
    except PackageFormatError as error:
        raise SystemChaincodeError(str(error)) from error
