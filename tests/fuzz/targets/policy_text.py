"""The policy language: a policy whose text it could have been, or a PolicyError."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import bundle
from treadle_fabric.policy import PolicyError, compile_signature_policy, parse_policy
from treadle_fabric.wire import serialize

_WORDS = (
    "AND(",
    "OR(",
    "OutOf(",
    "outof(",
    ")",
    ",",
    "'Org1MSP.member'",
    '"Org2MSP.admin"',
    "'OrdererMSP.peer'",
    "'A.client",
    "1",
    "-1",
    "'2'",
    " ",
    "\n",
    "9" * 5000,
    "'" + "9" * 5000 + "'",
    "OR(" * 50,
    "and(" * 5000,
)


def seeds() -> Iterator[bytes]:
    """Honest and odd policies."""
    yield b"\0OR('Org1MSP.member')"
    yield b"\0AND('Org1MSP.peer', OR('Org2MSP.admin', \"Org3MSP.member\"))"
    yield b"\0OutOf(2, 'A.member', 'B.client', 'C.orderer')"
    yield b"\0OutOf('1', 'A.member')"
    for first in range(len(_WORDS)):
        yield bytes((1, first, 6, 5, 7, 4))


def one_input(data: bytes) -> None:
    """Read the text; what could be read compiles, and is canonical."""
    octets = Octets(data)
    if octets.byte() % 2:
        pieces = []
        while octets and len(pieces) < 4000:
            place = octets.below(len(_WORDS) + 1)
            pieces.append(octets.text() if place == len(_WORDS) else _WORDS[place])
        text = "".join(pieces)
    else:
        text = octets.rest().decode(errors="replace")
    try:
        policy = parse_policy(text)
    except PolicyError as error:
        said(error)
        return
    raw = serialize(policy)
    assert SignaturePolicyEnvelope.FromString(raw) == policy
    assert serialize(parse_policy(text)) == raw
    compile_signature_policy(policy, bundle().msps)
