"""All MSPs of a channel: finds the one that an identity names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from treadle_fabric.msp.caches import LRUCache
from treadle_fabric.msp.errors import MSPError
from treadle_fabric.msp.identities import Identity
from treadle_fabric.msp.membership import MSP, parse_serialized

_CACHE_SIZE: Final = 1024
# A PEM may be padded with text at will; padded ones must not fill the memory.
_CACHED_LENGTH: Final = 16 * 1024


class MSPManager:
    """The MSPs of one channel (or the local one); immutable, safe for several threads."""

    def __init__(self, msps: Iterable[MSP]) -> None:
        self._msps: Final[Mapping[str, MSP]] = MappingProxyType({msp.msp_id: msp for msp in msps})
        # Only successes: nobody without a certificate can push others out.
        self._identities: Final = LRUCache[bytes, Identity](_CACHE_SIZE)

    @property
    def msp_ids(self) -> tuple[str, ...]:
        """The ids of all MSPs, sorted."""
        return tuple(sorted(self._msps))

    def get(self, msp_id: str) -> MSP:
        """The MSP with this id; raises MSPError."""
        try:
            return self._msps[msp_id]
        except KeyError:
            raise MSPError(f"MSP {msp_id} is not defined on channel") from None

    def deserialize(self, serialized: bytes) -> Identity:
        """The identity of SerializedIdentity bytes, not validated; raises MSPError."""
        identity = self._identities.get(serialized)
        if identity is None:
            parsed = parse_serialized(serialized)
            identity = self.get(parsed.mspid).deserialize_certificate(parsed.id_bytes)
            if len(serialized) <= _CACHED_LENGTH:
                self._identities.put(serialized, identity)
        return identity
