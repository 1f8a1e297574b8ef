"""What a client of a development network gets: files, and lines to paste into a shell."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml
from treadle_fabric.durable import make_folder, settle
from treadle_fabric.identity.files import write_public

from treadle_peer.config import PeerConfig
from treadle_peer.main.folders import DataFolders
from treadle_peer.main.identity import PeerIdentity
from treadle_peer.main.state import Addresses
from treadle_peer.main.tlsfiles import write_client_tls


@dataclass(frozen=True, slots=True)
class ClientFiles:
    """Where a client finds its things; ``msp`` is None with a given identity."""

    core_yaml_folder: Path
    msp: Path
    tls_root: Path
    tls_certificate: Path
    tls_key: Path


def write_client_files(
    config: PeerConfig, *, identity: PeerIdentity, folders: DataFolders, addresses: Addresses
) -> ClientFiles | None:
    """Write the client folder of a generated network; None with a given identity.

    core.yaml there serves Fabric's own CLI, which refuses to start without one. A peer started
    from a shell that has it exported is this very peer again.
    """
    if identity.generated is None:
        return None
    folder = folders.client
    # The admin's MSP never changes; the copy keeps exported paths short and out of `network`.
    if not (folder / "msp" / "signcerts").exists():
        _copy(folders.network / "admin", folder / "msp")
    write_client_tls(identity.generated, folder / "tls")
    write_public(folder / "core.yaml", _core_yaml(config, addresses).encode())
    return ClientFiles(
        core_yaml_folder=folder,
        msp=folder / "msp",
        tls_root=folder / "tls" / "ca.crt",
        tls_certificate=folder / "tls" / "client.crt",
        tls_key=folder / "tls" / "client.key",
    )


def export_lines(config: PeerConfig, files: ClientFiles, addresses: Addresses) -> list[str]:
    """Shell lines after which Fabric's ``peer`` command talks to this peer as its admin."""
    variables = {
        "FABRIC_CFG_PATH": str(files.core_yaml_folder),
        "CORE_PEER_ADDRESS": addresses.peer,
        "CORE_PEER_LOCALMSPID": config.msp_id,
        "CORE_PEER_MSPCONFIGPATH": str(files.msp),
        "CORE_PEER_TLS_ENABLED": str(config.tls.enabled).lower(),
    }
    if config.tls.enabled:
        variables["CORE_PEER_TLS_ROOTCERT_FILE"] = str(files.tls_root)
    if config.tls.enabled and config.tls.client_auth_required:
        variables["CORE_PEER_TLS_CLIENTAUTHREQUIRED"] = "true"
        variables["CORE_PEER_TLS_CLIENTCERT_FILE"] = str(files.tls_certificate)
        variables["CORE_PEER_TLS_CLIENTKEY_FILE"] = str(files.tls_key)
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def orderer_flags(config: PeerConfig, files: ClientFiles, addresses: Addresses) -> str:
    """The flags with which Fabric's ``peer`` command reaches the embedded ordering."""
    flags = ["-o", addresses.ordering]
    if config.ordering.tls_enabled:
        flags += ["--tls", "--cafile", str(files.tls_root)]
        if config.tls.client_auth_required:
            flags += ["--clientauth", "--certfile", str(files.tls_certificate)]
            flags += ["--keyfile", str(files.tls_key)]
    return shlex.join(flags)


def _core_yaml(config: PeerConfig, addresses: Addresses) -> str:
    content = {
        "peer": {
            "id": config.peer_id,
            "address": addresses.peer,
            "listenAddress": config.listen_address,
            "chaincodeListenAddress": config.chaincode_listen_address,
            "localMspId": config.msp_id,
            "fileSystemPath": str(config.data_folder.resolve()),
            "tls": {"enabled": config.tls.enabled},
            # Fabric's command does not start without this.
            "BCCSP": {"Default": "SW", "SW": {"Hash": "SHA2", "Security": 256}},
        },
        "operations": {"listenAddress": config.operations.listen_address},
        "treadle": {
            "channel": config.channel or "",
            "ordering": {"listenAddress": config.ordering.listen_address},
        },
    }
    head = "# Written by the peer at every start, for Fabric's command line.\n"
    return head + yaml.safe_dump(content, sort_keys=False)


def _copy(source: Path, target: Path) -> None:
    make_folder(target.parent)
    draft = target.with_name(f".{target.name}.draft")
    for folder in (draft, target):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, draft)
    settle(draft, target)
