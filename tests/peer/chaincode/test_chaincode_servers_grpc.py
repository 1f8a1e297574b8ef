"""Chaincodes that listen, joined to a peer over real gRPC connections on loopback."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from harness.supported import until
from harness.wired import Port, Shim, developers_support
from treadle_peer.chaincode import (
    Ending,
    RuntimeState,
    StreamEnded,
    StreamLost,
)
from treadle_peer.chaincode.bridge import Backoff, Bridge
from treadle_peer.server.chaincode_grpc import (
    Target,
    dial_chaincode_server,
    dial_peer,
    serve_chaincode_server,
)


class ChaincodeServer:
    """A chaincode as a server; the test speaks for it through the handler it gets."""

    def __init__(self, say):
        self._say = say
        self.server = grpc.aio.server()
        method = grpc.stream_stream_rpc_method_handler(
            self._connect,
            request_deserializer=Msg.FromString,
            response_serializer=Msg.SerializeToString,
        )
        handler = grpc.method_handlers_generic_handler("protos.Chaincode", {"Connect": method})
        self.server.add_generic_rpc_handlers((handler,))
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"

    async def _connect(self, requests, context):
        await context.write(self._say.register())
        async for message in requests:
            if message.type == Msg.TRANSACTION:
                await context.write(
                    Msg(
                        type=Msg.COMPLETED,
                        txid=message.txid,
                        channel_id=message.channel_id,
                        payload=self._say.completed(payload=b"served").payload,
                    )
                )

    async def __aenter__(self):
        await self.server.start()
        return self

    async def __aexit__(self, *error):
        await self.server.stop(0)


async def test_the_peer_serves_a_chaincode_server_that_it_dials(support, say, world):
    async with ChaincodeServer(say) as chaincode:
        target = Target(address=chaincode.address)
        serving = asyncio.create_task(serve_chaincode_server(support.serve, target))
        await until(lambda: support.status())
        assert support.status()[0].remote == f"server {chaincode.address}"
        assert (await support.execute(world.call())).response.payload == b"served"
    with pytest.raises(StreamLost):
        await serving
    assert support.status()[0].state is RuntimeState.STOPPED


async def test_a_bridge_carries_a_server_over_the_restart_of_a_peer(support, say, world):
    async with ChaincodeServer(say) as chaincode, Port(support.serve) as first:
        address = first.address
        bridge = Bridge(
            peers={"peer": lambda: dial_peer(Target(address=address, dial_timeout=1))},
            backoff=lambda: Backoff(first=0.01, longest=0.05),
        )
        target = Target(address=chaincode.address)
        task = asyncio.create_task(bridge.serve_dialled(lambda: dial_chaincode_server(target)))
        await until(lambda: support.status())
        assert (await support.execute(world.call())).response.payload == b"served"
        await support.stop_all()
        await first.listener.stop(0)
        again = developers_support()
        async with Port(again.serve, address=address):
            await until(lambda: again.status())
            assert (await again.execute(world.call("t2"))).response.payload == b"served"
            await again.stop_all()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_bridge_that_listens_passes_the_peers_refusal_on(say):
    support = developers_support(admit_developer=lambda ccid, caller: "not you")
    async with Port(support.serve) as peer:
        bridge = Bridge(peers={"peer": lambda: dial_peer(Target(address=peer.address))})

        async def serve(stream, caller):
            await bridge.serve(stream)

        async with Port(serve) as listening:
            shim = await Shim.dial(listening.address)
            await shim.say(say.register())
            with pytest.raises(StreamEnded, match=r"^not you$") as ended:
                await shim.hear()
            assert ended.value.code is Ending.PERMISSION_DENIED
            await shim.stream.close()
