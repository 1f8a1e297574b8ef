"""Chaincode streams over real gRPC connections on loopback."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import grpc
import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from treadle_fabric.identity import CertificateAuthority
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    Ending,
    Mode,
    Modes,
    RuntimeState,
    StreamEnded,
    StreamLost,
    SupportConfig,
)
from treadle_peer.chaincode.bridge import Backoff, Bridge
from treadle_peer.config import KeepaliveConfig
from treadle_peer.execution import ExecutionError
from treadle_peer.server.chaincode_grpc import (
    ClientTLS,
    Target,
    dial_chaincode_server,
    dial_peer,
    register_handlers,
    serve_chaincode_server,
)
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.server.tls import TLSMaterial, certificate_hash
from treadle_peer.services.metrics import Metrics

KEEPALIVE = KeepaliveConfig(interval=7200, timeout=20, minimum_interval=60)


class Port:
    """A chaincode port that serves streams with *serve*."""

    def __init__(self, serve, *, tls=None, address="127.0.0.1:0"):
        self.listener = GrpcListener(
            ListenerOptions(
                address=address, setting="chaincodeListenAddress", tls=tls, keepalive=KEEPALIVE
            )
        )
        metrics = Metrics(version="0", heights=dict)
        guard = Guard(
            "protos.ChaincodeSupport", metrics=metrics.grpc, streams=self.listener.streams
        )
        self.listener.add([register_handlers(serve, guard=guard)])
        self.address = self.listener.bind()

    async def __aenter__(self):
        await self.listener.start()
        return self

    async def __aexit__(self, *error):
        await self.listener.stop(0)


class Shim:
    """A chaincode that dials."""

    def __init__(self, stream):
        self.stream = stream

    @classmethod
    async def dial(cls, address, **options):
        return cls(await dial_peer(Target(address=address, **options)))

    async def say(self, *messages):
        for message in messages:
            await self.stream.send(message)

    async def hear(self):
        async with asyncio.timeout(10):
            return await self.stream.receive()

    async def start(self, say, ccid="probe:1"):
        await self.say(say.register(ccid))
        assert [(await self.hear()).type for _ in range(2)] == [Msg.REGISTERED, Msg.READY]
        return self


def make_support(**rules):
    return ChaincodeSupport(
        config=SupportConfig(),
        modes=Modes(Mode.DEVELOPMENT),
        rules=AdmissionRules(is_known=lambda ccid: True, **rules),
        invoker=lambda: None,
    )


@pytest.fixture
async def support():
    made = make_support()
    yield made
    await made.stop_all()


async def until(condition):
    """Let the loop turn until *condition* holds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_transaction_over_the_wire(support, say, world):
    async with Port(support.serve) as port:
        shim = await (await Shim.dial(port.address)).start(say)
        call = asyncio.create_task(support.execute(world.call()))
        assert (await shim.hear()).type == Msg.TRANSACTION
        await shim.say(say.message(Msg.GET_STATE, GetState(key="a")))
        assert (await shim.hear()).type == Msg.RESPONSE
        await shim.say(say.completed(payload=b"done"))
        assert (await call).response.payload == b"done"
        await shim.stream.close()
        await until(lambda: support.status()[0].state is RuntimeState.STOPPED)


async def test_large_values_pass_in_both_directions(support, say, world):
    big = bytes(range(256)) * 32_768
    world.put({"big": big})
    async with Port(support.serve) as port:
        shim = await (await Shim.dial(port.address)).start(say)
        call = asyncio.create_task(support.execute(world.call()))
        await shim.hear()
        await shim.say(say.message(Msg.PUT_STATE, PutState(key="other", value=big)))
        assert (await shim.hear()).type == Msg.RESPONSE
        await shim.say(say.message(Msg.GET_STATE, GetState(key="big")))
        assert (await shim.hear()).payload == big
        await shim.say(say.completed())
        await call
        await shim.stream.close()


async def test_a_refusal_is_a_status_with_its_sentence(say):
    support = make_support(admit_developer=lambda ccid, caller: "nobody today")
    async with Port(support.serve) as port:
        shim = await Shim.dial(port.address)
        await shim.say(say.register())
        with pytest.raises(StreamEnded, match=r"^nobody today$") as ended:
            await shim.hear()
        assert ended.value.code is Ending.PERMISSION_DENIED
        await shim.stream.close()


