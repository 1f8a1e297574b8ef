"""Chaincode that nobody here has built: a program that dials the bridge, a server elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from harness.chaincodes import built
from harness.memory_streams import register
from harness.networks import Network, connected
from harness.operators import Operator
from harness.peers import PeerProcess, unused_port
from harness.pods import PodFolders, folders_for
from harness.processes import Started, wait_until
from harness.runtimes import wait_for_runtime
from harness.wired import Shim
from treadle_fabric.client import PeerAdministration
from treadle_fabric.identity import CertificateAuthority
from treadle_fabric.packages import (
    ImageReference,
    Prebuilt,
    ServerReference,
    prebuilt_code,
    prebuilt_language,
    wrap_code,
)
from treadle_peer.chaincode import StreamEnded, StreamLost
from treadle_peer.server.chaincode_grpc import ClientTLS
from treadle_runtime.v1 import runtime_pb2 as pb

pytestmark = pytest.mark.timeout(180)

CCID = "asset:1"
INIT = ("init", "alice", "100", "bob", "20")
SERVER = """
import asyncio, sys
from chaincode import Accounts, server
asyncio.set_event_loop(asyncio.new_event_loop())
key, cert, roots = sys.argv[1:]
server.start(Accounts, key=key, cert=cert, client_ca_certs=roots)
"""
IMAGE = ImageReference(name="registry.example.com/asset", digest="sha256:" + "ab" * 32)


async def require(network: Network, operator: Operator, prebuilt: Prebuilt) -> None:
    """Install asset:1 as that, and want a runtime of it."""
    language, code = prebuilt_language(prebuilt), prebuilt_code(prebuilt)
    raw = wrap_code(name="asset", version="1", language=language, path="asset", code=code)
    await PeerAdministration(peer=network.peer, signer=network.admin).install(raw)
    await operator.require(CCID)


async def runtime(operator: Operator, folder: Path, pods: list[PodFolders]) -> PodFolders:
    """Folders with its Secret."""
    made = await folders_for(operator, CCID, "k8s", folder / "pod", pb.PURPOSE_RUNTIME)
    pods.append(made)
    return made


def started(pod: PodFolders, *command: str, log: str, **environment: str) -> Started:
    made = Started(command, output=pod.folder / log, environment=pod.environment(**environment))
    pod.started.append(made)
    return made


async def bridge(pod: PodFolders, address: str) -> Started:
    """``treadle-pod listen``, as soon as a chaincode may dial it."""
    folder = pod.folder / "bridge"
    folder.mkdir()
    line = pod.pod("listen", "--address", address, "--folder", str(folder))
    running = started(pod, *line, log="bridge.log")
    there = (folder / "ca.crt").exists
    await asyncio.to_thread(wait_until, there, within=30, what="the bridge's ca.crt")
    return running


def image(pod: PodFolders, address: str) -> Started:
    """What an image for fabric-builder-k8s does by itself, in the environment that it gets."""
    secret = pod.certificate
    return started(
        pod,
        *("/bin/sh", "-c", 'exec "$CHAINCODE" -peer.address=$CORE_PEER_ADDRESS'),
        log="chaincode.log",
        CHAINCODE=str(built("go") / "chaincode"),
        CORE_CHAINCODE_ID_NAME=CCID,
        CORE_PEER_ADDRESS=address,
        CORE_PEER_TLS_ENABLED="true",
        CORE_PEER_TLS_ROOTCERT_FILE=str(pod.folder / "bridge" / "ca.crt"),
        CORE_TLS_CLIENT_KEY_PATH=str(secret / "client.key.b64"),
        CORE_TLS_CLIENT_CERT_PATH=str(secret / "client.crt.b64"),
    )


async def bob(network: Network) -> int:
    return int(json.loads(await network.channel.evaluate("asset", ["query", "bob"]))["balance"])


@pytest.mark.toolchain("go")
async def test_a_program_that_dials_the_bridge_outlives_its_peer(
    peer: PeerProcess, pods: list[PodFolders], tmp_path: Path
) -> None:
    address = f"127.0.0.1:{unused_port()}"
    async with connected(peer) as network, Operator.of(peer) as operator:
        await require(network, operator, IMAGE)
        pod = await runtime(operator, tmp_path, pods)
        await bridge(pod, address)
        chaincode = image(pod, address)
        await operator.until(CCID, pb.STATE_REGISTERED)
        await network.instantiate("asset", "go", INIT)
        await network.channel.invoke("asset", ["transfer", "alice", "bob", "5"])
        await strangers_are_refused(operator, pod, address)
    for end in (peer.kill, peer.stop):
        await asyncio.to_thread(end)
        await asyncio.to_thread(peer.start)
        await asyncio.to_thread(wait_for_runtime, peer.addresses["operations"], CCID, within=30)
        async with connected(peer) as network:
            assert await bob(network) == 25
    assert chaincode.running(), "it never noticed"
    os.kill(chaincode.pid, 15)
    await asyncio.to_thread(chaincode.wait, within=10)
    async with Operator.of(peer) as operator:
        await operator.until(CCID, pb.STATE_STARTING)
        image(pod, address)
        await operator.until(CCID, pb.STATE_REGISTERED)


async def strangers_are_refused(operator: Operator, pod: PodFolders, address: str) -> None:
    """Whoever reaches the port of the bridge needs the pod's own certificate."""
    roots = (pod.folder / "bridge" / "ca.crt").read_bytes()
    with pytest.raises(StreamLost):
        await Shim.dial(address, tls=ClientTLS(roots=roots))
    issued, _ = await operator.issue(CCID)
    other = ClientTLS(roots=roots, key=issued.private_key, certificate=issued.certificate)
    assert "only the chaincode of this pod" in (await refusal(address, other)).sentence


