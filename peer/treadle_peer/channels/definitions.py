"""The definition of a legacy chaincode as namespace ``lscc`` stores it (fabric-wire.md §3.5).

``fabric_protos`` types the two policies of ChaincodeData; Fabric itself keeps their bytes. They
are read and written as bytes here, so that what one peer wrote another finds unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from treadle_fabric.wire import WireError, length_delimited_fields

LEGACY_NAMESPACE = "lscc"
LIFECYCLE_NAMESPACE = "_lifecycle"

_LENGTH_DELIMITED = 2


class StateSource(Protocol):
    """Whoever reads committed state: a simulator or a plain reader."""

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The committed value, ``None`` for a missing key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaincodeDefinition:
    """ChaincodeData: the policies are marshalled SignaturePolicyEnvelopes, ``data`` and ``id``
    the hashes of the installed package."""

    name: str
    version: str
    endorsement_plugin: str
    validation_plugin: str
    policy: bytes
    data: bytes
    id: bytes
    instantiation_policy: bytes

    @property
    def ccid(self) -> str:
        """The name under which the process registers."""
        return f"{self.name}:{self.version}"

    def encode(self) -> bytes:
        """The marshalled ChaincodeData."""
        values = (
            self.name.encode(),
            self.version.encode(),
            self.endorsement_plugin.encode(),
            self.validation_plugin.encode(),
            self.policy,
            self.data,
            self.id,
            self.instantiation_policy,
        )
        return b"".join(_field(number, value) for number, value in enumerate(values, start=1))

    @classmethod
    def decode(cls, data: bytes) -> ChaincodeDefinition:
        """Read a marshalled ChaincodeData; raises WireError when it is malformed."""
        fields = dict(length_delimited_fields(data))
        return cls(
            name=_text(fields.get(1, b"")),
            version=_text(fields.get(2, b"")),
            endorsement_plugin=_text(fields.get(3, b"")),
            validation_plugin=_text(fields.get(4, b"")),
            policy=fields.get(5, b""),
            data=fields.get(6, b""),
            id=fields.get(7, b""),
            instantiation_policy=fields.get(8, b""),
        )


def legacy_definition(state: StateSource, name: str) -> ChaincodeDefinition | None:
    """The definition of *name*; read through a simulator, the read enters the rwset (§3.7).

    Raises WireError when the stored value is malformed.
    """
    stored = state.get_state(LEGACY_NAMESPACE, name)
    return ChaincodeDefinition.decode(stored) if stored else None


def collection_key(name: str) -> str:
    """Where namespace ``lscc`` keeps the collections of chaincode *name*."""
    return f"{name}~collection"


def is_collection_key(key: str) -> bool:
    """Whether *key* of namespace ``lscc`` holds collections rather than a definition."""
    return "~" in key


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise WireError("string field contains invalid UTF-8") from error


def _field(number: int, value: bytes) -> bytes:
    if not value:
        return b""
    return bytes((number << 3 | _LENGTH_DELIMITED,)) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
