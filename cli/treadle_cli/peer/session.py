"""Who runs a command and with which settings; what every command starts from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.identity import Signer
from treadle_fabric.msp import MSPError, load_local_msp

from treadle_cli.peer.errors import CommandError, StartupError
from treadle_cli.peer.logs import CommandLog
from treadle_cli.peer.settings import ClientSettings, client_settings, read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdererFlags:
    """The orderer as the flags name it; an empty address means: ask the peer."""

    address: str = ""
    tls: bool = False
    root_certificate: str = ""
    client_auth: bool = False
    client_key: str = ""
    client_certificate: str = ""
    server_name: str = ""
    connect_seconds: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of one command."""

    settings: ClientSettings
    signer: Signer
    log: CommandLog
    orderer: OrdererFlags


def open_session(orderer: OrdererFlags) -> Session:
    """Read settings and the local MSP; raises StartupError."""
    settings = client_settings(read_settings(os.environ, Path.cwd()))
    return Session(
        settings=settings,
        signer=_signer(settings),
        log=CommandLog(settings.logging),
        orderer=orderer,
    )


def _signer(settings: ClientSettings) -> Signer:
    folder = settings.msp_folder
    if folder is None:
        raise StartupError(
            "Cannot run peer because no MSP is configured: set CORE_PEER_MSPCONFIGPATH to the "
            "folder of your identity and CORE_PEER_LOCALMSPID to its MSP ID"
        )
    if not folder.is_dir():
        missing = f"does not exist or cannot be accessed: stat {folder}: no such file or directory"
        what = "is not a directory" if folder.exists() else missing
        raise StartupError(
            f'Cannot run peer because cannot init crypto, specified path "{folder}" {what}'
        )
    if not settings.msp_id:
        raise StartupError("Cannot run peer because the local MSP must have an ID")
    try:
        return load_local_msp(folder, msp_id=settings.msp_id).signer
    except MSPError as error:
        raise StartupError(
            f"Cannot run peer because error when setting up MSP of type bccsp from directory "
            f"{folder}: {error}"
        ) from error


def read_file(path: Path | str) -> bytes:
    """A file's bytes; raises CommandError in the words of Go."""
    if not str(path):
        raise CommandError("open : no such file or directory")
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"open {path}: {(error.strerror or str(error)).lower()}") from error


def write_file(path: Path | str, content: bytes, *, mode: int) -> None:
    """Write *content*, creating the file with *mode*; raises CommandError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise CommandError(f"open {path}: {(error.strerror or str(error)).lower()}") from error
