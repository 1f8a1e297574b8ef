"""What users hand over as text: ``-c``, ``--transient``, ``-P``, collection files.

Pure parsing; every failure is a CommandError with Fabric's words.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import (
    CollectionConfig,
    CollectionConfigPackage,
    CollectionPolicyConfig,
    StaticCollectionConfig,
)
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from treadle_fabric.policy import PolicyError, parse_policy

from treadle_cli.peer.errors import CommandError

_WANTED = "must contain the following keys: 'Args' or 'Function' and 'Args'"
_JSON_KINDS = {bool: "bool", int: "number", float: "number", dict: "object", list: "array"}


def parse_constructor(text: str, *, may_be_empty: bool = False) -> tuple[bytes, ...]:
    """The arguments of ``-c``: ``{"Args":[...]}``, or ``{"Function":"f","Args":[...]}``.

    Key names may have any case. *may_be_empty* accepts ``{}``, the default of install and package.
    """
    if text == "{}":
        if may_be_empty:
            return ()
        raise CommandError(f"empty JSON chaincode parameters {_WANTED}", usage=True)
    loaded = _load_json(text)
    if not isinstance(loaded, dict):
        raise CommandError(f"non-empty JSON chaincode parameters {_WANTED}", usage=True)
    fields = {key.lower(): value for key, value in loaded.items()}
    if "args" not in fields or not fields.keys() <= {"args", "function"}:
        raise CommandError(f"non-empty JSON chaincode parameters {_WANTED}", usage=True)
    function = _string(fields.get("function") or "", "Function")
    arguments = fields["args"] or []
    if not isinstance(arguments, list):
        raise CommandError(
            "chaincode argument error: json: cannot unmarshal "
            f"{_json_kind(arguments)} into Go struct field .Args of type []string"
        )
    strings = [_string(argument, "Args") for argument in arguments]
    return tuple(text.encode() for text in ([function] if function else []) + strings)


def parse_transient(text: str) -> dict[str, bytes]:
    """The transient map: JSON names to base64 text."""
    if not text:
        return {}
    try:
        loaded = _loads(text)
    except ValueError as error:
        raise CommandError(f"error parsing transient string: {_json_error(text, error)}") from None
    if not isinstance(loaded, dict):
        raise CommandError(
            f"error parsing transient string: json: cannot unmarshal {_json_kind(loaded)} "
            "into Go value of type map[string][]uint8"
        )
    return {name: _base64(value) for name, value in loaded.items()}


def parse_endorsement_policy(text: str) -> SignaturePolicyEnvelope | None:
    """The policy of ``-P``; None when not given."""
    if not text:
        return None
    try:
        return parse_policy(text)
    except PolicyError:
        raise CommandError(f"invalid policy {text}", usage=True) from None


def read_collections(file: str) -> CollectionConfigPackage | None:
    """The collections of ``--collections-config``; None when not given."""
    if not file:
        return None
    try:
        return parse_collections(Path(file).read_bytes())
    except OSError as error:
        text = f"could not read file '{file}': {error.strerror}"
        raise CommandError(
            f"invalid collection configuration in file {file}: {text}", usage=True
        ) from error
    except CommandError as error:
        raise CommandError(
            f"invalid collection configuration in file {file}: {error}", usage=True
        ) from None


def parse_collections(text: bytes) -> CollectionConfigPackage:
    """A JSON list of collections, as Fabric's documentation describes it."""
    try:
        loaded = _loads(text)
    except ValueError as error:
        raise CommandError(f"could not parse the collection configuration: {error}") from None
    if not isinstance(loaded, list) or not all(isinstance(item, dict) for item in loaded):
        raise CommandError("could not parse the collection configuration: want a list of objects")
    return CollectionConfigPackage(config=[_collection(item) for item in loaded])


def _collection(fields: dict[str, object]) -> CollectionConfig:
    endorsement = fields.get("endorsementPolicy")
    static = StaticCollectionConfig(
        name=str(fields.get("name", "")),
        member_orgs_policy=CollectionPolicyConfig(signature_policy=_member_policy(fields)),
        required_peer_count=_number(fields, "requiredPeerCount", 0),
        maximum_peer_count=_number(fields, "maxPeerCount", 1),
        block_to_live=_number(fields, "blockToLive", 0, bits=64),
        member_only_read=bool(fields.get("memberOnlyRead", False)),
        member_only_write=bool(fields.get("memberOnlyWrite", False)),
    )
    if isinstance(endorsement, dict):
        policy = _application_policy(
            str(endorsement.get("signaturePolicy", "")),
            str(endorsement.get("channelConfigPolicy", "")),
        )
        if policy is not None:
            static.endorsement_policy.CopyFrom(policy)
    return CollectionConfig(static_collection_config=static)


def _member_policy(fields: dict[str, object]) -> SignaturePolicyEnvelope:
    text = str(fields.get("policy", ""))
    try:
        return parse_policy(text)
    except PolicyError as error:
        raise CommandError(f"invalid policy {text}: {error}") from None


def _application_policy(signature: str, reference: str) -> ApplicationPolicy | None:
    if signature and reference:
        raise CommandError('cannot specify both "--signature-policy" and "--channel-config-policy"')
    if reference:
        return ApplicationPolicy(channel_config_policy_reference=reference)
    if not signature:
        return None
    try:
        return ApplicationPolicy(signature_policy=parse_policy(signature))
    except PolicyError:
        raise CommandError(f"invalid signature policy: {signature}") from None


def _number(fields: dict[str, object], name: str, default: int, *, bits: int = 31) -> int:
    """A number that Go's int32 holds; with 64 *bits*, its uint64."""
    lowest, highest = (0 if bits == 64 else -(2**31)), 2**bits - 1
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise CommandError(f"could not parse the collection configuration: {name} is no number")
    if not lowest <= value <= highest:
        raise CommandError(f"could not parse the collection configuration: {name} is out of range")
    return value


def _load_json(text: str) -> object:
    try:
        return _loads(text)
    except ValueError as error:
        reason = _json_error(text, error)
        raise CommandError(f"chaincode argument error: {reason}", usage=True) from None


def _loads(text: str | bytes) -> object:
    """JSON as Go reads it: half a surrogate pair becomes U+FFFD. Raises ValueError."""
    try:
        return _without_surrogates(json.loads(text))
    except RecursionError:
        raise ValueError("exceeded max depth") from None


def _without_surrogates(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, dict):
        return {_without_surrogates(k): _without_surrogates(v) for k, v in value.items()}
    return value


def _json_error(text: str, error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    if error.pos >= len(text.rstrip()):
        return "unexpected end of JSON input"
    return f"{error.msg} (position {error.pos})"


def _string(value: object, field: str) -> str:
    if isinstance(value, str):
        return value
    raise CommandError(
        "chaincode argument error: json: cannot unmarshal "
        f"{_json_kind(value)} into Go struct field .{field} of type string"
    )


def _base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise CommandError(
            "error parsing transient string: json: cannot unmarshal "
            f"{_json_kind(value)} into Go value of type []uint8"
        )
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:  # of binascii, or for what is not even ASCII
        raise CommandError(
            f"error parsing transient string: illegal base64 data in {value!r}"
        ) from None


def _json_kind(value: object) -> str:
    return "null" if value is None else _JSON_KINDS.get(type(value), "string")
