"""The written normalisation: what may differ between two peers, and what is said instead.

Nothing is left out. A signature is replaced by whose valid signature it is, a hash by what it is
the hash of, a random nonce by its length under a valid signature, an orderer's time by its lying
within the conversation, a folder or address by its role; whatever is not what it should be stays
as it is, and then differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cryptography.x509 import load_pem_x509_certificate
from fabric_protos.common.common_pb2 import (
    Block,
    Envelope,
    Header,
    MetadataSignature,
    Payload,
    SignatureHeader,
)
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from google.protobuf.message import DecodeError, Message
from harness.differential.encoding import encodes
from harness.differential.events import Event, Recording
from harness.differential.fields import Way, leaves, path
from harness.differential.schema import TYPES
from treadle_fabric.identity.signatures import SignatureError, verify_signature
from treadle_fabric.wire import block_signature_bytes

ORDERER = "OrdererMSP"
UNORDERED = ("protos.ChaincodeInterest.chaincodes",)
"""Lists that come in the order of a Go map."""
_PROTO = "proto:"
Plain = dict[str, str]


def normal(recording: Recording) -> Plain:
    """Every field heard, by ``source[n].path``, as comparable text."""
    return assembled((event.source, normal_event(event, recording)) for event in recording.events)


def assembled(heard: Iterable[tuple[str, Plain]]) -> Plain:
    """The fields of events that are normal already, each with its source."""
    result: Plain = {}
    counts: dict[str, int] = {}
    for source, fields in heard:
        index = counts[source] = counts.get(source, -1) + 1
        for where, value in fields.items():
            result[f"{source}[{index}]{where}"] = value
    return result


def normal_event(event: Event, recording: Recording) -> Plain:
    """The fields of one event by ``.path``."""
    if event.kind != "message":
        details = _text(event.details, recording)
        return {" kind": event.kind, " code": event.code, " details": details}
    hints = event.hint.split(",")
    result = {" kind": "message", " type": event.type}
    try:
        message = TYPES[event.type].FromString(event.data)
    except DecodeError:
        return result | {" data": event.data.hex()}
    if not encodes(message, event.data):
        return result | {" data": event.data.hex()}
    _sort(message)
    for way, value in leaves(message, hints):
        result[f".{path(way)}"] = _leaf(way, value, recording)
    return result


def _sort(message: Message) -> None:
    """ProposalResponse.interest names chaincodes in the order of a Go map: none."""
    if message.DESCRIPTOR.full_name == "protos.ProposalResponse" and message.HasField("interest"):
        calls = sorted(message.interest.chaincodes, key=lambda call: call.name)
        del message.interest.chaincodes[:]
        message.interest.chaincodes.extend(calls)


def _leaf(way: Way, value: Any, recording: Recording) -> str:
    here = way[-1]
    rule = _RULES.get(here.name)
    said = rule(way, value) if rule else _time(way, value, recording)
    if said is not None:
        return said
    if isinstance(value, bytes):
        return recording.names.get(value) or _bytes(way, value, recording)
    return _text(value, recording) if isinstance(value, str) else repr(value)


def _bytes(way: Way, value: bytes, recording: Recording) -> str:
    if way[-1].name == "protos.ChaincodeMessage.payload":  # ERROR carries plain text
        return _text(value.decode(errors="backslashreplace"), recording)
    return value.hex()


def _text(text: str, recording: Recording) -> str:
    # Go's protobuf library writes one of two kinds of space, by the hash of its own binary.
    text = text.replace(f"{_PROTO}\N{NO-BREAK SPACE}", f"{_PROTO} ")
    for part, name in recording.texts.items():
        text = text.replace(part, name)
    return text


def _signed_by(creator: bytes, message: bytes, signature: bytes) -> str | None:
    try:
        identity = SerializedIdentity.FromString(creator)
        key = load_pem_x509_certificate(identity.id_bytes).public_key()
        verify_signature(key, message, signature)
    except (DecodeError, ValueError, SignatureError):
        return None
    return f"<valid signature by a member of {identity.mspid}>"


def _endorsement(way: Way, value: bytes) -> str | None:
    outer = way[-2].message
    known = outer.DESCRIPTOR.full_name == "protos.ProposalResponse"
    payload = outer.payload if known else outer.proposal_response_payload
    endorser = way[-1].message.endorser
    return _signed_by(endorser, payload + endorser, value)


def _envelope(way: Way, value: bytes) -> str | None:
    envelope = way[-1].message
    assert isinstance(envelope, Envelope)
    try:
        header = Payload.FromString(envelope.payload).header
        creator = SignatureHeader.FromString(header.signature_header).creator
    except DecodeError:
        return None
    return _signed_by(creator, envelope.payload, value)


def _block_signature(way: Way, value: bytes) -> str | None:
    block, signature = way[0].message, way[-1].message
    for place in way:
        block = place.message if isinstance(place.message, Block) else block
    assert isinstance(signature, MetadataSignature)
    if not isinstance(block, Block):
        return None
    creator = SignatureHeader.FromString(signature.signature_header).creator
    signed = block_signature_bytes(way[-2].message.value, signature.signature_header, block.header)
    return _signed_by(creator, signed, value)


def _nonce(way: Way, value: bytes) -> str | None:
    made = _by_orderer(way[-1].message.creator)
    return f"<{len(value)} bytes of an orderer's own>" if made else None


def _time(way: Way, value: Any, recording: Recording) -> str | None:
    """An orderer's own time: its seconds must lie within the time of the recording."""
    if way[-1].name not in _TIMES:
        return None
    if not recording.began <= way[-1].message.seconds <= recording.ended:
        return None
    for place in reversed(way):
        if isinstance(place.message, Header):
            return "<a time of the conversation>" if _signed_by_orderer(place.message) else None
    return None


def _signed_by_orderer(header: Header) -> bool:
    try:
        return _by_orderer(SignatureHeader.FromString(header.signature_header).creator)
    except DecodeError:
        return False


def _by_orderer(creator: bytes) -> bool:
    try:
        return SerializedIdentity.FromString(creator).mspid == ORDERER
    except DecodeError:
        return False


_RULES = {
    "protos.Endorsement.signature": _endorsement,
    "common.Envelope.signature": _envelope,
    "common.MetadataSignature.signature": _block_signature,
    "common.SignatureHeader.nonce": _nonce,
}
_TIMES = ("google.protobuf.Timestamp.seconds", "google.protobuf.Timestamp.nanos")
