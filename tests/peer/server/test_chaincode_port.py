"""The chaincode port with TLS: strangers get a sentence, holders of a certificate their stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from treadle_fabric.identity import CertificateAuthority
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    Doorkeeper,
    Ending,
    Mode,
    Modes,
    StreamEnded,
    SupportConfig,
)
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch.admission import at_the_door
from treadle_peer.chaincode.launch.sockets import all_sockets, parse_remote
from treadle_peer.config import ChaincodeConfig, PeerConfig
from treadle_peer.execution import Call, ExecutionError
from treadle_peer.main.chaincode_port import ChaincodePort, PortServices, chaincode_material
from treadle_peer.server.chaincode_grpc import ClientTLS, DialledStream, Target, dial_peer
from treadle_peer.server.listener import ListenError
from treadle_peer.services.metrics import Metrics

DEADLINE = 30.0
CCID = "probe:1"


@dataclass(frozen=True, kw_only=True)
class Port:
    """A chaincode port that serves."""

    advertised: str
    launched: str
    support: ChaincodeSupport
    metrics: Metrics
    modes: Modes
    authority: ChaincodeAuthority

    def own(self) -> ClientTLS:
        """What the holder of the development certificate presents."""
        files = self.authority.development_certificate().files
        return ClientTLS(
            roots=self.authority.certificate_pem,
            key=files.key_pem.read_bytes(),
            certificate=files.certificate_pem.read_bytes(),
        )

    def bare(self) -> ClientTLS:
        """TLS without a certificate."""
        return ClientTLS(roots=self.authority.certificate_pem)


class NoOthers:
    """The invoker of a peer where no chaincode knows another one."""

    async def invoke(self, caller: Call, spec: ChaincodeSpec) -> ChaincodeMessage:
        raise ExecutionError("there is no other chaincode")


@asynccontextmanager
async def serving(
    folder: Path, mode: Mode = Mode.PRODUCTION, *, register_timeout: float = 5.0
) -> AsyncIterator[Port]:
    config = PeerConfig(
        data_folder=folder,
        chaincode_listen_address="127.0.0.1:0",
        chaincode=ChaincodeConfig(tls=True),
    )
    authority = ChaincodeAuthority.open(folder / "authority")
    port = ChaincodePort(config, chaincode_material(config, authority))
    advertised, modes = port.bind(), Modes(mode)
    metrics = Metrics(version="0", heights=dict)
    support = ChaincodeSupport(
        config=SupportConfig(),
        modes=modes,
        rules=AdmissionRules(is_known=lambda ccid: True),
        invoker=NoOthers,
    )
    await port.start(
        PortServices(
            support=support,
            doorkeeper=Doorkeeper(at_the_door, register_timeout=register_timeout),
            developing=lambda: modes.development_anywhere,
            metrics=metrics,
        )
    )
    try:
        async with asyncio.timeout(DEADLINE):
            yield Port(
                advertised=advertised,
                launched=port.launched_address or "",
                support=support,
                metrics=metrics,
                modes=modes,
                authority=authority,
            )
    finally:
        await support.stop_all()
        await port.stop(0)


def register(name: str = CCID) -> ChaincodeMessage:
    return ChaincodeMessage(
        type=ChaincodeMessage.REGISTER, payload=ChaincodeID(name=name).SerializeToString()
    )


@asynccontextmanager
async def dialled(
    address: str, tls: ClientTLS | None, *messages: ChaincodeMessage
) -> AsyncIterator[DialledStream]:
    """A stream on which *messages* were sent."""
    stream = await dial_peer(Target(address=address, tls=tls))
    try:
        for message in messages:
            await stream.send(message)
        yield stream
    finally:
        await stream.close()


async def refusal(
    address: str, tls: ClientTLS | None, *messages: ChaincodeMessage
) -> tuple[Ending, str]:
    """How a stream ends on which *messages* were sent."""
    async with dialled(address, tls, *messages) as stream:
        with pytest.raises(StreamEnded) as ended:
            await stream.receive()
    return ended.value.code, ended.value.sentence


def foreign(port: Port) -> ClientTLS:
    """A certificate of an unknown authority."""
    unknown = CertificateAuthority.create(common_name="foreign", organization="foreign")
    issued = unknown.issue(common_name="x", client=True)
    return ClientTLS(
        roots=port.authority.certificate_pem,
        key=issued.key_pem,
        certificate=issued.certificate_pem,
    )


async def test_in_production_everybody_at_the_door_gets_the_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as port:
        for tls in (None, port.bare(), foreign(port), port.own()):
            said = await refusal(port.advertised, tls, register())
            assert said == (Ending.PERMISSION_DENIED, at_the_door(CCID))
        assert not port.support.status()
        text = port.metrics.render().decode()
    labels = 'service="protos.ChaincodeSupport",method="Register"'  # the dot: Fabric's separator
    assert re.search(rf"grpc_server_stream_requests_received{{{labels}}} 4\.0", text)
    logged = [one.message for one in caplog.records if at_the_door(CCID) in one.message]
    assert len(logged) == 1  # the others are counted, and told later
    assert all("stream of chaincode probe:1 (127.0.0.1:" in one for one in logged)


async def test_a_taken_private_address_is_named_with_its_setting(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        config = PeerConfig(
            data_folder=tmp_path,
            chaincode_listen_address="127.0.0.1:0",
            chaincode=ChaincodeConfig(tls=True, launched_listen_address=port.launched),
        )
        second = ChaincodePort(config, chaincode_material(config, port.authority))
        with pytest.raises(ListenError, match=r"change treadle\.chaincode\.launchedListenAddress"):
            second.bind()
        await second.stop(0)


async def test_what_the_peer_launches_has_an_address_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        assert port.launched != port.advertised
        code, sentence = await refusal(port.launched, port.own(), register())
        # Nothing was launched here, so it is admission that refuses.
        assert (code, sentence) == (
            Ending.PERMISSION_DENIED,
            f"peer will not accept external chaincode connection {CCID} (except in dev mode)",
        )


@pytest.mark.parametrize("opened", ["the peer", "one chaincode"])
async def test_in_development_the_holder_of_the_certificate_passes_with_its_true_address(
    opened: str, tmp_path: Path
) -> None:
    mode = Mode.DEVELOPMENT if opened == "the peer" else Mode.PRODUCTION
    async with serving(tmp_path, mode) as port:
        port.modes.set(CCID, Mode.DEVELOPMENT)
        async with dialled(port.advertised, port.own(), register()) as stream:
            for expected in (ChaincodeMessage.REGISTERED, ChaincodeMessage.READY):
                message = await stream.receive()
                assert message is not None
                assert message.type == expected
            (row,) = port.support.status()
            outside = int(port.advertised.rpartition(":")[2])
            callers = {one.local for one in all_sockets() if one.remote.port == outside}
            assert parse_remote(row.remote) in callers
            code, _ = await refusal(port.advertised, None, register())
            assert code is Ending.PERMISSION_DENIED
            (after,) = port.support.status()
            assert after == row


async def test_who_is_silent_is_told_so_in_time(tmp_path: Path) -> None:
    async with serving(tmp_path, register_timeout=0.2) as port:
        alive = ChaincodeMessage(type=ChaincodeMessage.KEEPALIVE)
        for messages in ((), (alive, alive)):
            assert await refusal(port.advertised, None, *messages) == (
                Ending.DEADLINE_EXCEEDED,
                "no REGISTER message arrived within 0.2 s",
            )


async def test_a_first_message_that_is_no_register_ends_the_stream(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        message = ChaincodeMessage(type=ChaincodeMessage.GET_STATE, txid="t")
        code, sentence = await refusal(port.advertised, None, message)
        assert code is Ending.UNKNOWN
        assert sentence.startswith("error handling message, ending stream: [t]")


async def test_an_endless_name_is_cut_and_a_hostile_one_made_harmless(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path) as port:
        _, sentence = await refusal(port.advertised, None, register("x" * 10_000))
        assert sentence == at_the_door("x" * 128 + "…")
        _, sentence = await refusal(port.advertised, None, register("a\nWARNING b:1"))
        assert sentence == at_the_door("a?WARNING b:1")
    assert not [one for one in caplog.records if "\n" in one.message]


async def test_a_first_message_beyond_the_bound_is_not_read(tmp_path: Path) -> None:
    async with serving(tmp_path) as port:
        code, _ = await refusal(port.advertised, None, register("x" * 20_000))
        assert code is Ending.RESOURCE_EXHAUSTED
