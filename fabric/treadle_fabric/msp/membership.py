"""One MSP: which certificates are its identities and which principals they satisfy.

Immutable after ``from_config``; safe for use from several threads. Rules and texts:
fabric-wire.md 6.1 and 6.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from cryptography import x509
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from google.protobuf.message import DecodeError

from treadle_fabric.identity.certificates import (
    CertificateError,
    certificate_der,
    load_certificate,
)
from treadle_fabric.msp.authorities import (
    Authorities,
    build_authorities,
    chain_identifier,
    check_key_type,
    check_tls_authorities,
    load_certificates,
)
from treadle_fabric.msp.caches import LRUCache
from treadle_fabric.msp.chains import Chain
from treadle_fabric.msp.errors import MSPError
from treadle_fabric.msp.identities import Identity, make_identity
from treadle_fabric.msp.principals import Matcher, flatten
from treadle_fabric.msp.units import MSPVersion, Unit, UnitRules, build_unit_rules

_FABRIC_TYPE: Final = 0
_CACHE_SIZE: Final = 1024
_CACHED_LENGTH: Final = 16 * 1024
# What a cache remembers of a success; a failure is remembered by its text.
_PASSED: Final = ""


class MSP:
    """A membership service provider built from an MSPConfig."""

    def __init__(self, config: FabricMSPConfig, *, version: MSPVersion) -> None:
        self.msp_id: Final = config.name
        self.version: Final = version
        self.tls_root_certs: Final = tuple(config.tls_root_certs)
        self.tls_intermediate_certs: Final = tuple(config.tls_intermediate_certs)
        self._authorities: Final[Authorities] = build_authorities(config)
        check_tls_authorities(config)
        self._units: Final[UnitRules] = build_unit_rules(
            config, version=version, certifier=self._authorities.certifiers_identifier
        )
        self._validations: Final = LRUCache[str, str](_CACHE_SIZE)
        self._matches: Final = LRUCache[tuple[str, int, bytes], str](_CACHE_SIZE)
        admins = [self._identify(each) for each in load_certificates(config.admins)]
        self._matcher: Final = Matcher(
            msp_id=self.msp_id,
            version=version,
            admins=frozenset(certificate_der(admin.certificate) for admin in admins),
            units=self._units,
            deserialize=self.deserialize,
            validate=self.validate,
            units_of=self._units_of,
        )
        self._check_admins(admins)

    @classmethod
    def from_config(cls, config: MSPConfig, *, version: MSPVersion) -> MSP:
        """Build and check an MSP; raises MSPError, also for Idemix configurations."""
        if config.type != _FABRIC_TYPE:
            raise MSPError(f"MSP type {config.type} is not supported: only X.509 MSPs (type 0) are")
        try:
            return cls(FabricMSPConfig.FromString(config.config), version=version)
        except DecodeError as error:
            raise MSPError(f"failed unmarshalling fabric msp config: {error}") from None

    def deserialize(self, serialized: bytes) -> Identity:
        """The identity of SerializedIdentity bytes, not validated.

        An ECDSA-signed certificate is sanitised, for which one of this MSP's authorities must
        have signed it. Raises MSPError.
        """
        identity = parse_serialized(serialized)
        if identity.mspid != self.msp_id:
            raise MSPError(f"expected MSP ID {self.msp_id}, received {identity.mspid}")
        return self.deserialize_certificate(identity.id_bytes)

    def deserialize_certificate(self, pem: bytes) -> Identity:
        """As ``deserialize``, from the PEM inside a SerializedIdentity."""
        try:
            return self._identify(load_certificate(pem))
        except CertificateError as error:
            raise MSPError(str(error)) from None

    def validate(self, identity: Identity) -> None:
        """Check chain, revocation and OUs; raises MSPError. Results are remembered (bounded)."""
        refusal = self._validations.get(identity.unique_id)
        if refusal is None:
            refusal = _refusal(lambda: self._validate(identity))
            self._validations.put(identity.unique_id, refusal)
        if refusal:
            raise MSPError(refusal)

    def satisfies(self, identity: Identity, principal: MSPPrincipal) -> None:
        """Check that the identity is what the principal asks for; raises MSPError."""
        for each in flatten(principal, version=self.version):
            self._match(identity, each)

    def _match(self, identity: Identity, principal: MSPPrincipal) -> None:
        key = (
            identity.unique_id,
            int(principal.principal_classification),
            principal.principal,
        )
        refusal = self._matches.get(key)
        if refusal is None:
            refusal = _refusal(lambda: self._matcher.match(identity, principal))
            if len(principal.principal) <= _CACHED_LENGTH:
                self._matches.put(key, refusal)
        if refusal:
            raise MSPError(refusal)

    def _identify(self, certificate: x509.Certificate) -> Identity:
        check_key_type(certificate)
        clean = self._authorities.sanitise(certificate)
        return make_identity(msp_id=self.msp_id, certificate=clean)

    def _chain(self, identity: Identity) -> Chain:
        try:
            return self._authorities.identity_chain(identity.certificate)
        except MSPError as error:
            raise error.within("could not obtain certification chain") from None

    def _validate(self, identity: Identity) -> None:
        chain = self._chain(identity)
        try:
            self._authorities.check_not_revoked(identity.certificate, chain)
        except MSPError as error:
            raise error.within("could not validate identity against certification chain") from None
        try:
            self._units.check(_units(identity, chain))
        except MSPError as error:
            raise error.within("could not validate identity's OUs") from None

    def _units_of(self, identity: Identity) -> tuple[Unit, ...]:
        return _units(identity, self._chain(identity))

    def _check_admins(self, admins: Sequence[Identity]) -> None:
        nodes, newest = self._units.nodes, self.version is MSPVersion.V1_4_3
        by_unit = nodes.enforced and MSPRole.ADMIN in nodes.by_role
        if newest and not admins and not by_unit:
            raise MSPError("administrators must be declared when no admin ou classification is set")
        for number, admin in enumerate(admins):
            try:
                self._check_admin(admin)
            except MSPError as error:
                raise error.within(f"admin {number} is invalid") from None

    def _check_admin(self, admin: Identity) -> None:
        if not self._units.nodes.enforced:
            self.validate(admin)
        elif self.version is MSPVersion.V1_4_3:
            self._check_client_or_admin(admin.organizational_units)
        else:
            role = MSPRole(msp_identifier=self.msp_id, role=MSPRole.CLIENT)
            self.satisfies(admin, MSPPrincipal(principal=role.SerializeToString()))

    def _check_client_or_admin(self, units: Sequence[str]) -> None:
        try:
            self._units.check_role(units, MSPRole.CLIENT)
        except MSPError as not_client:
            try:
                self._units.check_role(units, MSPRole.ADMIN)
            except MSPError as not_admin:
                raise MSPError(f"[{not_client},{not_admin}]") from None


def parse_serialized(serialized: bytes) -> SerializedIdentity:
    """SerializedIdentity message of its bytes; raises MSPError."""
    try:
        return SerializedIdentity.FromString(serialized)
    except DecodeError as error:
        raise MSPError(f"could not deserialize a SerializedIdentity: {error}") from None


def _units(identity: Identity, chain: Chain) -> tuple[Unit, ...]:
    certifier = chain_identifier(chain[1:])
    return tuple(Unit(name=name, certifier=certifier) for name in identity.organizational_units)


def _refusal(check: Callable[[], None]) -> str:
    try:
        check()
    except MSPError as error:
        return str(error)
    return _PASSED