async def refusal(address: str, tls: ClientTLS) -> StreamEnded:
    """What the bridge says; gRPC hides that from whoever still wrote when it was said."""
    async with asyncio.timeout(30):
        while True:
            shim = await Shim.dial(address, tls=tls)
            try:
                await shim.say(register(CCID))
                await shim.hear()
            except StreamLost:
                continue
            except StreamEnded as ended:
                return ended
            finally:
                await shim.stream.close()


async def test_a_refused_chaincode_reads_why(
    peer: PeerProcess, pods: list[PodFolders], tmp_path: Path
) -> None:
    address = f"127.0.0.1:{unused_port()}"
    async with connected(peer) as network, Operator.of(peer) as operator:
        await require(network, operator, IMAGE)
        pod = await runtime(operator, tmp_path, pods)
        await bridge(pod, address)
        tls = ClientTLS(
            roots=(pod.folder / "bridge" / "ca.crt").read_bytes(),
            key=(pod.certificate / "client.key").read_bytes(),
            certificate=(pod.certificate / "client.crt").read_bytes(),
        )
        shim = await Shim.dial(address, tls=tls)
        await shim.say(register("other:1"))
        with pytest.raises(StreamEnded, match="other:1"):
            await shim.hear()


def server_certificates(folder: Path) -> None:
    """Those of a server, and what its clients need."""
    authority = CertificateAuthority.create(common_name="elsewhere", organization="example")
    folder.mkdir()
    (folder / "ca.crt").write_bytes(authority.certificate_pem)
    server = authority.issue(common_name="asset", hosts=["127.0.0.1"], server=True)
    client = authority.issue(common_name="peer", client=True)
    for name, issued in (("server", server), ("tls", client)):
        (folder / f"{name}.crt").write_bytes(issued.certificate_pem)
        (folder / f"{name}.key").write_bytes(issued.key_pem)


async def test_a_server_elsewhere_is_dialled_by_mutual_tls(
    peer: PeerProcess, pods: list[PodFolders], tmp_path: Path
) -> None:
    address, papers = f"127.0.0.1:{unused_port()}", tmp_path / "papers"
    server_certificates(papers)
    async with connected(peer) as network, Operator.of(peer) as operator:
        await require(network, operator, ServerReference(address=address, secret="papers"))
        pod = await runtime(operator, tmp_path, pods)
        line = pod.pod("dial", "--server", address, "--tls", str(papers))
        dialling = started(pod, *line, log="dial.log")
        server = serve(pod, address, papers)
        await operator.until(CCID, pb.STATE_REGISTERED)
        await network.instantiate("asset", "python", INIT)
        assert await bob(network) == 20
        os.kill(server.pid, 9)
        await operator.until(CCID, pb.STATE_STARTING)
        serve(pod, address, papers)
        await operator.until(CCID, pb.STATE_REGISTERED)
        assert await bob(network) == 20
        assert dialling.running()


def serve(pod: PodFolders, address: str, papers: Path) -> Started:
    """Python's own server, which asks for client certificates."""
    folder = built("python")
    return started(
        pod,
        *(str(folder / ".venv/bin/python"), "-c", SERVER),
        *(str(papers / name) for name in ("server.key", "server.crt", "ca.crt")),
        log="server.log",
        PYTHONPATH=str(folder),
        CHAINCODE_ID=CCID,
        CHAINCODE_SERVER_ADDRESS=address,
    )


async def test_a_pod_that_the_peer_has_not_heard_of_yet_is_patient(
    peer: PeerProcess, pods: list[PodFolders], tmp_path: Path
) -> None:
    address = f"127.0.0.1:{unused_port()}"
    async with connected(peer) as network, Operator.of(peer) as operator:
        await require(network, operator, ServerReference(address=address, secret=""))
        await operator.report(CCID, pb.PHASE_STARTING, pod_addresses=["10.11.12.13"])
        pod = await runtime(operator, tmp_path, pods)
        folder = built("python")
        started(
            pod,
            *(str(folder / ".venv/bin/python"), str(folder / "chaincode.py")),
            log="server.log",
            CHAINCODE_ID=CCID,
            CHAINCODE_SERVER_ADDRESS=address,
        )
        dialling = started(pod, *pod.pod("dial", "--server", address, unknown=30), log="dial.log")
        log = pod.folder / "dial.log"
        await asyncio.to_thread(
            wait_until, lambda: "peer: " in log.read_text(), within=20, what="a refusal"
        )
        await operator.report(CCID, pb.PHASE_STARTING, pod_addresses=["127.0.0.1"])
        await operator.until(CCID, pb.STATE_REGISTERED)
        assert dialling.running()


async def test_a_server_that_never_answers_is_told(
    peer: PeerProcess, pods: list[PodFolders], tmp_path: Path
) -> None:
    address = f"127.0.0.1:{unused_port()}"
    async with connected(peer) as network, Operator.of(peer) as operator:
        await require(network, operator, ServerReference(address=address, secret=""))
        pod = await runtime(operator, tmp_path, pods)
        line = pod.pod("dial", "--server", address, "--first", "1")
        done = await asyncio.to_thread(pod.run, line)
        assert done.code == 1
        assert f"the chaincode server at {address} does not answer" in done.message
        (tmp_path / "none").mkdir()
        line = pod.pod("dial", "--server", address, "--tls", str(tmp_path / "none"))
        done = await asyncio.to_thread(pod.run, line)
        assert "has no ca.crt" in done.message
