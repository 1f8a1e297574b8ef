"""Chaincodes that developers run, as ``treadle.runtime.v1`` shows and takes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from treadle_fabric.identity import IssuedCertificate
from treadle_runtime.v1 import runtime_pb2 as pb

from treadle_peer.chaincode.runtimes import Development, Developments, NotOpen, Policy
from treadle_peer.services.refusals import CallRefused, Refusal

MOST_POLICIES: Final = 1000
LONGEST_CCID: Final = 256
MOST_HOLDERS: Final = 1000
_LONGEST_HOLDER: Final = 256
_LONGEST_LINE: Final = 1024


def development_message(row: Development) -> pb.Development:
    """One chaincode as the API shows it."""
    message = pb.Development(
        ccid=row.ccid,
        open=row.open,
        connected=row.connected,
        developer=row.developer,
        remote=row.remote,
        opening=row.opening,
        holders=row.holders,
    )
    if row.since is not None:
        message.since.FromDatetime(row.since)
    return message


def policies_of(request: pb.ApplyPoliciesRequest) -> dict[str, Policy]:
    """The set that is asked for, by ccid; raises CallRefused for what is none."""
    if len(request.development) > MOST_POLICIES:
        raise _invalid(f"a peer opens at most {MOST_POLICIES} chaincodes for development")
    found = {message.ccid: _policy(message) for message in request.development}
    if len(found) < len(request.development):
        raise _invalid("a set of policies names each ccid once")
    return found


def issued_for_developers(
    developments: Developments, request: pb.IssueCertificateRequest, lifetime: timedelta | None
) -> tuple[IssuedCertificate, datetime]:
    """A certificate of a developer, and its end; raises CallRefused."""
    if not request.holder:
        raise _invalid("a certificate for developers names one of the policy's holders")
    try:
        return developments.issue(request.ccid, lifetime, holder=request.holder)
    except NotOpen as error:
        raise CallRefused(Refusal.NOT_FOUND, str(error)) from error


def checked_ccid(text: str) -> str:
    """A ccid; raises CallRefused."""
    if not text or len(text) > LONGEST_CCID or not text.isprintable():
        raise _invalid("a ccid is name:version of a chaincode")
    return text


def seconds_of(duration: Duration, name: str) -> float:
    """At least one second; raises CallRefused."""
    try:
        seconds = duration.ToTimedelta().total_seconds()
    except (ValueError, OverflowError) as error:
        raise _invalid(f"{name}: {error}") from error
    if seconds < 1:
        raise _invalid(f"{name} is at least one second")
    return seconds


def _policy(message: pb.DevelopmentPolicy) -> Policy:
    line = message.start_line
    if len(line) > _LONGEST_LINE or not (line.isprintable() or not line):
        raise _invalid(f"start_line is one line of at most {_LONGEST_LINE} characters")
    timeout = None
    if message.HasField("execute_timeout"):
        timeout = seconds_of(message.execute_timeout, "execute_timeout")
    return Policy(
        ccid=checked_ccid(message.ccid),
        execute_timeout=timeout,
        start_line=line,
        holders=_holders(message.holders),
    )


def _holders(names: Sequence[str]) -> tuple[str, ...]:
    usable = (name and len(name) <= _LONGEST_HOLDER and name.isprintable() for name in names)
    if len(names) > MOST_HOLDERS or not all(usable):
        raise _invalid(
            f"a policy names at most {MOST_HOLDERS} holders, each of them printable and of at most "
            f"{_LONGEST_HOLDER} characters"
        )
    return tuple(sorted(set(names)))


def _invalid(sentence: str) -> CallRefused:
    return CallRefused(Refusal.INVALID_ARGUMENT, sentence)
