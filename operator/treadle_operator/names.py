"""Names of the objects that the operator makes. Pure.

The name of a Peer has at most 40 characters (the CRD says so), so every name below fits into a
DNS label and into a label value.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

_LONGEST_RUNTIME: Final = 52
_LONGEST_SLUG: Final = 30
CLAIM_TEMPLATE: Final = "ledger"


def slug(text: str) -> str:
    """*text* as part of a DNS label: lower-case letters, digits and single dashes; may be empty."""
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_SLUG].strip("-")


def _digest(*parts: str, length: int) -> str:
    # NUL is in no name, so different parts never give the same text.
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:length]


def runtime_name(peer: str, ccid: str) -> str:
    """``<peer>-<slug>-<hash>``, at most 52 characters: objects of one runtime."""
    tail = _digest(peer, ccid, length=10)
    room = _LONGEST_RUNTIME - len(peer) - len(tail) - 2
    middle = slug(ccid)[: max(room, 0)].strip("-")
    return "-".join(part for part in (peer, middle, tail) if part)


def build_name(peer: str, ccid: str) -> str:
    """The objects of one runtime's builder."""
    return f"{runtime_name(peer, ccid)}-build"


def fetch_name(package: str) -> str:
    """``fetch-<slug>-<hash>``: the Job that gets the sources of a ChaincodePackage."""
    return "-".join(part for part in ("fetch", slug(package), _digest(package, length=10)) if part)


def organization_name(msp_id: str) -> str:
    """``org-<slug>-<hash>``: the generated organisation of an MSP ID, one per namespace."""
    parts = ("org", slug(msp_id), _digest(msp_id, length=8))
    return "-".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerNames:
    """Names of everything that belongs to one Peer.

    ``authority_secret`` and ``admin_secret`` belong to the generated organisation, which all
    Peers of one MSP ID share; ``claim`` is the volume claim that the StatefulSet makes. The
    operator's port has an authority of its own (``operator_authority``), from which come the peer's
    certificate there (``runtime_secret``) and the operator's (``operator_secret``).
    """

    statefulset: str
    service: str
    internal: str
    external: str
    service_account: str
    network_policy: str
    config_map: str
    claim: str
    pod: str
    msp_secret: str
    tls_secret: str
    authority_secret: str
    admin_secret: str
    runtime_secret: str
    operator_secret: str
    operator_authority: str


def peer_names(peer: str, msp_id: str) -> PeerNames:
    """The names for the Peer *peer* of the organisation *msp_id*."""
    organization = organization_name(msp_id)
    return PeerNames(
        statefulset=peer,
        service=peer,
        internal=f"{peer}-internal",
        external=f"{peer}-external",
        service_account=peer,
        network_policy=peer,
        config_map=f"{peer}-config",
        claim=f"{CLAIM_TEMPLATE}-{peer}-0",
        pod=f"{peer}-0",
        msp_secret=f"{peer}-msp",
        tls_secret=f"{peer}-tls",
        authority_secret=f"{organization}-authority",
        admin_secret=f"{organization}-admin",
        runtime_secret=f"{peer}-runtime",
        operator_secret=f"{peer}-operator",
        operator_authority=f"{peer}-operator-authority",
    )
