"""Chaincode streams over real gRPC connections on loopback."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.supported import until
from harness.wired import Port, Shim, developers_support
from treadle_fabric.identity import CertificateAuthority
from treadle_peer.chaincode import (
    Ending,
    RuntimeState,
    StreamEnded,
    StreamLost,
)
from treadle_peer.execution import ExecutionError
from treadle_peer.server.chaincode_grpc import (
    ClientTLS,
    Target,
    dial_peer,
)
from treadle_peer.server.tls import TLSMaterial, certificate_hash


async def test_a_transaction_over_the_wire(support, say, world):
    async with Port(support.serve) as port:
        shim = await (await Shim.dial(port.address)).start()
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
        shim = await (await Shim.dial(port.address)).start()
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
    support = developers_support(admit_developer=lambda ccid, caller: "nobody today")
    async with Port(support.serve) as port:
        shim = await Shim.dial(port.address)
        await shim.say(say.register())
        with pytest.raises(StreamEnded, match=r"^nobody today$") as ended:
            await shim.hear()
        assert ended.value.code is Ending.PERMISSION_DENIED
        await shim.stream.close()


async def test_a_replaced_stream_ends_with_aborted(support, say):
    async with Port(support.serve) as port:
        first = await (await Shim.dial(port.address)).start()
        second = await (await Shim.dial(port.address)).start()
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
        shim = await (await Shim.dial(port.address)).start()
        call = asyncio.create_task(support.execute(world.call()))
        await shim.hear()
        await shim.stream.close()
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await call


async def test_a_stopping_peer_says_so(support, say):
    async with Port(support.serve) as port:
        shim = await (await Shim.dial(port.address)).start()
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

    support = developers_support(admit_developer=admit)
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
        await shim.start()
        await shim.stream.close()
        [caller] = seen
        assert caller.fingerprint == certificate_hash(client.certificate_pem).hex()
        assert caller.fingerprint == client.fingerprint
        assert caller.loopback
        assert caller.remote.startswith("127.0.0.1:")
