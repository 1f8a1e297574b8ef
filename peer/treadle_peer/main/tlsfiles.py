"""TLS material of the listeners: from configured files, or issued by the generated organisation."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

from treadle_fabric.identity import GeneratedOrganization, IssuedCertificate
from treadle_fabric.identity.files import write_private, write_public

from treadle_peer.config import (
    ConfigurationError,
    PeerConfig,
    TLSConfig,
    is_unspecified,
    split_address,
)
from treadle_peer.main.folders import DataFolders
from treadle_peer.server.tls import TLSMaterial


def client_material(
    config: PeerConfig, *, generated: GeneratedOrganization | None, folders: DataFolders
) -> TLSMaterial | None:
    """What 7051 (and 7050) present; None when neither has TLS.

    A generated certificate is made anew at every start, so it always names today's addresses.
    """
    if not (config.tls.enabled or config.ordering.tls_enabled):
        return None
    if config.tls.certificate is not None and config.tls.key is not None:
        return material_from_files(config.tls, section="peer.tls")
    if generated is None:
        raise ConfigurationError("peer.tls.cert.file", "", "TLS is enabled; name a PEM file")
    issued = generated.tls_ca.issue(
        common_name=config.peer_id, hosts=server_hosts(config), server=True
    )
    _write(folders.tls, "server", issued, generated.tls_ca.certificate_pem)
    roots = [path.read_bytes() for path in config.tls.client_roots]
    return TLSMaterial(
        certificate=issued.certificate_pem,
        key=issued.key_pem,
        client_roots=b"".join([generated.tls_ca.certificate_pem, *roots]),
        require_client=config.tls.client_auth_required,
    )


def material_from_files(tls: TLSConfig, *, section: str) -> TLSMaterial:
    """Read one listener's files; raises ConfigurationError that names the unreadable one."""
    if tls.certificate is None or tls.key is None:
        raise ConfigurationError(f"{section}.cert.file", "", "TLS is enabled; name a PEM file")
    return TLSMaterial(
        certificate=_read(tls.certificate, f"{section}.cert.file"),
        key=_read(tls.key, f"{section}.key.file"),
        client_roots=b"".join(
            _read(path, f"{section}.clientRootCAs.files")
            for path in tls.client_roots
            if tls.client_auth_required or path.is_file()
        ),
        require_client=tls.client_auth_required,
    )


def write_client_tls(organization: GeneratedOrganization, folder: Path) -> None:
    """The root that clients trust, and a client certificate for mutual TLS, once."""
    write_public(folder / "ca.crt", organization.tls_ca.certificate_pem)
    if not (folder / "client.key").exists():
        issued = organization.tls_ca.issue(common_name="client", client=True)
        _write(folder, "client", issued, organization.tls_ca.certificate_pem)


def server_hosts(config: PeerConfig) -> Sequence[str]:
    """Every name by which a client may dial this peer."""
    given = (config.address, config.listen_address, config.ordering.address or "")
    hosts = [split_address(address)[0] for address in given if address]
    names = [host for host in hosts if not is_unspecified(host)]
    return tuple(dict.fromkeys([*names, "localhost", "127.0.0.1", "::1", socket.gethostname()]))


def _write(folder: Path, name: str, issued: IssuedCertificate, root: bytes) -> None:
    write_private(folder / f"{name}.key", issued.key_pem)
    write_public(folder / f"{name}.crt", issued.certificate_pem)
    write_public(folder / "ca.crt", root)


def _read(path: Path, key: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(key, str(path), f"it cannot be read: {error.strerror}") from error
