"""Deployment specs, plain and signed: what install is given."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.peer.chaincode_pb2 import ChaincodeDeploymentSpec
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import consortium
from treadle_fabric.packages import (
    PackageFormatError,
    add_signature,
    check_code_package,
    check_name_and_version,
    parse_legacy_package,
    sign_package,
    wrap_code,
    write_archive,
)
from treadle_fabric.policy import signed_by_any_admin
from treadle_fabric.wire import serialize

RAW = 0xFF


@cache
def _plain() -> bytes:
    code = write_archive({"src/main.go": b"package main\n"})
    return wrap_code(name="probe", version="1", language="golang", path="p", code=code)


@cache
def _signed() -> bytes:
    policy = serialize(signed_by_any_admin(["Org1MSP"]))
    return sign_package(
        deployment_spec=_plain(), instantiation_policy=policy, owner=consortium().admin
    )


def seeds() -> Iterator[bytes]:
    """Both kinds, as they are, edited, raw."""
    for kind in range(2):
        yield bytes((kind,))
        yield bytes((kind, 1, 1, 1))
    yield bytes((RAW,)) + _plain()
    yield bytes((RAW,)) + _signed()


def one_input(data: bytes) -> None:
    """A package whose hashes and signatures are the same each time, or a PackageFormatError."""
    octets = Octets(data)
    chosen = octets.byte()
    if chosen == RAW:
        raw = octets.rest()
    elif chosen % 2:
        raw = edit_many(Envelope, _signed(), octets)
    else:
        raw = edit_many(ChaincodeDeploymentSpec, _plain(), octets)
    try:
        package = parse_legacy_package(raw)
    except PackageFormatError as error:
        said(error)
        return
    assert parse_legacy_package(raw) == package
    if package.signed:
        more = parse_legacy_package(add_signature(raw, consortium().client))
        assert len(more.owner_endorsements) == len(package.owner_endorsements) + 1
        assert more.code == package.code
    for check in (
        lambda: check_name_and_version(package.name, package.version),
        lambda: check_code_package(package.language, package.code),
    ):
        try:
            check()
        except PackageFormatError as error:
            said(error)
