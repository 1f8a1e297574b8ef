"""The operator's link to a peer that is a process here, without a cluster between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from harness.peers import PeerProcess
from treadle_fabric.client import Endpoint, TLSOptions
from treadle_fabric.msp import load_local_msp
from treadle_operator.peers.access import Access
from treadle_operator.peers.link import Link


@dataclass(slots=True)
class Heard:
    """What the link tells: ccids, and an empty text for the watch itself; and what it asks: the
    operator's present term.
    """

    told: list[str] = field(default_factory=list)
    term: Callable[[], int] = lambda: 1


def access(peer: PeerProcess) -> Access:
    """The way to a peer without client TLS."""
    addresses, folder = peer.addresses, peer.data / "operator" / "client"
    options = TLSOptions(
        root_certificates=(folder / "ca.crt").read_bytes(),
        client_certificate=(folder / "client.crt").read_bytes(),
        client_key=(folder / "client.key").read_bytes(),
    )
    return Access(
        name="peer0",
        signer=load_local_msp(peer.data / "client" / "msp", msp_id="Org1MSP").signer,
        peer=Endpoint(address=addresses["peer"]),
        orderer=Endpoint(address=addresses["ordering"]),
        runtime=Endpoint(address=addresses["runtime"], tls=options),
        operations=f"http://{addresses['operations']}/runtimes",
        fingerprint="",
    )


@asynccontextmanager
async def linked(peer: PeerProcess, heard: Heard) -> AsyncIterator[Link]:
    """A link that ends with its context."""
    link = Link(
        access(peer),
        told=heard.told.append,
        refused=lambda: None,
        epoch=lambda: heard.term(),
    )
    try:
        yield link
    finally:
        await link.close()
