"""What is mounted into the pod is what a real peer starts with."""

from __future__ import annotations

import os
import re
import socket
import ssl
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from harness.operating.stored import peer
from harness.peers import PEER_COMMAND, START_SECONDS
from harness.processes import Started, wait_until
from harness.real_peer import free_port
from treadle_operator import identities
from treadle_operator.model import Peer
from treadle_operator.names import peer_names
from treadle_operator.resources import Images, PeerSecrets, msp_files, peer_children, server_names
from treadle_runtime.v1 import runtime_pb2 as pb
from treadle_runtime.v1.runtime_pb2_grpc import RuntimesStub

LISTENED = (7050, 7051, 7052, 7053, 7055, 9443)


class Pod:
    """The files of a peer's pod below *folder*, its ports on loopback."""

    def __init__(self, folder: Path, one: Peer) -> None:
        self.folder = folder
        self.ports = {number: free_port() for number in LISTENED}
        names = peer_names(one.meta.name, one.spec.msp_id)
        authority = identities.new_authority(one.spec.msp_id, one.meta.namespace)
        organization = identities.open_authority(one.spec.msp_id, "authority", authority)
        self.secrets: dict[str, Mapping[str, bytes]] = {
            "msp": identities.new_member(organization, "peer", one.meta.name),
            "tls": identities.new_server_certificate(
                organization, names.service, server_names(one, names)
            ),
        }
        operators = identities.new_operator_authority()
        self.operator = identities.new_operator(operators)
        self.secrets["runtime"] = identities.new_operator_port(
            operators, one.meta.name, server_names(one, names)
        )
        mounted = PeerSecrets(
            msp="msp",
            msp_files=msp_files("msp", self.secrets["msp"]),
            tls="tls" if one.spec.tls.enabled else None,
            runtime="runtime" if one.spec.tls.enabled else None,
            fingerprint="f",
        )
        children: list[Any] = peer_children(one, images=Images(peer="i"), secrets=mounted)
        self.config = next(child["data"] for child in children if child["kind"] == "ConfigMap")
        self.spec = children[-1]["spec"]["template"]["spec"]
        self._mount()

    def _mount(self) -> None:
        """Put there what the kubelet would."""
        volumes = {volume["name"]: volume for volume in self.spec["volumes"]}
        for mount in self.container["volumeMounts"]:
            target = self.at(mount["mountPath"])
            target.mkdir(parents=True, exist_ok=True)
            volume = volumes.get(mount["name"], {})
            if "configMap" in volume:
                for name, text in self.config.items():
                    (target / name).write_text(self._moved(text))
            for item in volume.get("secret", {}).get("items", []):
                file = target / item["path"]
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(self.secrets[volume["secret"]["secretName"]][item["key"]])

    @property
    def container(self) -> dict[str, Any]:
        found: dict[str, Any] = self.spec["containers"][0]
        return found

    def at(self, path: str) -> Path:
        return self.folder / path.lstrip("/")

    def _moved(self, text: str) -> str:
        for path in ("/etc/treadle", "/var/lib/treadle"):
            text = text.replace(path, str(self.at(path)))
        for number, port in self.ports.items():
            text = re.sub(rf"(0\.0\.0\.0|127\.0\.0\.1):{number}\b", f"127.0.0.1:{port}", text)
        return text

    def start(self) -> Started:
        environment = {**os.environ}
        for variable in self.container["env"]:
            environment[variable["name"]] = self._moved(variable["value"])
        assert self.container["args"][0] == "peer"
        command = [*PEER_COMMAND, *self.container["args"][1:]]
        return Started(command, output=self.folder / "log", environment=environment)

    def probe(self, name: str) -> bool:
        path = self.container[name]["httpGet"]["path"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[9443]}{path}", timeout=5):
                return True
        except OSError:
            return False


@pytest.mark.parametrize(
    "one",
    [peer(), peer(mode="Development", tls={"enabled": False})],
    ids=["production", "development"],
)
def test_a_real_peer_starts_with_the_files_of_its_pod(tmp_path: Path, one: Peer) -> None:
    pod = Pod(tmp_path, one)
    process = pod.start()
    try:

        def healthy() -> bool:
            assert process.running(), process.text()
            return all(map(pod.probe, ("startupProbe", "livenessProbe", "readinessProbe")))

        wait_until(healthy, within=START_SECONDS, what="the peer being healthy")
        assert "WARN" not in process.text(), process.text()
        if one.spec.tls.enabled:
            _dial(pod, "peer0.trade.svc")
            _dial(pod, "localhost")
            with pytest.raises(ssl.SSLCertVerificationError):
                _dial(pod, "peer1.trade.svc")
            assert _runtimes(pod) == []
    finally:
        process.stop()
    assert (pod.at("/var/lib/treadle") / "ledger").is_dir()


def _dial(pod: Pod, host: str) -> None:
    """Shake hands as a client that trusts the organisation and dials *host*."""
    context = ssl.create_default_context(cadata=pod.secrets["tls"]["ca.crt"].decode())
    context.set_alpn_protocols(["h2"])
    address = ("127.0.0.1", pod.ports[7051])
    with (
        socket.create_connection(address, timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        assert wrapped.version() == "TLSv1.3"


def _runtimes(pod: Pod) -> list[pb.Runtime]:
    """What the peer answers its operator, who dials the internal Service."""
    credentials = grpc.ssl_channel_credentials(
        pod.operator["ca.crt"], pod.operator["client.key"], pod.operator["client.crt"]
    )
    options = [("grpc.ssl_target_name_override", "peer0-internal.trade.svc")]
    address = f"127.0.0.1:{pod.ports[7055]}"
    with grpc.secure_channel(address, credentials, options=options) as channel:
        answer = RuntimesStub(channel).ListRuntimes(pb.ListRuntimesRequest(), timeout=10)
        return list(answer.runtimes)


def test_every_volume_that_is_mounted_is_there(tmp_path: Path) -> None:
    pod = Pod(tmp_path, peer())
    claims = {"ledger"}
    assert {mount["name"] for mount in pod.container["volumeMounts"]} == (
        {volume["name"] for volume in pod.spec["volumes"]} | claims
    )
