"""Certificate chains as Fabric builds them (fabric-wire.md 6.1; rules of Go's ``x509.Verify``).

Time is the leaf's first second, so an MSP ignores expiry; exactly one chain must exist. Pure:
certificates and pools in, a chain or an MSPError out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from treadle_fabric.identity.numbers import decimal
from treadle_fabric.msp.constraints import check_name_constraints, has_unhandled_constraints
from treadle_fabric.msp.errors import MSPError

Chain = tuple[x509.Certificate, ...]

_MAX_SIGNATURE_CHECKS: Final = 100
_HANDLED_EXTENSIONS: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)
# Go's default when no usage is asked for; a certificate without the extension allows all.
_ACCEPTED_USAGES: Final = frozenset(
    {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
)


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """Where chains may end (roots) and what they may pass through."""

    roots: Chain
    intermediates: Chain = ()


def unique_chain(certificate: x509.Certificate, anchors: TrustAnchors) -> Chain:
    """The one chain from ``certificate`` to a root, both included; a root alone is its own chain.

    Raises MSPError ``the supplied identity is not valid: ...`` when there is none, and another
    when there are several, because then it is unclear who vouches for the certificate.
    """
    try:
        chains = _valid_chains(certificate, anchors)
    except MSPError as error:
        raise error.within("the supplied identity is not valid") from None
    if len(chains) != 1:
        raise MSPError(f"this MSP only supports a single validation chain, got {len(chains)}")
    return chains[0]


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether basic constraints say CA."""
    constraints = _basic_constraints(certificate)
    return constraints is not None and constraints.ca


def check_signed_by(certificate: x509.Certificate, parent: x509.Certificate) -> None:
    """Check that ``parent`` may sign certificates and signed this one; raises MSPError."""
    constraints = _basic_constraints(parent)
    if (constraints is None and parent.version is x509.Version.v3) or (
        constraints is not None and not constraints.ca
    ):
        raise MSPError(
            "x509: invalid signature: parent certificate cannot sign this kind of certificate"
        )
    usage = _key_usage(parent)
    if usage is not None and not usage.key_cert_sign:
        raise MSPError(
            "x509: invalid signature: parent certificate cannot sign this kind of certificate"
        )
    try:
        if isinstance(certificate.signature_hash_algorithm, MD5 | SHA1):
            raise MSPError("x509: cannot verify signature: insecure algorithm")
        certificate.verify_directly_issued_by(parent)
    except (InvalidSignature, ValueError, TypeError):
        raise MSPError(_signature_failure(parent)) from None
    except UnsupportedAlgorithm:
        raise MSPError("x509: cannot verify signature: algorithm unimplemented") from None


def _signature_failure(parent: x509.Certificate) -> str:
    is_rsa = isinstance(_key(parent), rsa.RSAPublicKey)
    return "crypto/rsa: verification error" if is_rsa else "x509: ECDSA verification failure"


def _key(certificate: x509.Certificate) -> object:
    """The public key, None for one that cannot be read."""
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def subject_key_identifier(certificate: x509.Certificate) -> bytes:
    """The subject key identifier; raises MSPError when the certificate has none."""
    found = _subject_key_id(certificate)
    if found is None:
        raise MSPError("subjectKeyIdentifier not found in certificate")
    return found


def _valid_chains(certificate: x509.Certificate, anchors: TrustAnchors) -> list[Chain]:
    search = _Search(anchors, at=_second_after(certificate.not_valid_before_utc))
    _check_certificate(certificate, below=(), at=search.at)
    if certificate in anchors.roots:
        candidates: list[Chain] = [(certificate,)]
    else:
        candidates = list(search.extend((certificate,)))
        if not candidates:
            raise search.unknown_authority()
    chains = [chain for chain in candidates if _allows_usage(chain)]
    if not chains:
        raise MSPError("x509: certificate specifies an incompatible key usage")
    for chain in chains:
        check_name_constraints(chain)
    return chains


