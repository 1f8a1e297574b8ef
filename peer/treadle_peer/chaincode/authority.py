"""The certificate authority of the chaincode port: who may speak on 7052 (fabric-wire.md §2.5).

Kept in a folder, so that a restarted peer is still the peer that development processes trust.
Certificates of launches are not kept: their processes end with the peer, and what is not
registered here is refused. What an operator runs outlives the peer, and so do its certificates.
Unlike Fabric's, a registration does not lapse after ten minutes but with the launch, so slow
starts and reconnects work (trap 70).
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from treadle_fabric.identity import CertificateAuthority, IssuedCertificate
from treadle_fabric.identity.files import write_private, write_public

from treadle_peer.chaincode.certificates import LastingCertificate, LastingCertificates, Purpose

LAUNCH_LIFETIME: Final = timedelta(days=90)
DEVELOPMENT_LIFETIME: Final = timedelta(days=30)
LONGEST_LIFETIMES: Final = {
    Purpose.RUNTIME: LAUNCH_LIFETIME,
    Purpose.BUILDER: timedelta(days=1),
    Purpose.DEVELOPMENT: timedelta(days=1),
}
MOST_CERTIFICATES: Final = 64
"""That count at a time for one purpose of one ccid: pods, their surge, and a few retries."""
MOST_OF_HOLDER: Final = 4
"""That count at a time for one holder: two overlap, and a few tries. Older ones end."""
_ORGANIZATION: Final = "Treadle chaincode"
_REMEMBERED_RETIREMENTS: Final = 10_000
_LONGEST_NAME: Final = 64  # X.520: no name in a certificate is longer

CA_FILE: Final = "ca.pem"
KEY_FILE: Final = "ca.key"
ISSUED_FILE: Final = "issued.json"


class TooManyCertificates(Exception):
    """No more are issued for this purpose of this ccid; the text says what to do."""


class Standing(Enum):
    """What a client certificate is worth at this moment."""

    UNKNOWN = "unknown"
    ACTIVE = "active"
    RETIRED = "retired"
    DEVELOPMENT = "development"
    BUILDER = "builder"


_STANDINGS: Final = {
    Purpose.RUNTIME: Standing.ACTIVE,
    Purpose.BUILDER: Standing.BUILDER,
    Purpose.DEVELOPMENT: Standing.DEVELOPMENT,
}


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the files lie that a shim's environment names (fabric-wire.md §2.6).

    ``*_base64`` hold base64 of the PEM (trap 69), ``*_pem`` the PEM itself.
    """

    key_base64: Path
    certificate_base64: Path
    key_pem: Path
    certificate_pem: Path
    root: Path


@dataclass(frozen=True, slots=True)
class DevelopmentCertificate:
    """What a developer's process presents; renewed once half of its life has passed."""

    fingerprint: str
    files: CertificateFiles


