"""Certificates of chaincode pods in Secrets, and what their annotations remember. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treadle_operator.model import GROUP, Manifest, mapping_at, text_at
from treadle_operator.model.peering import Certificate
from treadle_operator.resources.runtime_parts import RuntimeOf, runtime_metadata
from treadle_operator.resources.secrets import secret_data, secret_manifest

CERTIFICATE: Final = f"{GROUP}/certificate"
"""Annotation: fingerprint of the certificate; of a pod: which one it was started with."""
RENEW_AT: Final = f"{GROUP}/renew-at"
"""Annotation: when the certificate is to be replaced."""
RETIRING: Final = f"{GROUP}/retiring"
"""Annotation: fingerprints of replaced certificates that pods may still use."""
TRIED: Final = f"{GROUP}/tried"
"""Annotation of a builder's Secret: for which build it was issued."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a stored Secret says of its certificate; empty texts where it says nothing."""

    fingerprint: str
    retiring: tuple[str, ...]
    tried: str
    renew_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time for another one."""
        return self.renew_at is None or now >= self.renew_at


def held(secret: Manifest | None) -> Held:
    """Read it; None and foreign texts hold nothing."""
    annotations = mapping_at(secret, "metadata", "annotations")
    at = text_at(annotations, RENEW_AT)
    try:
        renew_at = datetime.fromisoformat(at) if at else None
    except ValueError:
        renew_at = None
    if renew_at is not None and renew_at.tzinfo is None:
        renew_at = None
    return Held(
        fingerprint=text_at(annotations, CERTIFICATE),
        retiring=tuple(text_at(annotations, RETIRING).split()),
        tried=text_at(annotations, TRIED),
        renew_at=renew_at,
    )


def runtime_secret(
    runtime: RuntimeOf,
    *,
    name: str,
    component: str,
    certificate: Certificate,
    now: datetime,
    retiring: Sequence[str] = (),
    tried: str = "",
) -> Manifest:
    """The Secret for a certificate that was issued *now*; it is renewed at two thirds."""
    renew_at = now + (certificate.not_after - now) * 2 / 3
    annotations = {
        CERTIFICATE: certificate.fingerprint,
        RENEW_AT: renew_at.replace(microsecond=0).isoformat(),
        **({RETIRING: " ".join(retiring)} if retiring else {}),
        **({TRIED: tried} if tried else {}),
    }
    metadata = runtime_metadata(runtime, name=name, component=component, annotations=annotations)
    return secret_manifest(metadata, _data(certificate))


def kept_secret(
    runtime: RuntimeOf, live: Manifest, *, component: str, retiring: Sequence[str]
) -> Manifest:
    """The stored Secret with its certificate, as it is wanted today."""
    before = mapping_at(live, "metadata", "annotations")
    kept = {name: text_at(before, name) for name in (CERTIFICATE, RENEW_AT, TRIED)}
    annotations = {name: value for name, value in kept.items() if value}
    if retiring:
        annotations[RETIRING] = " ".join(retiring)
    name = text_at(live, "metadata", "name")
    metadata = runtime_metadata(runtime, name=name, component=component, annotations=annotations)
    return secret_manifest(metadata, secret_data(live))


def _data(certificate: Certificate) -> Mapping[str, bytes]:
    """With the spellings that shims read: some want PEM, some want base64 of PEM."""
    return {
        "client.crt": certificate.certificate,
        "client.key": certificate.private_key,
        "ca.crt": certificate.authority,
        "client.crt.b64": base64.b64encode(certificate.certificate),
        "client.key.b64": base64.b64encode(certificate.private_key),
    }
