"""Signature policies as they stand in transactions and definitions: compiling, evaluating."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import bundle, consortium
from treadle_fabric.policy import (
    PolicyError,
    SignedData,
    compile_signature_policy,
    parse_policy,
    signed_by_any_member,
)
from treadle_fabric.wire import WireError, parse, serialize

_HONEST = (
    "OR('Org1MSP.member','Org2MSP.member')",
    "AND('Org1MSP.peer',OutOf(1,'Org2MSP.admin','OrdererMSP.orderer'))",
    "OutOf(2,'Org1MSP.client','Org2MSP.peer','Org1MSP.admin')",
)


def seeds() -> Iterator[bytes]:
    """The honest ones, and what nests."""
    for number in range(len(_HONEST)):
        yield bytes((number, 0))
    yield b"\xff\x00" + serialize(signed_by_any_member(["Org1MSP"]))
    deep = serialize(parse_policy("AND(" * 40 + "'Org1MSP.peer'" + ")" * 40))
    yield b"\xff\x01" + deep
    # Nested beyond what protobuf reads.
    rule = b"\x08\x00"
    for _ in range(200):
        rule = b"\x12" + _varint(len(rule) + 2) + b"\x12" + _varint(len(rule)) + rule
    yield b"\xff\x02\x12" + _varint(len(rule)) + rule


def one_input(data: bytes) -> None:
    """Compile, then evaluate on signatures of three identities: satisfied or a PolicyError."""
    octets = Octets(data)
    chosen, signers = octets.byte(), octets.byte()
    if chosen == 0xFF:
        raw = octets.rest()
    else:
        honest = serialize(parse_policy(_HONEST[chosen % len(_HONEST)]))
        raw = edit_many(SignaturePolicyEnvelope, honest, octets)
    try:
        policy = compile_signature_policy(parse(SignaturePolicyEnvelope, raw), bundle().msps)
    except (PolicyError, WireError):
        return
    signed = _signed(signers)
    assert _outcome(policy, signed) == _outcome(policy, signed)


def _outcome(policy: object, signed: list[SignedData]) -> str:
    try:
        policy.evaluate(signed)  # type: ignore[attr-defined]
    except PolicyError as error:
        return said(error)
    return "satisfied"


def _signed(which: int) -> list[SignedData]:
    people = consortium()
    known = (people.peer, people.client2, people.admin, people.orderer)
    return [
        SignedData(data=b"m", identity=each.serialize(), signature=each.sign(b"m"))
        for bit, each in enumerate(known)
        if which >> bit & 1
    ]


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*octets, value))