def _second_after(moment: datetime) -> datetime:
    try:
        return moment + timedelta(seconds=1)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)  # after every certificate's end, as in Go


@dataclass(slots=True)
class _Search:
    """One depth-first search for chains; counts signature checks against loops and floods."""

    anchors: TrustAnchors
    at: datetime
    checks: int = 0
    hint: str = field(default="")

    def extend(self, chain: Chain) -> Iterator[Chain]:
        for root in _parents(chain[-1], self.anchors.roots):
            if self._accepts(root, chain, root=True):
                yield (*chain, root)
        for intermediate in _parents(chain[-1], self.anchors.intermediates):
            if self._accepts(intermediate, chain, root=False):
                yield from self.extend((*chain, intermediate))

    def unknown_authority(self) -> MSPError:
        return MSPError(f"x509: certificate signed by unknown authority{self.hint}")

    def _accepts(self, candidate: x509.Certificate, chain: Chain, *, root: bool) -> bool:
        self.checks += 1
        if self.checks > _MAX_SIGNATURE_CHECKS:
            raise MSPError(
                "x509: signature check attempts limit reached while verifying certificate chain"
            )
        if any(_same_holder(candidate, certificate) for certificate in chain):
            return False
        try:
            check_signed_by(chain[-1], candidate)
            if not root and not is_authority(candidate):
                raise MSPError("x509: certificate is not authorized to sign other certificates")
            _check_certificate(candidate, below=chain, at=self.at)
        except MSPError as error:
            self.hint = self.hint or (
                f' (possibly because of "{error}" while trying to verify candidate authority '
                f'certificate "{_display_name(candidate)}")'
            )
            return False
        return True


def _parents(child: x509.Certificate, pool: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    issuer = child.issuer.public_bytes()
    named = [candidate for candidate in pool if candidate.subject.public_bytes() == issuer]
    wanted = _authority_key_id(child)
    # Most plausible first: matching key identifiers, then unknown ones, then different ones.
    return sorted(named, key=lambda candidate: _key_id_distance(candidate, wanted))


def _key_id_distance(candidate: x509.Certificate, wanted: bytes | None) -> int:
    offered = _subject_key_id(candidate)
    if offered == wanted:
        return 0
    return 1 if offered is None or wanted is None else 2


def _check_certificate(certificate: x509.Certificate, *, below: Chain, at: datetime) -> None:
    for extension in certificate.extensions:
        if extension.critical and (
            extension.oid not in _HANDLED_EXTENSIONS or has_unhandled_constraints(extension)
        ):
            raise MSPError("x509: unhandled critical extension")
    expired = "x509: certificate has expired or is not yet valid: current time"
    if at < certificate.not_valid_before_utc:
        raise MSPError(
            f"{expired} {_stamp(at)} is before {_stamp(certificate.not_valid_before_utc)}"
        )
    if at > certificate.not_valid_after_utc:
        raise MSPError(f"{expired} {_stamp(at)} is after {_stamp(certificate.not_valid_after_utc)}")
    constraints = _basic_constraints(certificate)
    limit = constraints.path_length if constraints is not None else None
    if limit is not None and len(below) - 1 > limit:
        raise MSPError("x509: too many intermediates for path length constraint")


def _allows_usage(chain: Chain) -> bool:
    for certificate in chain:
        try:
            usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except x509.ExtensionNotFound:
            continue
        if not _ACCEPTED_USAGES.intersection(usages):
            return False
    return True


def _same_holder(left: x509.Certificate, right: x509.Certificate) -> bool:
    return left.subject == right.subject and _key(left) == _key(right)


def _display_name(certificate: x509.Certificate) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        attributes = certificate.subject.get_attributes_for_oid(oid)
        if attributes:
            return str(attributes[0].value)
    return f"serial:{decimal(certificate.serial_number)}"


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _basic_constraints(certificate: x509.Certificate) -> x509.BasicConstraints | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None


def _key_usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _subject_key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return found.value.digest


def _authority_key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return found.value.key_identifier
