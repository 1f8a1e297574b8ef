"""Interfaces between endorsement, chaincode and the package store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.execution.calls import Call, Outcome


class PackageError(Exception):
    """A package is unreadable, unknown or already installed; the text is Fabric's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackage:
    """One installed legacy package.

    ``raw`` are the bytes given to install; ``language`` is one of golang, node, java, python,
    or k8s and ccaas, whose code only names an image or a server; ``code`` is the gzipped tar of the
    sources (empty for packages made in development mode);
    ``data`` and ``id`` are the hashes of fabric-wire.md §3.1; ``instantiation_policy`` is the
    marshalled policy of a signed package, empty for a plain one.
    """

    name: str
    version: str
    path: str
    language: str
    raw: bytes
    deployment_spec: bytes
    code: bytes
    data: bytes
    id: bytes
    instantiation_policy: bytes

    @property
    def ccid(self) -> str:
        """The name under which the process registers: ``name:version``."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRow:
    """What a list says of an installed package: some hundred bytes, however large it is."""

    name: str
    version: str
    path: str
    id: bytes


class PackageStore(Protocol):
    """The peer's installed packages (fabric-wire.md §3.2)."""

    def install(self, raw: bytes) -> InstalledPackage:
        """Store *raw*; raises PackageError with Fabric's text when unreadable or present."""

    def get(self, name: str, version: str) -> InstalledPackage:
        """The package.

        Raises PackageError: ``open <file>: no such file or directory`` for one that is not
        installed, ``cannot get package for chaincode (n:v)`` for a damaged one.
        """

    def installed(self) -> Sequence[PackageRow]:
        """All packages, ordered by name, then version."""


class ChaincodeExecutor(Protocol):
    """Runs calls on chaincode processes; implemented by ``chaincode``."""

    async def execute(self, call: Call) -> Outcome:
        """Run *call* to its end, launching the process first in production mode.

        Raises ExecutionError. Returns whatever status the chaincode chose, also 500.
        """

    async def run(self, call: Call) -> ChaincodeMessage:
        """The chaincode's final message as it said it, unread: what a calling chaincode gets.

        Raises ExecutionError when it could not be run at all, or not to its end.
        """


class ChaincodeInvoker(Protocol):
    """Resolves and runs what a chaincode invokes; implemented by ``endorse``."""

    async def invoke(self, caller: Call, spec: ChaincodeSpec) -> ChaincodeMessage:
        """The callee's final message, COMPLETED or ERROR (fabric-wire.md §1.10).

        Raises ExecutionError with the text that follows ``INVOKE_CHAINCODE failed:
        transaction ID: <txid>: `` when the callee could not be run at all.
        """
