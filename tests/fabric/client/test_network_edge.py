"""Every way in which a server can fail a client ends in one ClientError, in time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from fabric_protos.common.common_pb2 import Block, BlockHeader, Envelope, Status
from fabric_protos.orderer.ab_pb2 import BroadcastResponse
from fabric_protos.peer.events_pb2 import DeliverResponse, FilteredBlock, FilteredTransaction
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse, Response
from treadle_fabric.client import (
    BroadcastRefused,
    CallFailed,
    Channel,
    ClientError,
    CommitWatch,
    ConnectionFailed,
    DeadlinePassed,
    Deadlines,
    DeliverRefused,
    EndorsementFailed,
    Endpoint,
    NotCommitted,
    OrdererConnection,
    PeerConnection,
    StreamClosed,
    TLSOptions,
)
from treadle_fabric.identity import CertificateAuthority, GeneratedOrganization, SigningIdentity

if TYPE_CHECKING:
    from .conftest import Edge


@pytest.fixture(scope="module")
def me() -> SigningIdentity:
    organization = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.test")
    return organization.issue_identity("client", "me")


@pytest.fixture
async def peer(edge: Edge) -> AsyncIterator[PeerConnection]:
    async with PeerConnection(Endpoint(address=edge.address)) as connection:
        yield connection


@pytest.fixture
async def orderer(edge: Edge) -> AsyncIterator[OrdererConnection]:
    async with OrdererConnection(Endpoint(address=edge.address)) as connection:
        yield connection


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def filtered(number: int, *tx_ids: str, code: int = 0) -> DeliverResponse:
    transactions = [FilteredTransaction(txid=one, tx_validation_code=code) for one in tx_ids]  # type: ignore[arg-type]
    block = FilteredBlock(channel_id="ch", number=number, filtered_transactions=transactions)
    return DeliverResponse(filtered_block=block)


async def test_a_refused_connection_says_so_at_once() -> None:
    address = f"127.0.0.1:{unused_port()}"
    async with PeerConnection(Endpoint(address=address)) as peer:
        with pytest.raises(ConnectionFailed, match=f"dial tcp {address}: connect: connection ref"):
            await peer.wait_ready(within=30, fail_fast=True)


async def test_a_server_that_is_still_starting_is_waited_for() -> None:
    address = f"127.0.0.1:{unused_port()}"
    async with (
        PeerConnection(Endpoint(address=address)) as patient,
        PeerConnection(Endpoint(address=address)) as hasty,
    ):
        waiting = asyncio.create_task(patient.wait_ready(within=30))
        with pytest.raises(ConnectionFailed):
            await hasty.wait_ready(within=30, fail_fast=True)
        server = grpc.aio.server()
        server.add_insecure_port(address)
        await server.start()
        await waiting
        await server.stop(None)


async def test_an_unknown_host_is_named() -> None:
    async with PeerConnection(Endpoint(address="no.such.host.invalid:7051")) as peer:
        with pytest.raises(ConnectionFailed, match=r"lookup no\.such\.host\.invalid"):
            await peer.wait_ready(within=5, fail_fast=True)


async def test_tls_towards_a_plaintext_server_is_explained(edge: Edge) -> None:
    authority = CertificateAuthority.create(common_name="tls", organization="o")
    tls = TLSOptions(root_certificates=authority.certificate_pem)
    async with PeerConnection(Endpoint(address=edge.address, tls=tls)) as peer:
        with pytest.raises(ConnectionFailed, match="TLS handshake"):
            await peer.wait_ready(within=5, fail_fast=True)


async def test_a_peer_that_refuses_a_proposal_is_quoted(peer: PeerConnection) -> None:
    with pytest.raises(CallFailed, match="code = Unknown desc = access denied") as refused:
        await peer.endorse(SignedProposal(), within=5)
    assert refused.value.code == "UNKNOWN"


async def test_an_endorsement_that_does_not_come_fails_in_time(
    edge: Edge, peer: PeerConnection
) -> None:
    async def hang(_: SignedProposal) -> ProposalResponse:
        await asyncio.Event().wait()
        raise AssertionError

    edge.endorse = hang
    with pytest.raises(CallFailed) as late:
        await peer.endorse(SignedProposal(), within=0.2)
    assert late.value.code == "DEADLINE_EXCEEDED"


async def test_an_orderers_refusal_carries_its_words(
    edge: Edge, orderer: OrdererConnection
) -> None:
    edge.broadcast = [BroadcastResponse(status=Status.FORBIDDEN, info="permission denied"), None]
    with pytest.raises(BroadcastRefused, match="FORBIDDEN -- permission denied"):
        await orderer.broadcast(Envelope(payload=b"x"), within=5)


async def test_an_orderer_that_hangs_up_is_an_error(edge: Edge, orderer: OrdererConnection) -> None:
    edge.broadcast = [None]
    with pytest.raises(StreamClosed):
        await orderer.broadcast(Envelope(payload=b"x"), within=5)


async def test_an_orderer_that_says_nothing_is_not_waited_for(orderer: OrdererConnection) -> None:
    with pytest.raises(DeadlinePassed, match=r"timed out after 0\.2 s"):
        await orderer.broadcast(Envelope(payload=b"x"), within=0.2)


async def test_an_accepted_envelope_arrives_as_sent(edge: Edge, orderer: OrdererConnection) -> None:
    edge.broadcast = [BroadcastResponse(status=Status.SUCCESS)]
    await orderer.broadcast(Envelope(payload=b"p", signature=b"s"), within=5)
    assert edge.received == [Envelope(payload=b"p", signature=b"s")]


async def test_a_deliver_status_ends_the_reading(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.blocks = [DeliverResponse(status=Status.FORBIDDEN), None]
    channel = Channel(name="ch", signer=me, peers=[peer])
    with pytest.raises(DeliverRefused, match="FORBIDDEN"):
        await channel.block(0)


async def test_blocks_come_until_the_request_is_served(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.blocks = [
        *(DeliverResponse(block=Block(header=BlockHeader(number=number))) for number in range(3)),
        DeliverResponse(status=Status.SUCCESS),
    ]
    channel = Channel(name="ch", signer=me, peers=[peer])
    found = [block.header.number async for block in channel.blocks(start=0, stop=2, within=5)]
    assert found == [0, 1, 2]


async def test_an_answer_of_another_kind_is_refused(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.blocks = [filtered(1)]
    channel = Channel(name="ch", signer=me, peers=[peer])
    with pytest.raises(ClientError, match="unexpected response type"):
        await channel.block(1)


async def test_a_transaction_in_the_newest_block_is_seen(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.filtered = [filtered(7, "other", "mine")]
    async with CommitWatch(peer=peer, tx_id="mine") as watch:
        await watch.open(signer=me, channel_id="ch", within=5)
        commit = await watch.commit(within=5)
    assert (commit.block, commit.valid) == (7, True)


async def test_an_invalid_transaction_is_told_with_its_code(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.filtered = [filtered(7), filtered(8, "mine", code=11)]
    async with CommitWatch(peer=peer, tx_id="mine") as watch:
        await watch.open(signer=me, channel_id="ch", within=5)
        commit = await watch.commit(within=5)
    with pytest.raises(NotCommitted, match="MVCC_READ_CONFLICT"):
        commit.check()


async def test_a_commit_that_does_not_come_fails_in_time(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.filtered = [filtered(7), filtered(8, "other")]
    async with CommitWatch(peer=peer, tx_id="mine") as watch:
        await watch.open(signer=me, channel_id="ch", within=5)
        with pytest.raises(DeadlinePassed, match="txid mine"):
            await watch.commit(within=0.2)


async def test_a_peer_that_stops_ends_the_wait(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    edge.filtered = [filtered(7), None]
    async with CommitWatch(peer=peer, tx_id="mine") as watch:
        await watch.open(signer=me, channel_id="ch", within=5)
        with pytest.raises(StreamClosed):
            await watch.commit(within=5)


async def test_a_status_without_endorsement_is_not_submitted(
    edge: Edge, peer: PeerConnection, orderer: OrdererConnection, me: SigningIdentity
) -> None:
    async def refuse(_: SignedProposal) -> ProposalResponse:
        return ProposalResponse(response=Response(status=500, message="no funds"))

    edge.endorse = refuse
    channel = Channel(name="ch", signer=me, peers=[peer], orderer=orderer)
    with pytest.raises(EndorsementFailed, match="no funds"):
        await channel.invoke("asset", ["transfer"])
    assert edge.received == []


async def test_the_watch_is_open_before_the_transaction_is_ordered(
    edge: Edge, peer: PeerConnection, orderer: OrdererConnection, me: SigningIdentity
) -> None:
    async def endorse(_: SignedProposal) -> ProposalResponse:
        return ProposalResponse(
            response=Response(status=200, payload=b"done"),
            payload=b"same",
            endorsement=Endorsement(endorser=b"peer", signature=b"s"),
        )

    edge.endorse = endorse
    edge.filtered = [filtered(1)]
    edge.broadcast = [BroadcastResponse(status=Status.SUCCESS)]
    channel = Channel(
        name="ch", signer=me, peers=[peer], orderer=orderer, deadlines=Deadlines(commit=0.3)
    )
    with pytest.raises(DeadlinePassed, match="to be committed"):
        await channel.invoke("asset", ["transfer"])
    seek, transaction = edge.received
    assert len(seek.payload) < len(transaction.payload)


async def test_one_refusing_peer_of_several_fails_the_endorsement(
    edge: Edge, peer: PeerConnection, me: SigningIdentity
) -> None:
    answers = iter([Endorsement(endorser=b"a", signature=b"s"), None])

    async def sometimes(_: SignedProposal) -> ProposalResponse:
        return ProposalResponse(response=Response(status=200), endorsement=next(answers))

    edge.endorse = sometimes
    channel = Channel(name="ch", signer=me, peers=[peer, peer])
    with pytest.raises(EndorsementFailed):
        await channel.endorse(channel.propose("asset", ["x"]))


def test_a_channel_without_peers_is_refused(me: SigningIdentity) -> None:
    with pytest.raises(ValueError, match="at least one peer"):
        Channel(name="ch", signer=me, peers=[])
