"""A generated organisation with one member, made once and kept in a folder.

The ordering has its own (never the peer's): whoever may order is not who may endorse.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from fabric_protos.common.common_pb2 import Block
from fabric_protos.msp.msp_config_pb2 import MSPConfig
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.durable import make_folder, settle
from treadle_fabric.identity import GeneratedOrganization, Signer
from treadle_fabric.msp import MSPError, load_local_msp


@dataclass(frozen=True, slots=True)
class OrderingIdentity:
    """Who signs blocks, and the MSP that vouches for it in channel configurations."""

    organization: GeneratedOrganization
    signer: Signer

    @property
    def msp_id(self) -> str:
        """The ordering organisation's MSP ID."""
        return self.organization.msp_id

    @property
    def msp_config(self) -> MSPConfig:
        """The verifying MSP for channel configurations."""
        return self.organization.msp_config()

    def orders(self, genesis: Block) -> bool:
        """Whether the channel that *genesis* begins is ordered by us: an orderer's MSP knows us.

        Block 0 itself is not signed. Raises ConfigError when it is no configuration.
        """
        bundle = Bundle.from_block(genesis)
        if self.msp_id not in {org.msp_id for org in bundle.orderer.orgs}:
            return False
        try:
            bundle.msps.deserialize(self.signer.serialize())  # another authority's are refused
        except MSPError:
            return False
        return True


def open_ordering_identity(
    folder: Path, *, msp_id: str = "OrdererMSP", domain: str = "orderer.treadle.internal"
) -> OrderingIdentity:
    """Read the identity in *folder*, making it at first.

    The folder appears whole or not at all, so a crash in between starts over. Raises
    CertificateError or MSPError for a damaged one.
    """
    make_folder(folder.parent)
    if folder.exists():
        make_folder(folder)  # also when a crash came between its making and the sync
    else:
        draft = folder.with_name(f".{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        organization = GeneratedOrganization.generate(msp_id=msp_id, domain=domain)
        organization.save(draft / "organization")
        orderer = organization.issue_identity("orderer", f"orderer0.{domain}")
        organization.write_msp(draft / "msp", orderer)
        settle(draft, folder)
    return load_ordering_identity(folder)


def load_ordering_identity(folder: Path) -> OrderingIdentity:
    """Read the identity in *folder*; raises OSError, CertificateError or MSPError."""
    organization = GeneratedOrganization.load(folder / "organization")
    member = load_local_msp(folder / "msp", msp_id=organization.msp_id)
    return OrderingIdentity(organization=organization, signer=member.signer)