async def test_a_replaced_stream_ends_with_aborted(support, say):
    async with Port(support.serve) as port:
        first = await (await Shim.dial(port.address)).start(say)
        second = await (await Shim.dial(port.address)).start(say)
        with pytest.raises(StreamEnded, match=r"replaced by 127\.0\.0\.1:") as ended:
            await first.hear()
        assert ended.value.code is Ending.ABORTED
        await first.stream.close()
        await second.stream.close()


async def test_a_protocol_violation_ends_with_unknown_and_fabrics_words(support, say):
    async with Port(support.serve) as port:
        shim = await Shim.dial(port.address)
        await shim.say(say.message(Msg.GET_STATE, tx="t"))
        with pytest.raises(StreamEnded, match=r"^error handling message, ending stream: \[t\]"):
            await shim.hear()
        await shim.stream.close()


async def test_a_chaincode_that_vanishes_fails_its_calls(support, say, world):
    async with Port(support.serve) as port:
        shim = await (await Shim.dial(port.address)).start(say)
        call = asyncio.create_task(support.execute(world.call()))
        await shim.hear()
        await shim.stream.close()
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await call


async def test_a_stopping_peer_says_so(support, say):
    async with Port(support.serve) as port:
        shim = await (await Shim.dial(port.address)).start(say)
        await support.stop_all()
        with pytest.raises(StreamLost, match="the peer is stopping"):
            await shim.hear()
        await shim.stream.close()


async def test_nobody_there_is_a_sentence():
    with pytest.raises(StreamLost, match=r"127.0.0.1:1 could not be reached within 0.2 s"):
        await dial_peer(Target(address="127.0.0.1:1", dial_timeout=0.2))


async def test_mutual_tls_tells_the_fingerprint(say):
    authority = CertificateAuthority.create(common_name="ca", organization="chaincode")
    day = timedelta(days=1)
    server = authority.issue(
        common_name="peer", hosts=["localhost", "127.0.0.1"], server=True, lifetime=day
    )
    client = authority.issue(common_name="probe", client=True, lifetime=day)
    seen = []

    def admit(ccid, caller):
        seen.append(caller)

    support = make_support(admit_developer=admit)
    tls = TLSMaterial(
        certificate=server.certificate_pem,
        key=server.key_pem,
        client_roots=authority.certificate_pem,
        require_client=True,
    )
    async with Port(support.serve, tls=tls) as port:
        shim = await Shim.dial(
            port.address,
            tls=ClientTLS(
                roots=authority.certificate_pem,
                key=client.key_pem,
                certificate=client.certificate_pem,
            ),
        )
        await shim.start(say)
        await shim.stream.close()
        [caller] = seen
        assert caller.fingerprint == certificate_hash(client.certificate_pem).hex()
        assert caller.fingerprint == client.fingerprint
        assert caller.loopback
        assert caller.remote.startswith("127.0.0.1:")


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
            dial_peer=lambda: dial_peer(Target(address=address, dial_timeout=1)),
            backoff=lambda: Backoff(first=0.01, longest=0.05),
        )
        target = Target(address=chaincode.address)
        task = asyncio.create_task(bridge.serve_dialled(lambda: dial_chaincode_server(target)))
        await until(lambda: support.status())
        assert (await support.execute(world.call())).response.payload == b"served"
        await support.stop_all()
        await first.listener.stop(0)
        again = make_support()
        async with Port(again.serve, address=address):
            await until(lambda: again.status())
            assert (await again.execute(world.call("t2"))).response.payload == b"served"
            await again.stop_all()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_bridge_that_listens_passes_the_peers_refusal_on(say):
    support = make_support(admit_developer=lambda ccid, caller: "not you")
    async with Port(support.serve) as peer:
        bridge = Bridge(dial_peer=lambda: dial_peer(Target(address=peer.address)))

        async def serve(stream, caller):
            await bridge.serve(stream)

        async with Port(serve) as listening:
            shim = await Shim.dial(listening.address)
            await shim.say(say.register())
            with pytest.raises(StreamEnded, match=r"^not you$") as ended:
                await shim.hear()
            assert ended.value.code is Ending.PERMISSION_DENIED
            await shim.stream.close()
