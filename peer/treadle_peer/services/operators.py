"""Who calls the operator's port."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from treadle_peer.services.refusals import CallRefused, Refusal

OPERATOR_UNIT: Final = "treadle-operator"
"""The organisational unit that a certificate of the operator carries."""


def check_operator(certificate_pem: bytes | None) -> str:
    """The operator's name, from its verified client certificate; raises CallRefused."""
    units: list[str | bytes] = []
    names: list[str] = []
    if certificate_pem is not None:
        subject = x509.load_pem_x509_certificate(certificate_pem).subject
        units = [
            one.value for one in subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        ]
        names = [str(one.value) for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if OPERATOR_UNIT not in units:
        raise CallRefused(
            Refusal.PERMISSION_DENIED,
            f"this port is the operator's: the client certificate needs OU={OPERATOR_UNIT}",
        )
    return ",".join(names)
