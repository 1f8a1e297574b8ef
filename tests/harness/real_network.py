"""A network of real Fabric 2.5 processes: solo orderer, one peer, in development mode by default.

What our command line and client are held against.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from harness.fabric_cli import FabricCli
from harness.processes import Started, wait_until

START_SECONDS = 60.0

_CRYPTO = """
OrdererOrgs:
  - {Name: Orderer, Domain: ord.test, EnableNodeOUs: true,
     Specs: [{Hostname: orderer, SANS: [localhost, 127.0.0.1]}]}
PeerOrgs:
  - {Name: Org1, Domain: org1.test, EnableNodeOUs: true, Users: {Count: 1},
     Template: {Count: 1, SANS: [localhost, 127.0.0.1]}}
"""

_CONFIGTX = """
Organizations:
  - &Ord
    Name: OrdererMSP
    ID: OrdererMSP
    MSPDir: crypto/ordererOrganizations/ord.test/msp
    Policies: &ordered
      Readers: {Type: Signature, Rule: "OR('OrdererMSP.member')"}
      Writers: {Type: Signature, Rule: "OR('OrdererMSP.member')"}
      Admins: {Type: Signature, Rule: "OR('OrdererMSP.admin')"}
  - &Org1
    Name: Org1MSP
    ID: Org1MSP
    MSPDir: crypto/peerOrganizations/org1.test/msp
    Policies:
      Readers: {Type: Signature, Rule: "OR('Org1MSP.member')"}
      Writers: {Type: Signature, Rule: "OR('Org1MSP.member')"}
      Admins: {Type: Signature, Rule: "OR('Org1MSP.admin')"}
Channel:
  Policies: &any
    Readers: {Type: ImplicitMeta, Rule: "ANY Readers"}
    Writers: {Type: ImplicitMeta, Rule: "ANY Writers"}
    Admins: {Type: ImplicitMeta, Rule: "ANY Admins"}
Profiles:
  Genesis:
    Policies: *any
    Capabilities: {V1_4_3: true}
    Orderer:
      OrdererType: solo
      Addresses: ["ORDERER"]
      BatchTimeout: 100ms
      BatchSize: {MaxMessageCount: 10, AbsoluteMaxBytes: 10 MB, PreferredMaxBytes: 2 MB}
      Organizations: [*Ord]
      Policies:
        <<: *any
        BlockValidation: {Type: ImplicitMeta, Rule: "ANY Writers"}
      Capabilities: {V1_4_2: true}
    Consortiums:
      SampleConsortium: {Organizations: [*Org1]}
  Channel:
    Policies: *any
    Consortium: SampleConsortium
    Application: {Organizations: [*Org1], Policies: *any, Capabilities: {V1_4_2: true}}
