"""What a pod's manifest tells its programs, and how they tell what went wrong."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.authority import CertificateFiles
from treadle_peer.server.chaincode_grpc import ClientTLS, Target

_MOST_MESSAGE_BYTES: Final = 4096  # what Kubernetes keeps of a termination message
_DIAL_SECONDS: Final = 10.0


class PodError(Exception):
    """The program cannot do its work; the text says why, for the condition of a resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``peer`` is host:port of the peer's port for chaincodes; ``certificate`` the folder with
    client.crt, client.key and ca.crt; ``patience`` in seconds, for a peer that is away.

    ``unknown`` in seconds: so long the peer may not have heard yet that this pod's address is one
    of its chaincode's, and refuse it for that."""

    peer: str
    certificate: Path
    patience: float
    unknown: float = 0.0

    def target(self) -> Target:
        """What to dial, by mutual TLS; raises PodError without an address or files."""
        if not self.peer:
            raise PodError("TREADLE_PEER_ADDRESS says no peer's address")
        try:
            tls = ClientTLS(
                roots=(self.certificate / "ca.crt").read_bytes(),
                key=(self.certificate / "client.key").read_bytes(),
                certificate=(self.certificate / "client.crt").read_bytes(),
            )
        except OSError as error:
            raise PodError(f"cannot read {error.filename}: {error.strerror}") from error
        return Target(address=self.peer, tls=tls, dial_timeout=_DIAL_SECONDS)

    def files(self) -> CertificateFiles:
        """Where shims find theirs: as the Secret's keys are named."""
        return CertificateFiles(
            key_base64=self.certificate / "client.key.b64",
            certificate_base64=self.certificate / "client.crt.b64",
            key_pem=self.certificate / "client.key",
            certificate_pem=self.certificate / "client.crt",
            root=self.certificate / "ca.crt",
        )


def tell(sentence: str, termination: Path) -> None:
    """Leave *sentence* where Kubernetes looks for it; nothing depends on that."""
    message = sentence.encode()
    if len(message) > _MOST_MESSAGE_BYTES:
        message = message[: _MOST_MESSAGE_BYTES - 3].decode(errors="ignore").encode() + b"..."
    with contextlib.suppress(OSError):
        termination.write_bytes(message)
