"""Who this peer is: a given MSP folder, or an organisation generated at the first start."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.channelconfig import OrganizationDefinition
from treadle_fabric.durable import make_folder, settle
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.identity.certificates import CertificateError
from treadle_fabric.msp import LocalMSP, MSPError, load_local_msp

from treadle_peer.config import ConfigurationError, PeerConfig
from treadle_peer.main.folders import DataFolders


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """The local MSP; ``generated`` is the organisation when it is our own making."""

    local: LocalMSP
    generated: GeneratedOrganization | None

    def definition(self, name: str) -> OrganizationDefinition:
        """The organisation as channels made by embedded ordering define it."""
        return OrganizationDefinition(name, self.local.config)


def open_identity(config: PeerConfig, folders: DataFolders) -> PeerIdentity:
    """Load the configured identity, or load or make the generated one.

    Raises ConfigurationError for a configured one, MSPError or CertificateError for our own,
    with one line that names the folder.
    """
    if config.msp_folder is not None:
        return PeerIdentity(local=_given(config.msp_folder, config.msp_id), generated=None)
    if folders.network.exists():
        make_folder(folders.network)  # also when a crash came between its making and the sync
    else:
        _generate(config.msp_id, config.peer_id, folders.network)
    organization = GeneratedOrganization.load(folders.network / "organization")
    local = load_local_msp(folders.network / "peer", msp_id=organization.msp_id)
    return PeerIdentity(local=local, generated=organization)


def _given(folder: Path, msp_id: str) -> LocalMSP:
    try:
        return load_local_msp(folder, msp_id=msp_id)
    except (MSPError, CertificateError, OSError) as error:
        remedy = f"it is no local MSP that can be used: {error}"
        raise ConfigurationError("peer.mspConfigPath", str(folder), remedy) from error


def _generate(msp_id: str, peer_id: str, target: Path) -> None:
    """Make a network that is there whole or not at all, also after a crash."""
    draft = target.with_name(f".{target.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    domain = f"{msp_id.removesuffix('MSP').lower() or 'org'}.treadle.internal"
    organization = GeneratedOrganization.generate(msp_id=msp_id, domain=domain)
    organization.save(draft / "organization")
    peer = organization.issue_identity("peer", f"{peer_id}.{domain}"[:64])
    organization.write_msp(draft / "peer", peer)
    admin = organization.issue_identity("admin", f"Admin@{domain}"[:64])
    organization.write_msp(draft / "admin", admin)
    settle(draft, target)