@dataclass(slots=True)
class ChaincodeAuthority:
    """Issues certificates and knows which of them count. Use from one thread."""

    _ca: CertificateAuthority
    _folder: Path
    _lasting: LastingCertificates
    _owners: dict[str, str] = field(default_factory=dict)
    _retired: deque[str] = field(default_factory=lambda: deque(maxlen=_REMEMBERED_RETIREMENTS))
    _development: DevelopmentCertificate | None = None

    @classmethod
    def open(cls, folder: Path) -> ChaincodeAuthority:
        """Load the authority of *folder*, or make one there at the first start."""
        certificate, key = folder / CA_FILE, folder / KEY_FILE
        if certificate.exists():
            ca = CertificateAuthority.from_pem(certificate.read_bytes(), key.read_bytes())
        else:
            ca = CertificateAuthority.create(
                common_name="chaincode authority", organization=_ORGANIZATION
            )
            # The certificate last: a crash in between leaves a folder that is made anew.
            write_private(key, ca.key_pem)
            write_public(certificate, ca.certificate_pem)
        authority = cls(ca, folder, LastingCertificates(folder / ISSUED_FILE))
        authority._development = authority._kept_development()
        return authority

    @property
    def certificate_pem(self) -> bytes:
        """The root that both ends of 7052 trust."""
        return self._ca.certificate_pem

    def server_certificate(self, hosts: Sequence[str]) -> IssuedCertificate:
        """A fresh certificate for 7052; *hosts* are the names and addresses it is dialled by."""
        return self._ca.issue(common_name=hosts[0], hosts=hosts, server=True)

    def issue(self, ccid: str) -> IssuedCertificate:
        """The client certificate of one launch of *ccid*, registered until ``retire``."""
        issued = self._ca.issue(
            common_name="chaincode",
            organizational_units=(ccid[:_LONGEST_NAME],),
            client=True,
            lifetime=LAUNCH_LIFETIME,
        )
        self._owners[issued.fingerprint] = ccid
        return issued

    def issue_lasting(
        self, ccid: str, purpose: Purpose, lifetime: timedelta | None = None, *, holder: str = ""
    ) -> tuple[IssuedCertificate, datetime]:
        """A client certificate that counts until ``retire`` or its end, which is told, too.

        It counts over restarts of the peer. Earlier ones of a *holder* give way to it in the end;
        without one, raises TooManyCertificates.
        """
        present = self._lasting.counting(ccid, purpose)
        mine = [one.fingerprint for one in present if one.holder == holder]
        if not holder and len(mine) >= MOST_CERTIFICATES:
            raise TooManyCertificates(
                f"{MOST_CERTIFICATES} {purpose.value} certificates of {ccid} count already; "
                "retire those that nobody holds any more"
            )
        longest = LONGEST_LIFETIMES[purpose]
        issued = self._ca.issue(
            common_name=purpose.value,
            organizational_units=(ccid[:_LONGEST_NAME],),
            client=True,
            lifetime=min(lifetime or longest, longest),
        )
        end = x509.load_pem_x509_certificate(issued.certificate_pem).not_valid_after_utc
        self._lasting.add(
            LastingCertificate(
                fingerprint=issued.fingerprint,
                ccid=ccid,
                purpose=purpose,
                not_after=end,
                holder=holder,
            )
        )
        if holder:
            self._lasting.retire(mine[: 1 - MOST_OF_HOLDER])
        return issued, end

    def lasting(self, fingerprint: str) -> LastingCertificate | None:
        """What is known of a certificate of ``issue_lasting``, also when it was retired."""
        return self._lasting.get(fingerprint)

    def retire(self, fingerprint: str) -> None:
        """From now on this certificate is refused. Idempotent."""
        if self._owners.pop(fingerprint, None) is not None:
            self._retired.append(fingerprint)
        self._lasting.retire([fingerprint])

    def retire_all(self, ccid: str, purpose: Purpose) -> None:
        """Retire every lasting certificate that *ccid* has for *purpose*."""
        self._lasting.retire([one.fingerprint for one in self._lasting.counting(ccid, purpose)])

    def retire_unless(self, kept: Callable[[LastingCertificate], bool], purpose: Purpose) -> None:
        """Retire every lasting certificate for *purpose* that is not *kept*."""
        others = [one for one in self._lasting.all(purpose) if not kept(one)]
        self._lasting.retire([one.fingerprint for one in others])

    def owner(self, fingerprint: str) -> str | None:
        """The ccid whose processes may present this certificate now."""
        lasting = self._lasting.get(fingerprint)
        if lasting is not None:
            counts = lasting.purpose is Purpose.RUNTIME and not lasting.retired
            return lasting.ccid if counts else None
        return self._owners.get(fingerprint)

    def standing(self, fingerprint: str) -> Standing:
        """What the certificate with this hex SHA-256 of its DER is worth now."""
        lasting = self._lasting.get(fingerprint)
        if lasting is not None and not lasting.retired:
            return _STANDINGS[lasting.purpose]
        if lasting is not None:
            return Standing.RETIRED
        if fingerprint in self._owners:
            return Standing.ACTIVE
        if self._development is not None and self._development.fingerprint == fingerprint:
            return Standing.DEVELOPMENT
        return Standing.RETIRED if fingerprint in self._retired else Standing.UNKNOWN

    def development_certificate(self) -> DevelopmentCertificate:
        """The certificate of developers' processes, made or renewed when it is due.

        A renewed one replaces the old one at once; streams that are open stay open.
        """
        if self._development is None or self._is_due(self._development):
            self._development = self._new_development()
        return self._development

    def write_files(self, folder: Path, issued: IssuedCertificate) -> CertificateFiles:
        """Write what a shim needs to present *issued*: keys for the owner only."""
        files = _files(folder)
        write_private(files.key_base64, base64.b64encode(issued.key_pem))
        write_private(files.key_pem, issued.key_pem)
        write_public(files.certificate_base64, base64.b64encode(issued.certificate_pem))
        write_public(files.certificate_pem, issued.certificate_pem)
        write_public(files.root, self.certificate_pem)
        return files

    @property
    def _development_folder(self) -> Path:
        return self._folder / "development"

    def _new_development(self) -> DevelopmentCertificate:
        issued = self._ca.issue(
            common_name="development", client=True, lifetime=DEVELOPMENT_LIFETIME
        )
        files = self.write_files(self._development_folder, issued)
        return DevelopmentCertificate(issued.fingerprint, files)

    def _kept_development(self) -> DevelopmentCertificate | None:
        files = _files(self._development_folder)
        if not all(path.exists() for path in (files.key_pem, files.certificate_pem)):
            return None
        certificate = x509.load_pem_x509_certificate(files.certificate_pem.read_bytes())
        return DevelopmentCertificate(certificate.fingerprint(SHA256()).hex(), files)

    def _is_due(self, development: DevelopmentCertificate) -> bool:
        content = development.files.certificate_pem.read_bytes()
        end = x509.load_pem_x509_certificate(content).not_valid_after_utc
        return end - datetime.now(UTC) < DEVELOPMENT_LIFETIME / 2


def _files(folder: Path) -> CertificateFiles:
    return CertificateFiles(
        key_base64=folder / "client.key",
        certificate_base64=folder / "client.crt",
        key_pem=folder / "client_pem.key",
        certificate_pem=folder / "client_pem.crt",
        root=folder / "peer.crt",
    )
