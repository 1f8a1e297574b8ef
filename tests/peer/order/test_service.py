"""The embedded ordering: what it accepts, what it cuts, what survives."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import Block, BlockMetadataIndex, Envelope, HeaderType, Status
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.orderer.configuration_pb2 import BatchSize
from harness.ordering import CHANNEL, Network, transaction
from treadle_fabric.channelconfig import (
    Bundle,
    ConfigError,
    compute_update,
    creation_update,
    update_transaction,
)
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_fabric.policy import SignedData
from treadle_fabric.wire import (
    block_data_hash,
    block_header_hash,
    block_signatures,
    build_envelope,
    get_metadata,
    last_config_index,
    parse,
)
from treadle_peer.order import Chain, OrderingError, OrderingService


def block(chain: Chain, number: int) -> Block:
    return parse(Block, chain.block_bytes(number))


async def channel(service: OrderingService) -> Chain:
    await service.create_channel(CHANNEL)
    chain = service.chain(CHANNEL)
    assert chain is not None
    return chain


def batch_size_update(chain: Chain, count: int, signers: list[SigningIdentity]) -> Envelope:
    current = chain.bundle.config
    updated = Config()
    updated.CopyFrom(current)
    size = BatchSize(
        max_message_count=count, absolute_max_bytes=10 << 20, preferred_max_bytes=2 << 20
    )
    group = updated.channel_group.groups["Orderer"]
    group.values["BatchSize"].value = size.SerializeToString()
    update = compute_update(current, updated, channel_id=CHANNEL)
    return update_transaction(update=update, signers=signers, submitter=signers[0])


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
    await asyncio.wait_for(_all_ordered(chain, 40), 20)
    ordered = [data for n in range(1, chain.height) for data in block(chain, n).data.data]
    assert ordered == [envelope.SerializeToString() for envelope in envelopes]
    assert chain.height < 20


async def _all_ordered(chain: Chain, count: int) -> None:
    while True:
        height = chain.height
        total = sum(len(block(chain, number).data.data) for number in range(1, height))
        if total >= count:
            return
        await chain.height_reached(height + 1)


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


@pytest.mark.parametrize("kind", [HeaderType.CONFIG, HeaderType.ORDERER_TRANSACTION])
async def test_finished_configurations_cannot_be_sent(
    ordering: OrderingService, network: Network, kind: HeaderType.ValueType
) -> None:
    await channel(ordering)
    envelope = build_envelope(signer=network.admin, header_type=kind, channel_id=CHANNEL, data=b"")
    result = await ordering.broadcast(envelope)
    assert result.status == Status.BAD_REQUEST
    assert result.info == "message is of type that cannot be processed directly"


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


async def test_a_config_update_gets_a_block_of_its_own_and_changes_what_follows(
    ordering: OrderingService, network: Network
) -> None:
    chain = await channel(ordering)
    orderer_admin = network.orderer.organization.issue_identity("admin", "admin")
    await ordering.broadcast(transaction(network.client))
    update = batch_size_update(chain, 2, [orderer_admin])
    result = await ordering.broadcast(update)
    assert (result.status, result.info) == (Status.SUCCESS, "")
    for number in range(5):
        await ordering.broadcast(transaction(network.client, b"%d" % number))
    await asyncio.wait_for(_all_ordered(chain, 7), 10)
    assert chain.bundle.sequence == 1
    assert chain.bundle.orderer.max_message_count == 2
    config = next(n for n in range(1, chain.height) if last_config_index(block(chain, n)) == n)
    assert len(block(chain, config).data.data) == 1
    assert Bundle.from_block(block(chain, config)).sequence == 1
    for number in range(config, chain.height):
        assert last_config_index(block(chain, number)) == config
        assert len(block(chain, number).data.data) <= 2


async def test_a_config_update_without_the_right_signatures_is_refused(
    ordering: OrderingService, network: Network
) -> None:
    chain = await channel(ordering)
    result = await ordering.broadcast(batch_size_update(chain, 2, [network.admin]))
    assert result.status == Status.BAD_REQUEST
    assert result.info.startswith("error applying config update to existing channel 'mychannel': ")


async def test_of_two_conflicting_updates_one_is_ordered(
    ordering: OrderingService, network: Network
) -> None:
    chain = await channel(ordering)
    admin = network.orderer.organization.issue_identity("admin", "admin")
    first, second = (batch_size_update(chain, count, [admin]) for count in (2, 3))
    results = await asyncio.gather(ordering.broadcast(first), ordering.broadcast(second))
    assert {result.status for result in results} == {Status.SUCCESS}
    await ordering.broadcast(transaction(network.client))
    await asyncio.wait_for(_all_ordered(chain, 2), 10)
    assert chain.bundle.sequence == 1
    assert chain.bundle.orderer.max_message_count == 2


def creation(signer: SigningIdentity, *, members: list[str], name: str = "ch1") -> Envelope:
    update = creation_update(
        channel_id=name,
        consortium="SampleConsortium",
        organizations=members,
        capabilities=["V1_4_2"],
    )
    return update_transaction(update=update, signers=[signer], submitter=signer)


async def test_a_creation_transaction_makes_a_channel(
    ordering: OrderingService, network: Network
) -> None:
    created: list[str] = []
    ordering.on_chain(lambda chain: created.append(chain.channel_id))
    result = await ordering.broadcast(creation(network.admin, members=["Org1MSP"]))
    assert (result.status, result.info) == (Status.SUCCESS, "")
    chain = ordering.chain("ch1")
    assert chain is not None
    assert chain.bundle.sequence == 1
    assert [org.msp_id for org in chain.bundle.application.orgs] == ["Org1MSP"]
    assert created == ["ch1"]
    sent = await ordering.broadcast(transaction(network.client, channel="ch1"))
    assert sent.status == Status.SUCCESS


async def test_creating_a_channel_twice_or_with_strangers_is_refused(
    ordering: OrderingService, network: Network
) -> None:
    strangers = await ordering.broadcast(creation(network.admin, members=["OtherMSP"]))
    assert strangers.status == Status.BAD_REQUEST
    assert "Attempted to include member OtherMSP" in strangers.info
    unsigned = await ordering.broadcast(creation(network.client, members=["Org1MSP"]))
    assert unsigned.status == Status.BAD_REQUEST
    await ordering.broadcast(creation(network.admin, members=["Org1MSP"]))
    again = await ordering.broadcast(creation(network.admin, members=["Org1MSP"]))
    assert again.status == Status.BAD_REQUEST
    assert "ch1" in again.info


async def test_a_channel_from_nothing_needs_a_good_and_new_name(ordering: OrderingService) -> None:
    await channel(ordering)
    with pytest.raises(OrderingError, match="mychannel exists already"):
        await ordering.create_channel(CHANNEL)
    with pytest.raises(ConfigError, match="illegal characters"):
        await ordering.create_channel("My Channel")


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
