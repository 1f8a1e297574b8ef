"""What is known of one runtime: its record on disk, what was reported, what others see."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from treadle_fabric.packages import PackageFormatError, Prebuilt, read_prebuilt
from treadle_fabric.redaction import without_credentials

from treadle_peer.chaincode.launch.logs import readable
from treadle_peer.execution import InstalledPackage, PackageError

LONGEST_MESSAGE: Final = 4 * 1024
LONGEST_TAIL: Final = 16 * 1024
MOST_PODS: Final = 256


class Origin(Enum):
    """Why there must be a runtime."""

    OPERATOR = "operator"
    CLIENT = "client"
    COMMITTED = "committed"


class RuntimeState(Enum):
    """How far a runtime is; REGISTERED is true while any process of it takes transactions."""

    REQUIRED = "required"
    BUILDING = "building"
    STARTING = "starting"
    REGISTERED = "registered"
    FAILED = "failed"
    STOPPED = "stopped"


class Phase(Enum):
    """What an operator reports."""

    BUILDING = "building"
    PULLING = "pulling"
    STARTING = "starting"
    FAILED = "failed"


class ReportError(ValueError):
    """A report that says nothing usable; the text says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a build gave; ``sha256`` is hex, ``size`` bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What an installed package holds; ``sha256`` (hex) is that of the whole.

    ``prebuilt`` is what it only names: nothing is built then.
    """

    language: str = ""
    sha256: str = ""
    prebuilt: Prebuilt | None = None

    @classmethod
    def of(cls, package: InstalledPackage) -> Contents:
        """Those of *package*; raises PackageError."""
        try:
            prebuilt = read_prebuilt(package.language, package.code)
        except PackageFormatError as error:
            raise PackageError(str(error)) from error
        digest = hashlib.sha256(package.raw).hexdigest()
        return cls(language=package.language, sha256=digest, prebuilt=prebuilt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a restart of the peer must not forget.

    ``built``: nothing but the start is missing. ``pods``: the only addresses that its processes
    may come from; empty: any. ``execute_timeout``: seconds that one transaction may take; None:
    the peer's own.
    """

    ccid: str
    origin: Origin
    attempt: int = 1
    built: bool = False
    stopped: bool = False
    output: Output | None = None
    pods: tuple[str, ...] = ()
    execute_timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One runtime as an operator sees it; ``since`` is when its state began (UTC)."""

    record: Record
    contents: Contents
    state: RuntimeState
    message: str
    instances: int
    since: datetime

    @property
    def ccid(self) -> str:
        """The name under which its processes register."""
        return self.record.ccid


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How far the operator has come with a runtime."""

    phase: Phase
    message: str = ""
    log_tail: str = ""
    pods: tuple[str, ...] = ()

    @classmethod
    def checked(cls, *, phase: Phase, message: str, log_tail: str, pods: Sequence[str]) -> Report:
        """A report within the bounds: long texts are cut. Raises ReportError for bad addresses.

        Its texts are for everybody's eyes: no passwords of addresses, no terminal's escapes.
        """
        if len(pods) > MOST_PODS:
            raise ReportError(f"a runtime has at most {MOST_PODS} pods")
        return cls(
            phase=phase,
            message=without_credentials(message)[:LONGEST_MESSAGE],
            log_tail=readable(log_tail.encode())[-LONGEST_TAIL:],
            pods=tuple(sorted({_address(pod) for pod in pods})),
        )

    @property
    def sentence(self) -> str:
        """What people are told: the message, and the last lines of the log."""
        tail = self.log_tail.strip("\n")
        message = self.message or f"the operator reports: {self.phase.value}"
        return f"{message}; the last lines of its log:\n{tail}" if tail else message


def host_of(remote: str) -> str:
    """The normal form of the address in ``host:port``; empty when it is none."""
    try:
        return _address(remote.rpartition(":")[0].strip("[]"))
    except ReportError:
        return ""


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ReportError(f"{text!r} is no IP address of a pod") from None
    return str(getattr(address, "ipv4_mapped", None) or address)
