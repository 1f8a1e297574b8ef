"""The embedded ordering: what it accepts, what it cuts, what survives."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import BlockMetadataIndex, Envelope, Status
from harness.ordering import CHANNEL, Network, all_ordered, block, channel, transaction
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import (
    block_data_hash,
    block_header_hash,
    block_signatures,
    build_envelope,
    get_metadata,
    last_config_index,
)
from treadle_peer.order import OrderingService


async def test_blocks_are_chained_signed_and_carry_the_last_config(
    ordering: OrderingService, network: Network
) -> None:
    chain = await channel(ordering)
    for number in range(3):
        result = await ordering.broadcast(transaction(network.client, b"%d" % number))
        assert (result.status, result.info) == (Status.SUCCESS, "")
        await asyncio.wait_for(chain.height_reached(number + 2), 10)
    previous = block(chain, 0)
    for number in range(1, chain.height):
        current = block(chain, number)
        assert current.header.number == number
        assert current.header.previous_hash == block_header_hash(previous.header)
        assert current.header.data_hash == block_data_hash(current.data.data)
        assert len(current.metadata.metadata) == 5
        assert last_config_index(current) == 0
        signed = [
            SignedData(data=s.data, identity=s.identity, signature=s.signature)
            for s in block_signatures(current)
        ]
        chain.bundle.policies.policy("/Channel/Orderer/BlockValidation").evaluate(signed)
        assert get_metadata(current, BlockMetadataIndex.TRANSACTIONS_FILTER) == b""
        previous = current


async def test_what_waits_while_a_block_is_written_becomes_the_next_block(
    ordering: OrderingService, network: Network
) -> None:
    chain = await channel(ordering)
    envelopes = [transaction(network.client, b"%d" % number) for number in range(40)]
    results = await asyncio.gather(*(ordering.broadcast(each) for each in envelopes))
    assert {result.status for result in results} == {Status.SUCCESS}
    await all_ordered(chain, 40)
    ordered = [data for n in range(1, chain.height) for data in block(chain, n).data.data]
    assert ordered == [envelope.SerializeToString() for envelope in envelopes]
    assert chain.height < 20


@pytest.mark.parametrize(
    ("envelope", "status", "info"),
    [
        (Envelope(), Status.BAD_REQUEST, "could not determine channel ID: header not set"),
        (Envelope(payload=b"\xff"), Status.BAD_REQUEST, "could not determine channel ID: "),
    ],
)
async def test_garbage_is_a_bad_request(
    ordering: OrderingService, envelope: Envelope, status: int, info: str
) -> None:
    await channel(ordering)
    result = await ordering.broadcast(envelope)
    assert result.status == status
    assert result.info.startswith(info)


async def test_an_unknown_channel_is_not_found(ordering: OrderingService, network: Network) -> None:
    result = await ordering.broadcast(transaction(network.client, channel="nowhere"))
    assert (result.status, result.info) == (Status.NOT_FOUND, "channel does not exist")


async def test_names_that_nobody_vouches_for_do_not_reach_the_metrics(
    network: Network, ordering: OrderingService
) -> None:
    await ordering.create_channel(CHANNEL)
    strange = build_envelope(signer=network.client, header_type=4711, channel_id=CHANNEL, data=b"x")
    result = await ordering.broadcast(strange)
    assert (result.channel_id, result.type_name) == (CHANNEL, "unknown")
    elsewhere = await ordering.broadcast(transaction(network.client, channel="invented"))
    assert (elsewhere.channel_id, elsewhere.type_name) == ("unknown", "ENDORSER_TRANSACTION")


async def test_strangers_and_forged_signatures_are_forbidden(
    ordering: OrderingService, network: Network
) -> None:
    await channel(ordering)
    other = GeneratedOrganization.generate(msp_id="OtherMSP", domain="other.test")
    stranger = await ordering.broadcast(transaction(other.issue_identity("client", "eve")))
    forged = transaction(network.client)
    forged.signature = transaction(network.client).signature
    for result in (stranger, await ordering.broadcast(forged)):
        assert result.status == Status.FORBIDDEN
        assert result.info.endswith("permission denied")


async def test_an_expired_certificate_is_a_bad_request(
    ordering: OrderingService, network: Network
) -> None:
    await channel(ordering)
    expired = network.organization.issue_identity("client", "late", lifetime=timedelta(minutes=-1))
    result = await ordering.broadcast(transaction(expired))
    assert result.status == Status.BAD_REQUEST
    assert result.info == "broadcast client identity expired"


async def test_sixteen_megabytes_get_fabrics_refusal(
    ordering: OrderingService, network: Network
) -> None:
    await channel(ordering)
    envelope = transaction(network.client, bytes(16 << 20))
    size = len(envelope.payload) + len(envelope.signature)
    result = await ordering.broadcast(envelope)
    assert result.status == Status.BAD_REQUEST
    assert result.info == (
        f"message payload is {size} bytes and exceeds maximum allowed 10485760 bytes"
    )


async def test_blocks_survive_and_numbers_go_on_after_a_restart(
    network: Network, tmp_path: Path
) -> None:
    folder = tmp_path / "ordering"
    async with network.service(folder) as service:
        chain = await channel(service)
        for number in range(5):
            await service.broadcast(transaction(network.client, b"%d" % number))
    # Leaving stored all that was accepted.
    async with network.service(folder) as service:
        again = service.chain(CHANNEL)
        assert again is not None
        height = again.height
        assert height == chain.height
        data = [each for n in range(1, height) for each in block(again, n).data.data]
        assert len(data) == 5
        await service.broadcast(transaction(network.client))
        await asyncio.wait_for(again.height_reached(height + 1), 10)
        tip = block(again, height)
        assert tip.header.previous_hash == block_header_hash(block(again, height - 1).header)


async def test_a_stopping_ordering_says_so(ordering: OrderingService, network: Network) -> None:
    await channel(ordering)
    ordering.stop()
    result = await ordering.broadcast(transaction(network.client))
    assert result.status == Status.SERVICE_UNAVAILABLE
    assert result.info == "the ordering is stopping"


async def test_waiting_for_the_last_blocks_has_an_end(ordering: OrderingService) -> None:
    await ordering.create_channel("ch")
    assert not await ordering.drained(0.01)
    ordering.stop()
    assert await ordering.drained(10)
