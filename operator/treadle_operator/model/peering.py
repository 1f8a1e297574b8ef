"""What a peer and the operator tell each other of runtimes, and of definitions. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from treadle_operator.model.package import Prebuilt


class Origin(StrEnum):
    """Why there must be a runtime."""

    OPERATOR = "Operator"
    CLIENT = "Client"
    COMMITTED = "Committed"


class State(StrEnum):
    """How far a runtime is."""

    REQUIRED = "Required"
    BUILDING = "Building"
    STARTING = "Starting"
    REGISTERED = "Registered"
    FAILED = "Failed"
    STOPPED = "Stopped"


class Phase(StrEnum):
    """What the operator reports of a runtime."""

    BUILDING = "Building"
    PULLING = "Pulling"
    STARTING = "Starting"
    FAILED = "Failed"


class Purpose(StrEnum):
    """What a certificate is for."""

    RUNTIME = "Runtime"
    BUILDER = "Builder"
    DEVELOPMENT = "Development"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """One chaincode that a peer wants processes for.

    ``since`` is when its state began. ``prebuilt`` is what its package only names; nothing is built
    then. ``output_sha256`` is empty until a build has stored its
    output at the peer; ``attempt`` counts how often it was wanted anew: a higher one asks to try
    again what has failed. ``execute_timeout`` is how long a transaction may take; None: as long as
    the peer lets any.
    """

    ccid: str
    name: str
    version: str
    language: str
    package_sha256: str
    origin: Origin
    state: State
    message: str
    instances: int
    output_sha256: str
    attempt: int
    since: datetime
    execute_timeout: timedelta | None = None
    prebuilt: Prebuilt | None = None

    @property
    def is_built(self) -> bool:
        """Whether it only has to be started."""
        return bool(self.output_sha256) or self.prebuilt is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Registrations that a peer has refused for one reason: how many ``since`` when, and the
    last one's name, address and sentence. A stranger chose the name.
    """

    count: int
    since: datetime
    ccid: str
    remote: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A client certificate for a runtime or its builder, and what its holder has to know.

    The first three are PEM; ``fingerprint`` is the lower-case hex SHA-256 of the DER form;
    ``peer_address`` is host:port.
    """

    certificate: bytes
    private_key: bytes
    authority: bytes
    fingerprint: str
    not_after: datetime
    peer_address: str
    msp_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A committed definition under the legacy lifecycle.

    ``policy`` is the marshalled SignaturePolicyEnvelope, ``collections`` the marshalled
    CollectionConfigPackage, empty without any.
    """

    name: str
    version: str
    policy: bytes
    collections: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What instantiate and upgrade say. ``policy`` empty: any member of the channel endorses."""

    name: str
    version: str
    language: str
    args: tuple[bytes, ...]
    policy: bytes
    collections: bytes
