"""The three kinds as play understands them. Pure.

Field names and meaning are those of the custom resources.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage

from treadle_cli.play.documents import Document

LANGUAGES = ("golang", "node", "java", "python")
LEGACY_CAPABILITY = "V1_4_2"
CAPABILITIES = (LEGACY_CAPABILITY, "V2_0", "V2_5")
DEFAULT_CHANNEL = "mychannel"


class Mode(Enum):
    """Who owns the chaincode process."""

    PRODUCTION = "Production"
    DEVELOPMENT = "Development"


@dataclass(frozen=True, slots=True)
class ChannelModel:
    """A channel of the peer; ``capability`` is its Application capability."""

    name: str = DEFAULT_CHANNEL
    capability: str = LEGACY_CAPABILITY


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerModel:
    """A Peer; timeouts are in seconds, None means the peer's own default."""

    name: str = "peer0"
    msp_id: str = "Org1MSP"
    mode: Mode = Mode.PRODUCTION
    tls: bool = False
    channels: tuple[ChannelModel, ...] = (ChannelModel(),)
    execute_timeout: float | None = None
    startup_timeout: float | None = None
    build_timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceModel:
    """Where the code is: exactly one of the three is set.

    ``files`` maps file names to contents, ``archive`` is a path or file URL to a folder or a
    tar.gz of sources, ``sha256`` the archive's expected hash (hex) or empty.
    """

    files: Mapping[str, str] | None = None
    config_map: str = ""
    archive: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageModel:
    """A ChaincodePackage: ``resource`` is its metadata.name, ``name`` the chaincode's."""

    resource: str
    name: str
    version: str
    language: str
    source: SourceModel
    peers: tuple[str, ...]
    document: Document

    @property
    def ccid(self) -> str:
        """``name:version``."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantiationModel:
    """A ChaincodeInstantiation; ``mode`` None means the peer's, ``policy`` None any member."""

    resource: str
    package: str
    channel: str
    mode: Mode | None
    args: tuple[str, ...]
    policy: SignaturePolicyEnvelope | None
    collections: CollectionConfigPackage | None
    document: Document
