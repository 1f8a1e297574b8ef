"""What the launcher asks of the bridge: to join a chaincode server to this peer.

Declared here by the consumer; ``chaincode.bridge`` does it, ``main`` joins the two.
"""

from __future__ import annotations

from typing import Protocol


class RunningBridge(Protocol):
    """One chaincode server joined to the peer."""

    async def stop(self) -> None:
        """Close both sides. Idempotent."""


class BridgeStarter(Protocol):
    """Dials chaincode servers."""

    async def start(self, *, ccid: str, address: str, fingerprint: str) -> RunningBridge:
        """Dial *address* (host:port, plaintext, loopback) and present its stream to the peer.

        *fingerprint* goes into the stream's ``StreamPeer``: it is the launch's own, which nobody
        outside the peer can present without its key. Returns when the server was reached; raises
        OSError when it was not. A stream that ends is not dialled again: the launch is over then.
        """
