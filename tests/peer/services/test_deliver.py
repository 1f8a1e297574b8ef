"""Deliver and Broadcast streams on a real ordering."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fabric_protos.common.common_pb2 import Block, Envelope, Status
from fabric_protos.orderer.ab_pb2 import DeliverResponse as OrdererResponse
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekNewest, SeekPosition, SeekSpecified
from fabric_protos.peer.events_pb2 import DeliverResponse
from harness.ordering import CHANNEL, Network, transaction
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.wire import build_seek_envelope
from treadle_peer.main.sources import OrderedBlocks
from treadle_peer.order import Chain, OrderingService
from treadle_peer.services.broadcast import BroadcastService
from treadle_peer.services.deliver import ClientInfo, Content, DeliverService
from treadle_peer.services.metrics import Metrics

NEWEST = SeekPosition(newest=SeekNewest())
CLIENT = ClientInfo(address="test")


def at(number: int) -> SeekPosition:
    return SeekPosition(specified=SeekSpecified(number=number))


FOREVER = at((1 << 64) - 1)


class Deliveries:
    """A deliver service on an ordering, and the stream of one client."""

    def __init__(self, ordering: OrderingService, network: Network) -> None:
        self.ordering = ordering
        self.network = network
        self.metrics = Metrics(version="0", heights=dict)
        self.service = DeliverService(self._find, window=900, metrics=self.metrics.deliver)

    def _find(self, name: str) -> OrderedBlocks | None:
        chain = self.ordering.chain(name)
        return None if chain is None else OrderedBlocks(chain)

    def seek(self, start: SeekPosition, stop: SeekPosition, channel: str = CHANNEL) -> Envelope:
        return build_seek_envelope(
            signer=self.network.client, channel_id=channel, start=start, stop=stop
        )

    def stream(
        self, *requests: Envelope, content: Content = Content.BLOCK
    ) -> AsyncIterator[DeliverResponse]:
        return self._decoded(self.service.serve(_each(requests), content=content, client=CLIENT))

    async def _decoded(self, raw: AsyncIterator[bytes]) -> AsyncIterator[DeliverResponse]:
        async for response in raw:
            yield DeliverResponse.FromString(response)

    async def all(self, *requests: Envelope) -> list[DeliverResponse]:
        return [response async for response in self.stream(*requests)]


async def _each(requests: tuple[Envelope, ...]) -> AsyncIterator[Envelope]:
    for request in requests:
        yield request


@pytest.fixture
async def deliveries(ordering: OrderingService, network: Network) -> Deliveries:
    await ordering.create_channel(CHANNEL)
    return Deliveries(ordering, network)


def chain_of(ordering: OrderingService) -> Chain:
    chain = ordering.chain(CHANNEL)
    assert chain is not None
    return chain


async def order(ordering: OrderingService, network: Network, data: bytes = b"tx") -> int:
    chain = chain_of(ordering)
    height = chain.height
    assert (await ordering.broadcast(transaction(network.client, data))).status == Status.SUCCESS
    await asyncio.wait_for(chain.height_reached(height + 1), 10)
    return height


async def test_a_stream_serves_one_request_after_the_other(
    deliveries: Deliveries, ordering: OrderingService, network: Network
) -> None:
    await order(ordering, network)
    answers = await deliveries.all(deliveries.seek(at(0), at(1)), deliveries.seek(NEWEST, NEWEST))
    assert [each.block.header.number for each in answers if each.HasField("block")] == [0, 1, 1]
    assert [each.status for each in answers if not each.HasField("block")] == [200, 200]
    text = deliveries.metrics.render().decode()
    labels = 'channel="mychannel",filtered="false",data_type="block"'
    assert f"deliver_blocks_sent{{{labels}}} 3.0" in text
    assert f'deliver_requests_completed{{{labels},success="true"}} 2.0' in text
    assert "deliver_streams_closed 1.0" in text


async def test_the_bytes_are_those_of_the_store_for_peers_and_orderers(
    deliveries: Deliveries, ordering: OrderingService
) -> None:
    raw = [
        response
        async for response in deliveries.service.serve(
            _each((deliveries.seek(at(0), at(0)),)), content=Content.BLOCK, client=CLIENT
        )
    ]
    stored = Block.FromString(chain_of(ordering).block_bytes(0))
    assert OrdererResponse.FromString(raw[0]).block == stored
    assert DeliverResponse.FromString(raw[0]).block == stored
    assert OrdererResponse.FromString(raw[1]).status == Status.SUCCESS


async def test_newest_comes_at_once_and_the_next_block_when_it_is_there(
    deliveries: Deliveries, ordering: OrderingService, network: Network
) -> None:
    stream = deliveries.stream(deliveries.seek(NEWEST, FOREVER))
    first = await asyncio.wait_for(anext(stream), 10)
    assert first.block.header.number == 0
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    number = await order(ordering, network)
    second = await asyncio.wait_for(waiting, 10)
    assert second.block.header.number == number


async def test_filtered_and_private_forms(deliveries: Deliveries) -> None:
    request = deliveries.seek(at(0), at(0))
    filtered = await anext(deliveries.stream(request, content=Content.FILTERED))
    assert filtered.filtered_block.channel_id == CHANNEL
    (config,) = filtered.filtered_block.filtered_transactions
    assert config.txid
    private = await anext(deliveries.stream(request, content=Content.PRIVATE))
    assert private.block_and_private_data.block.header.number == 0
    assert not private.block_and_private_data.private_data_map


async def test_an_unknown_channel_is_not_found_and_ends_the_stream(
    deliveries: Deliveries,
) -> None:
    answers = await deliveries.all(
        deliveries.seek(NEWEST, NEWEST, channel="nowhere"), deliveries.seek(NEWEST, NEWEST)
    )
    assert [each.status for each in answers] == [Status.NOT_FOUND]


async def test_strangers_forgers_and_the_expired_are_forbidden(deliveries: Deliveries) -> None:
    other = GeneratedOrganization.generate(msp_id="OtherMSP", domain="other.test")
    organization = deliveries.network.organization
    late = organization.issue_identity("client", "late", lifetime=timedelta(minutes=-1))
    for signer in (other.issue_identity("client", "eve"), late):
        request = build_seek_envelope(signer=signer, channel_id=CHANNEL, start=NEWEST, stop=NEWEST)
        assert [each.status for each in await deliveries.all(request)] == [Status.FORBIDDEN]
    forged = deliveries.seek(NEWEST, NEWEST)
    forged.signature = deliveries.seek(NEWEST, NEWEST).signature
    assert [each.status for each in await deliveries.all(forged)] == [Status.FORBIDDEN]


async def test_rights_are_judged_before_positions(deliveries: Deliveries) -> None:
    request = deliveries.seek(at(7), at(9))
    assert [each.status for each in await deliveries.all(request)] == [Status.NOT_FOUND]
    request = build_seek_envelope(
        signer=deliveries.network.client,
        channel_id=CHANNEL,
        start=at(0),
        stop=at(9),
        behavior=SeekInfo.FAIL_IF_NOT_READY,
    )
    answers = await deliveries.all(request)
    assert [each.status for each in answers if not each.HasField("block")] == [Status.NOT_FOUND]


async def test_broadcast_answers_each_envelope_and_ends_with_the_first_refusal(
    deliveries: Deliveries, ordering: OrderingService, network: Network
) -> None:
    service = BroadcastService(ordering, deliveries.metrics.broadcast)
    good, bad = transaction(network.client), transaction(network.client, channel="nowhere")
    answers = [answer async for answer in service.serve(_each((good, good, bad, good)))]
    assert [answer.status for answer in answers] == [200, 200, 404]
    text = deliveries.metrics.render().decode()
    assert (
        'broadcast_processed_count{status="SUCCESS",channel="mychannel",'
        'type="ENDORSER_TRANSACTION"} 2.0'
    ) in text
