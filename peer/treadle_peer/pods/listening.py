"""Beside a chaincode of an image that we know nothing of: listens as its peer, and never goes.

A shim ends with its peer's stream, and a kubelet waits longer and longer before it starts a process
again that has ended. So the peer that the chaincode dials is in its own pod: when the real one is
away, the stream stays, and the bridge registers it anew.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from treadle_fabric.identity import CertificateAuthority

from treadle_peer.chaincode import ChaincodeStream, Ending, StreamEnded, StreamPeer
from treadle_peer.config import KeepaliveConfig
from treadle_peer.pods.bridging import bridge_of, until_told
from treadle_peer.pods.told import PodError, Told
from treadle_peer.server.chaincode_grpc import REGISTER_SERVICE, register_handlers
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions, ListenError
from treadle_peer.server.tls import TLSMaterial, certificate_hash
from treadle_peer.services.metrics import Metrics

_LOG = logging.getLogger(__name__)
_ROOT: Final = "ca.crt"
_HOSTS: Final = ("127.0.0.1", "::1", "localhost")
_MOST_STREAMS: Final = 16


async def listen(told: Told, *, address: str, folder: Path) -> None:
    """Join whoever dials *address* with the pod's own certificate to the peer, until a signal.

    *folder* gets the ca.crt by which the chaincode knows this end. Raises PodError.
    """
    bridge = bridge_of(told)
    own = certificate_hash((told.certificate / "client.crt").read_bytes()).hex()

    async def serve(stream: ChaincodeStream, caller: StreamPeer) -> None:
        if caller.fingerprint != own:
            sentence = "only the chaincode of this pod may dial the bridge beside it"
            raise StreamEnded(sentence, Ending.PERMISSION_DENIED)
        try:
            await bridge.serve(stream)
        except StreamEnded as ended:
            _LOG.warning("the chaincode's stream ended: %s", ended.sentence)
            raise

    listener, root = _listener(told, address)
    guard = Guard(
        REGISTER_SERVICE,
        metrics=Metrics(version="", heights=dict).grpc,
        streams=listener.streams,
        limit=_MOST_STREAMS,
    )
    listener.add([register_handlers(serve, guard=guard)])
    try:
        listener.bind()
    except ListenError as error:
        raise PodError(str(error)) from error
    await listener.start()
    # Last: whoever waits for this file finds an open port.
    draft = folder / f".{_ROOT}"
    draft.write_bytes(root)
    draft.rename(folder / _ROOT)
    _LOG.info("joining the chaincode that dials %s to the peer %s", listener.address, told.peer)
    try:
        await until_told(_for_ever())
    finally:
        await listener.stop(0)


def _listener(told: Told, address: str) -> tuple[GrpcListener, bytes]:
    """With a certificate of an authority that nobody keeps, and that authority's."""
    authority = CertificateAuthority.create(common_name="bridge", organization="treadle")
    issued = authority.issue(common_name="bridge", hosts=_HOSTS, server=True)
    material = TLSMaterial(
        certificate=issued.certificate_pem,
        key=issued.key_pem,
        client_roots=(told.certificate / "ca.crt").read_bytes(),
        require_client=True,
    )
    options = ListenerOptions(
        address=address,
        setting="--address",
        tls=material,
        keepalive=KeepaliveConfig(),
    )
    return GrpcListener(options), authority.certificate_pem


async def _for_ever() -> None:
    await asyncio.Event().wait()
