"""``treadle dev invoke`` and ``query``: the generated user's calls through forwarded ports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from treadle_fabric.client import (
    Channel,
    ClientError,
    Deadlines,
    EndorsementFailed,
    Endpoint,
    OrdererConnection,
    PeerConnection,
    TLSOptions,
)
from treadle_fabric.identity import CertificateError, SigningIdentity
from treadle_fabric.wire import WireError

from treadle_cli.cluster.forwarding import PodPort, forwarded
from treadle_cli.cluster.proxied import ApiSocket, api_socket
from treadle_cli.dev.connecting import say
from treadle_cli.dev.instantiations import Instantiation
from treadle_cli.dev.secrets import Development, TargetPeer
from treadle_cli.errors import TreadleError

_CLIENTS: Final = 7051
_ORDERING: Final = 7050


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function with its arguments; ``peer`` empty: the first in development.

    ``seconds`` is how long the chaincode may take: it may stand at a breakpoint.
    """

    words: Sequence[str]
    peer: str = ""
    seconds: float = 3600.0


async def query(instantiation: Instantiation, call: Call) -> bytes:
    """What the peer's chaincode answers; raises TreadleError."""
    async with _channel(instantiation, call, ordering=False) as (channel, name):
        try:
            proposal = channel.propose(name, call.words)
            return (await channel.endorse(proposal, within=call.seconds)).payload
        except (ClientError, WireError) as error:
            raise _failure(error) from None


async def invoke(instantiation: Instantiation, call: Call) -> tuple[bytes, str]:
    """Endorse, order and wait for the block: answer and transaction id; raises TreadleError."""
    async with _channel(instantiation, call, ordering=True) as (channel, name):
        try:
            receipt = await channel.invoke(name, call.words)
        except (ClientError, WireError) as error:
            raise _failure(error) from None
        return receipt.payload, receipt.tx_id


@asynccontextmanager
async def _channel(
    instantiation: Instantiation, call: Call, *, ordering: bool
) -> AsyncIterator[tuple[Channel, str]]:
    """The channel as the user sees it, and the chaincode's name."""
    development = await instantiation.development()
    (peer, *_) = development.chosen([call.peer] if call.peer else [])
    signer = _user(development)
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(api_socket(instantiation.kubectl))
        dialled = PeerConnection(await _endpoint(stack, api, development, peer, _CLIENTS))
        stack.push_async_callback(dialled.close)
        orderer = None
        if ordering:
            at = await _endpoint(stack, api, development, peer, _ORDERING)
            orderer = await stack.enter_async_context(OrdererConnection(at))
        channel = Channel(
            name=development.text("channel"),
            signer=signer,
            peers=[dialled],
            orderer=orderer,
            deadlines=Deadlines(endorse=call.seconds),
        )
        yield channel, development.text("ccid").partition(":")[0]


async def _endpoint(
    stack: AsyncExitStack, api: ApiSocket, found: Development, peer: TargetPeer, port: int
) -> Endpoint:
    to = PodPort(namespace=found.namespace, pod=peer.pod, port=port)
    address = await stack.enter_async_context(forwarded(api, to, tell=say))
    if not peer.tls:
        return Endpoint(address=address)
    roots = found.material("tls_ca.crt")
    name = f"{peer.name}.{found.namespace}.svc"
    return Endpoint(address=address, tls=TLSOptions(root_certificates=roots, server_name=name))


def _user(found: Development) -> SigningIdentity:
    if "user.crt" not in found.data:
        raise TreadleError(
            f"Secret {found.name} has no user: the Peer's organisation was not generated here; "
            "call the chaincode with a client and an identity of yours"
        )
    try:
        return SigningIdentity.from_pem(
            msp_id=found.text("msp_id"),
            certificate=found.material("user.crt"),
            private_key=found.material("user.key"),
        )
    except CertificateError as error:
        raise TreadleError(f"Secret {found.name} holds no usable user: {error}") from None


def _failure(error: ClientError | WireError) -> TreadleError:
    if isinstance(error, EndorsementFailed):
        return TreadleError("the chaincode was not endorsed", str(error))
    return TreadleError(str(error))
