"""Configuration updates and channel creation at the embedded ordering."""

from __future__ import annotations

import asyncio

import pytest
from fabric_protos.common.common_pb2 import Envelope, HeaderType, Status
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.orderer.configuration_pb2 import BatchSize
from harness.ordering import CHANNEL, Network, all_ordered, block, channel, transaction
from treadle_fabric.channelconfig import (
    Bundle,
    ConfigError,
    compute_update,
    creation_update,
    update_transaction,
)
from treadle_fabric.identity import SigningIdentity
from treadle_fabric.wire import (
    build_envelope,
    last_config_index,
)
from treadle_peer.order import Chain, OrderingError, OrderingService


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


@pytest.mark.parametrize("kind", [HeaderType.CONFIG, HeaderType.ORDERER_TRANSACTION])
async def test_finished_configurations_cannot_be_sent(
    ordering: OrderingService, network: Network, kind: HeaderType.ValueType
) -> None:
    await channel(ordering)
    envelope = build_envelope(signer=network.admin, header_type=kind, channel_id=CHANNEL, data=b"")
    result = await ordering.broadcast(envelope)
    assert result.status == Status.BAD_REQUEST
    assert result.info == "message is of type that cannot be processed directly"


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
    await all_ordered(chain, 7)
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
    await all_ordered(chain, 2)
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
    result = await ordering.broadcast(creation(network.admin, members=["Org1MSP"]))
    assert (result.status, result.info) == (Status.SUCCESS, "")
    chain = ordering.chain("ch1")
    assert chain is not None
    assert chain.bundle.sequence == 1
    assert [org.msp_id for org in chain.bundle.application.orgs] == ["Org1MSP"]
    assert ordering.channels() == ["ch1"]
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