"""


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(kw_only=True)
class RealNetwork:
    """Orderer and peer of one organisation, in one folder; ``mutual_tls`` on all ports or none."""

    folder: Path
    binaries: Path
    mutual_tls: bool = False
    crypto: Path | None = None  # laid out as cryptogen does; None: newly generated
    max_message_count: int = 10
    development: bool = True  # of a network without TLS
    builders: list[dict[str, object]] = field(default_factory=list)
    peer_settings: Mapping[str, str] = field(default_factory=dict)
    orderer_address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    peer_address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    chaincode_address: str = field(default_factory=lambda: f"127.0.0.1:{free_port()}")
    _started: list[Started] = field(default_factory=list)

    @property
    def organization(self) -> Path:
        """Org1's certificates, as cryptogen lays them out."""
        return self.folder / "crypto" / "peerOrganizations" / "org1.test"

    @property
    def ordering(self) -> Path:
        """The orderer organisation's certificates."""
        return self.folder / "crypto" / "ordererOrganizations" / "ord.test"

    @property
    def admin(self) -> Path:
        """Org1's admin: ``msp`` and ``tls``."""
        return self.organization / "users" / "Admin@org1.test"

    def start(self) -> None:
        """Generate everything, start both, wait until they listen."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for file in (self.binaries.parent / "sampleconfig").glob("*.yaml"):
            shutil.copyfile(file, self.folder / file.name)
        self._name_builders()
        configtx = _CONFIGTX.replace('ORDERER"', f'{self.orderer_address}"').replace(
            "MaxMessageCount: 10", f"MaxMessageCount: {self.max_message_count}"
        )
        (self.folder / "configtx.yaml").write_text(configtx)
        self._make_crypto()
        self._run(
            "configtxgen",
            *["-profile", "Genesis", "-channelID", "sys", "-outputBlock", "sys.block"],
        )
        self._launch("orderer", self._orderer_settings())
        settings = {**self._peer_settings(), **self.peer_settings}
        self._launch("peer", settings, "node", "start", *self._mode())
        for address in (self.orderer_address, self.peer_address):
            wait_until(lambda at=address: _listens(at), within=START_SECONDS, what=address)

    def creation_transaction(self, channel: str) -> Path:
        """A channel creation transaction made by configtxgen."""
        name = f"{channel}.tx"
        arguments = f"-profile Channel -channelID {channel} -outputCreateChannelTx {name}"
        self._run("configtxgen", *arguments.split())
        return self.folder / name

    def cli(self, binary: Path, extra: Mapping[str, str] | None = None) -> FabricCli:
        """*binary* (the real ``peer`` or ours) as Org1's admin."""
        tls = self.admin / "tls"
        return FabricCli(
            binary=binary,
            config=self.folder,
            msp_id="Org1MSP",
            msp_folder=self.admin / "msp",
            peer_address=self.peer_address,
            orderer_address=self.orderer_address,
            tls_root=self._roots() if self.mutual_tls else None,
            client_key=tls / "client.key" if self.mutual_tls else None,
            client_certificate=tls / "client.crt" if self.mutual_tls else None,
            extra=extra or {},
        )

    def stop(self) -> None:
        """End both."""
        for process in self._started:
            process.stop()

    def _name_builders(self) -> None:
        file = self.folder / "core.yaml"
        settings = yaml.safe_load(file.read_text())
        settings["chaincode"]["externalBuilders"] = self.builders
        file.write_text(yaml.safe_dump(settings))

    def _make_crypto(self) -> None:
        if self.crypto is not None:
            shutil.copytree(self.crypto, self.folder / "crypto")
            return
        (self.folder / "crypto.yaml").write_text(_CRYPTO)
        self._run("cryptogen", "generate", "--config", "crypto.yaml", "--output", "crypto")

    def _mode(self) -> list[str]:
        # With TLS Fabric's development mode is out of reach of a plain chaincode.
        return [] if self.mutual_tls or not self.development else ["--peer-chaincodedev"]

    def _roots(self) -> Path:
        """Both TLS authorities in one file, because a FabricCli trusts one file."""
        roots = self.folder / "roots.pem"
        files = [*self.organization.glob("tlsca/*.pem"), *self.ordering.glob("tlsca/*.pem")]
        roots.write_bytes(b"".join(file.read_bytes() for file in files))
        return roots

    def _run(self, tool: str, *arguments: str) -> None:
        environment = {"FABRIC_CFG_PATH": str(self.folder), "PATH": os.environ["PATH"]}
        done = subprocess.run(
            [str(self.binaries / tool), *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{tool}: {done.stdout}\n{done.stderr}"

    def _launch(self, tool: str, settings: Mapping[str, str], *arguments: str) -> None:
        environment = {"FABRIC_CFG_PATH": str(self.folder), "PATH": os.environ["PATH"], **settings}
        self._started.append(
            Started(
                [str(self.binaries / tool), *arguments],
                output=self.folder / f"{tool}.log",
                environment=environment,
                cwd=self.folder,
            )
        )

    def _orderer_settings(self) -> dict[str, str]:
        node = self.ordering / "orderers" / "orderer.ord.test"
        host, _, port = self.orderer_address.rpartition(":")
        settings = {
            "ORDERER_GENERAL_LISTENADDRESS": host,
            "ORDERER_GENERAL_LISTENPORT": port,
            "ORDERER_GENERAL_BOOTSTRAPMETHOD": "file",
            "ORDERER_GENERAL_BOOTSTRAPFILE": str(self.folder / "sys.block"),
            "ORDERER_GENERAL_LOCALMSPID": "OrdererMSP",
            "ORDERER_GENERAL_LOCALMSPDIR": str(node / "msp"),
            "ORDERER_FILELEDGER_LOCATION": str(self.folder / "ordered"),
            "ORDERER_OPERATIONS_LISTENADDRESS": "127.0.0.1:0",
            "ORDERER_ADMIN_LISTENADDRESS": "127.0.0.1:0",
            "ORDERER_CHANNELPARTICIPATION_ENABLED": "false",
            "ORDERER_GENERAL_TLS_ENABLED": str(self.mutual_tls).lower(),
        }
        if self.mutual_tls:
            settings |= {
                "ORDERER_GENERAL_TLS_PRIVATEKEY": str(node / "tls" / "server.key"),
                "ORDERER_GENERAL_TLS_CERTIFICATE": str(node / "tls" / "server.crt"),
                "ORDERER_GENERAL_TLS_ROOTCAS": f"[{node / 'tls' / 'ca.crt'}]",
                "ORDERER_GENERAL_TLS_CLIENTAUTHREQUIRED": "true",
                "ORDERER_GENERAL_TLS_CLIENTROOTCAS": f"[{self._roots()}]",
            }
        return settings

    def _peer_settings(self) -> dict[str, str]:
        node = self.organization / "peers" / "peer0.org1.test"
        settings = {
            "CORE_PEER_ID": "peer0",
            "CORE_PEER_ADDRESS": self.peer_address,
            "CORE_PEER_LISTENADDRESS": self.peer_address,
            "CORE_PEER_CHAINCODELISTENADDRESS": self.chaincode_address,
            "CORE_PEER_LOCALMSPID": "Org1MSP",
            "CORE_PEER_MSPCONFIGPATH": str(node / "msp"),
            "CORE_PEER_FILESYSTEMPATH": str(self.folder / "peer"),
            "CORE_LEDGER_SNAPSHOTS_ROOTDIR": str(self.folder / "snapshots"),
            "CORE_OPERATIONS_LISTENADDRESS": "127.0.0.1:0",
            "CORE_PEER_GOSSIP_BOOTSTRAP": self.peer_address,
            "CORE_PEER_GOSSIP_USELEADERELECTION": "false",
            "CORE_PEER_GOSSIP_ORGLEADER": "true",
            "CORE_VM_ENDPOINT": f"unix://{self.folder}/no.docker",
            "CORE_PEER_TLS_ENABLED": str(self.mutual_tls).lower(),
        }
        if self.mutual_tls:
            settings |= {
                "CORE_PEER_TLS_CERT_FILE": str(node / "tls" / "server.crt"),
                "CORE_PEER_TLS_KEY_FILE": str(node / "tls" / "server.key"),
                "CORE_PEER_TLS_ROOTCERT_FILE": str(node / "tls" / "ca.crt"),
                "CORE_PEER_TLS_CLIENTAUTHREQUIRED": "true",
                "CORE_PEER_TLS_CLIENTROOTCAS_FILES": str(node / "tls" / "ca.crt"),
            }
        return settings


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
