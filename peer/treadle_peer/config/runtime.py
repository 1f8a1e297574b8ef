"""Settings of the launcher ``operator`` and of the port where an operator connects."""

from __future__ import annotations

from pathlib import Path

from treadle_peer.config.endpoint import is_unspecified, split_address
from treadle_peer.config.errors import ConfigurationError
from treadle_peer.config.model import ChaincodeConfig, LauncherKind, RuntimeConfig, TLSConfig
from treadle_peer.config.settings import Settings

_LISTEN = "treadle.runtime.listenAddress"
_LAUNCHER = "treadle.chaincode.launcher"
_DEFAULT_OUTPUT_BYTES = 1 << 30


def launcher_kind(settings: Settings) -> LauncherKind:
    """Who starts production chaincode."""
    return LauncherKind(settings.choice(_LAUNCHER, "process", ("process", "docker", "operator")))


def launched_address(settings: Settings) -> str | None:
    """What launched chaincode is told to dial; None: where it is listened."""
    key = "treadle.chaincode.launchedAddress"
    if not settings.given(key):
        return None
    address = settings.address(key, "")
    if is_unspecified(split_address(address)[0]):
        raise settings.wrong(key, "name the host by which chaincodes reach this peer")
    return address


def load_runtime(settings: Settings, chaincode: ChaincodeConfig) -> RuntimeConfig:
    """The operator's port; raises ConfigurationError when it does not fit the launcher."""
    listen = settings.address(_LISTEN, "") if settings.text(_LISTEN, "") else None
    if chaincode.launcher is not LauncherKind.OPERATOR:
        if listen is not None:
            remedy = f"it is for operators; write operator in {_LAUNCHER}, or take this out"
            raise settings.wrong(_LISTEN, remedy)
        return RuntimeConfig()
    _check_operator(settings, chaincode, listen)
    return RuntimeConfig(
        listen_address=listen,
        tls=_tls(settings),
        most_output_bytes=settings.number(
            "treadle.runtime.maxOutputBytes", _DEFAULT_OUTPUT_BYTES, minimum=1
        ),
    )


def _check_operator(settings: Settings, chaincode: ChaincodeConfig, listen: str | None) -> None:
    if listen is None:
        remedy = "an operator needs it; name an address, for example 0.0.0.0:7055"
        raise ConfigurationError(_LISTEN, "", remedy)
    if not chaincode.tls:
        raise settings.wrong("treadle.chaincode.tls", "what an operator starts needs TLS")
    host = split_address(chaincode.launched_listen_address)[0]
    if is_unspecified(host) and chaincode.launched_address is None:
        remedy = "name the host and port by which chaincodes reach this peer"
        raise ConfigurationError("treadle.chaincode.launchedAddress", "", remedy)


def _tls(settings: Settings) -> TLSConfig:
    """Given files, all three; without any the peer makes an authority of its own."""
    section = "treadle.runtime.tls"
    certificate = settings.path(f"{section}.cert.file")
    key = settings.path(f"{section}.key.file")
    roots = settings.paths(f"{section}.clientRootCAs.files")
    if certificate is None and key is None and not roots:
        return TLSConfig()
    files: list[tuple[str, Path | None]] = [("cert.file", certificate), ("key.file", key)]
    files += [("clientRootCAs.files", root) for root in roots or (None,)]
    for name, file in files:
        if file is None or not file.is_file():
            known = settings.source.names.get(f"{section}.{name}".lower(), f"{section}.{name}")
            remedy = "give all three files, or none" if file is None else "there is no such file"
            raise ConfigurationError(known, str(file or ""), remedy)
    return TLSConfig(
        enabled=True,
        client_auth_required=True,
        certificate=certificate,
        key=key,
        client_roots=roots,
    )
