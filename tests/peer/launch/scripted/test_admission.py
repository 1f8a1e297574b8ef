"""Only what the peer launched may register; the refused reads why (issue, figure 7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from treadle_peer.chaincode.streams import StreamPeer

FABRIC = "peer will not accept external chaincode connection {} (except in dev mode): "


async def knock(address: str, ccid: str, credentials: grpc.ChannelCredentials | None) -> str:
    """Register from this process; the sentence of refusal, or empty when greeted."""
    channel = (
        grpc.aio.insecure_channel(address)
        if credentials is None
        else grpc.aio.secure_channel(address, credentials)
    )
    async with channel:
        stream = channel.stream_stream(
            "/protos.ChaincodeSupport/Register",
            ChaincodeMessage.SerializeToString,
            ChaincodeMessage.FromString,
        )()
        payload = ChaincodeID(name=ccid).SerializeToString()
        try:
            await stream.write(ChaincodeMessage(type=ChaincodeMessage.REGISTER, payload=payload))
            await stream.read()
        except grpc.aio.AioRpcError as error:
            return error.details() or ""
        return ""


def credentials_of(folder: Path) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        (folder / "peer.crt").read_bytes(),
        (folder / "client_pem.key").read_bytes(),
        (folder / "client_pem.crt").read_bytes(),
    )


def launch_folder(bench: Any) -> Path:
    (folder,) = (bench.folder / "launcher" / "launches").iterdir()
    return Path(folder)


async def test_name_that_was_never_launched_is_refused(scripted: Any) -> None:
    bench, ccid = await scripted(tls=False)
    refusal = await knock(bench.port.address, ccid, None)
    assert refusal.startswith(
        FABRIC.format(ccid) + "the peer has not launched this chaincode; in production the peer"
    )
    assert "--peer-chaincodedev" in refusal


async def test_without_tls_another_process_cannot_take_the_name_of_the_running_one(
    scripted: Any,
) -> None:
    bench, ccid = await scripted(tls=False)
    await bench.launch(ccid)
    running = bench.launcher.status(ccid).pid
    refusal = await knock(bench.port.address, ccid, None)
    assert refusal.startswith(FABRIC.format(ccid) + "the connection from ipv4:127.0.0.1:")
    assert "is not held by the process that was launched" in refusal
    assert bench.launcher.status(ccid).pid == running, "the real one is unharmed"
    assert bench.exits.empty()


async def test_without_tls_a_child_of_the_launched_process_may_register(
    scripted: Any, dialler: str
) -> None:
    # npm start: the shim is a grandchild of the peer.
    parent = """
    import subprocess, sys, os
    if os.environ.get("SECOND"):
        import dialling
        dialling.main(sys.argv[1])
    else:
        sys.exit(subprocess.call([sys.executable, *sys.argv], env={**os.environ, "SECOND": "1"}))
    """
    bench, _ = await scripted(tls=False)
    source = bench.folder / "with-child"
    source.mkdir()
    (source / "dialling.py").write_text(dialler)
    (source / "chaincode.py").write_text("\n".join(line[4:] for line in parent.splitlines()))
    await bench.launch(bench.install(source, language="python", version="2"))


async def test_without_tls_a_remote_caller_is_refused(scripted: Any) -> None:
    bench, ccid = await scripted(tls=False)
    await bench.launch(ccid)
    caller = StreamPeer(remote="ipv4:192.0.2.7:4000", fingerprint=None, loopback=False)
    refusal = bench.launcher.admit(ccid, caller)
    assert "ipv4:192.0.2.7:4000 is not on this machine" in refusal


async def test_with_tls_the_right_name_without_certificate_is_refused(scripted: Any) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    caller = StreamPeer(remote="ipv4:127.0.0.1:4000", fingerprint=None, loopback=True)
    refusal = bench.launcher.admit(ccid, caller)
    assert refusal.startswith(
        FABRIC.format(ccid) + f"TLS is active but chaincode {ccid} didn't send certificate; "
    )


async def test_certificate_of_another_chaincode_is_refused(scripted: Any, project: Any) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    certificate = credentials_of(launch_folder(bench))
    refusal = await knock(bench.port.address, "other:1", certificate)
    assert "belongs to a different chaincode (accounts:1)" in refusal


async def test_certificate_of_an_ended_launch_is_retired(scripted: Any) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    stolen = credentials_of(launch_folder(bench))
    await bench.launcher.stop(ccid)
    assert "its launch has ended and its certificate is retired" in await knock(
        bench.port.address, ccid, stolen
    )
    await bench.launch(ccid)
    assert "is retired" in await knock(bench.port.address, ccid, stolen), "also while one runs"


async def test_launch_certificate_of_an_earlier_peer_run_is_refused(
    scripted: Any, make_bench: Any
) -> None:
    bench, ccid = await scripted()
    await bench.launch(ccid)
    stolen = credentials_of(launch_folder(bench))
    await bench.launcher.close()
    later = await make_bench()
    assert "it was not issued for a launch of this peer run" in await knock(
        later.port.address, ccid, stolen
    )


async def test_development_certificate_opens_nothing_in_production(scripted: Any) -> None:
    bench, ccid = await scripted()
    files = bench.authority.development_certificate().files
    refusal = await knock(bench.port.address, ccid, credentials_of(files.root.parent))
    assert "it is the development certificate" in refusal


async def test_certificate_of_a_foreign_authority_fails_in_the_handshake(
    scripted: Any, tmp_path: Path
) -> None:
    bench, ccid = await scripted()
    foreign, _ = await scripted(folder=tmp_path / "foreign")
    issued = foreign.authority.issue(ccid)
    credentials = grpc.ssl_channel_credentials(
        bench.authority.certificate_pem, issued.key_pem, issued.certificate_pem
    )
    assert await knock(bench.port.address, ccid, credentials), "some error of the TLS layer"
    assert bench.port.refusals == [], "it never came as far as saying a name"


async def test_refusal_shows_in_the_chaincodes_own_log(scripted: Any) -> None:
    bench, ccid = await scripted(tls=False)
    bench.port.admit = lambda name, caller: "not today"
    await bench.launcher.launch(ccid)
    ended = await bench.exit()
    assert not ended.registered
    assert (
        ended.sentence == "container exited with 3; the last lines of its log:\nrefused: not today"
    )
