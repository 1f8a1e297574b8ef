"""The Secret ``<ccinst>-dev``: what the operator hands out while a chaincode is in development."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from treadle_peer.server.chaincode_grpc import ClientTLS

from treadle_cli.errors import TreadleError

_PEERS: Final = "peers.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPeer:
    """One row of ``peers.json``: the Peer, its pod, and its chaincode port."""

    name: str
    pod: str
    port: int
    server_name: str
    tls: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Development:
    """The contents of the Secret *name*; ``data`` is never printed."""

    name: str
    namespace: str
    data: Mapping[str, bytes]
    peers: Sequence[TargetPeer]

    @classmethod
    def of(cls, name: str, namespace: str, data: Mapping[str, bytes]) -> Development:
        """Raises TreadleError when it is not the operator's."""
        try:
            rows = json.loads(data[_PEERS])
            peers = [
                TargetPeer(
                    name=str(row["peer"]),
                    pod=str(row["pod"]),
                    port=int(row["port"]),
                    server_name=str(row["server_name"]),
                    tls=bool(row["tls"]),
                )
                for row in rows
            ]
        except (KeyError, ValueError, TypeError) as error:
            raise TreadleError(f"Secret {name} has no usable {_PEERS}: {error!r}") from None
        if not peers:
            raise TreadleError(
                f"Secret {name} names no peer: the chaincode is in development at none"
            )
        return cls(name=name, namespace=namespace, data=data, peers=peers)

    def text(self, key: str) -> str:
        """A value that is text, empty when it is missing."""
        return self.data.get(key, b"").decode(errors="replace").strip()

    def material(self, key: str) -> bytes:
        """A value that has to be there; raises TreadleError."""
        found = self.data.get(key)
        if not found:
            raise TreadleError(f"Secret {self.name} has no {key}")
        return found

    def client_tls(self, peer: TargetPeer) -> ClientTLS | None:
        """What the peer's chaincode port is dialled with; raises TreadleError."""
        if not peer.tls:
            return None
        return ClientTLS(
            roots=self.material(f"{peer.name}.ca.crt"),
            certificate=self.material(f"{peer.name}.client.crt"),
            key=self.material(f"{peer.name}.client.key"),
            server_name=peer.server_name or None,
        )

    def chosen(self, peers: Sequence[str]) -> Sequence[TargetPeer]:
        """Those named, or all; raises TreadleError for one that is not in development."""
        known = {peer.name: peer for peer in self.peers}
        for name in peers:
            if name not in known:
                names = ", ".join(known)
                raise TreadleError(
                    f"the chaincode is not in development at Peer {name}, but at {names}"
                )
        return [known[name] for name in dict.fromkeys(peers)] or list(self.peers)
