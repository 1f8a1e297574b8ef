"""``peer chaincode package``, ``signpackage`` and ``install``."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from treadle_fabric.client import ClientError
from treadle_fabric.packages import (
    PackageFormatError,
    add_signature,
    build_legacy_package,
    check_code_package,
    parse_legacy_package,
    sign_package,
)
from treadle_fabric.policy import PolicyError, parse_policy
from treadle_fabric.wire import build_proposal, serialize

from treadle_cli.peer.deploying import report_plugins, require_names
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.gotext import go_text
from treadle_cli.peer.inputs import parse_constructor
from treadle_cli.peer.invoking import PATIENCE
from treadle_cli.peer.session import Session, read_file, write_file
from treadle_cli.peer.targets import TargetFlags, endpoints, open_peers

_PACKAGE_MODE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRequest:
    """A chaincode's sources, as typed: ``path`` is a folder or, for Go, an import path."""

    name: str
    version: str
    path: str
    language: str = "golang"
    constructor: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How ``package`` wraps the sources: ``-s``, ``-S`` and ``-i``."""

    wrapped: bool = False
    signed: bool = False
    policy: str = ""


async def install(
    session: Session, request: SourceRequest, *, file: str, targets: TargetFlags
) -> None:
    """Install *file*, or the packed sources when it is empty; raises CommandError."""
    async with AsyncExitStack() as stack:
        found = endpoints(session, targets, command="install", channel="")
        peers = await open_peers(stack, session, found, command="install")
        package = _given(request, file) if file else _packed(session, request, command="install")
        proposal = build_proposal(
            signer=session.signer,
            channel_id="",
            chaincode_name="lscc",
            args=[b"install", package],
            tls_cert_hash=peers[0].endpoint.tls_cert_hash,
        )
        try:
            response = await peers[0].endorse(proposal.signed, within=PATIENCE)
        except ClientError as error:
            raise CommandError(f"error endorsing chaincode install: {error}") from None
    said = response.response
    if said.status != 200:
        raise CommandError(f"install failed with status: {said.status} - {said.message}")
    session.log.info(
        "chaincodeCmd", "submitInstallProposal", f"Installed remotely: {go_text(response)}"
    )


def package(session: Session, request: SourceRequest, *, output: str, signing: Signing) -> None:
    """Write the package of the sources to *output*; raises CommandError."""
    plain = _packed(session, request, command="package")
    content = _wrapped(session, plain, signing) if signing.wrapped else plain
    write_file(output, content, mode=_PACKAGE_MODE)


def signpackage(session: Session, *, source: str, target: str) -> None:
    """Add the user's signature to a signed package; raises CommandError."""
    try:
        signed = add_signature(read_file(source), session.signer)
    except PackageFormatError as error:
        raise CommandError(str(error)) from None
    write_file(target, signed, mode=_PACKAGE_MODE)
    click.echo(f"Wrote signed package to {target} successfully")


def _wrapped(session: Session, plain: bytes, signing: Signing) -> bytes:
    policy = signing.policy or f"AND('{session.settings.msp_id}.admin')"
    try:
        envelope = parse_policy(policy)
    except PolicyError as error:
        raise CommandError(f"invalid policy {policy}: {error}") from None
    return sign_package(
        deployment_spec=plain,
        instantiation_policy=serialize(envelope),
        owner=session.signer if signing.signed else None,
    )


def _packed(session: Session, request: SourceRequest, *, command: str) -> bytes:
    if command == "install" and not (request.name and request.version and request.path):
        raise CommandError("must supply value for chaincode name, path and version parameters")
    require_names(request.name, request.version, command=command)
    report_plugins(session)
    parse_constructor(request.constructor, may_be_empty=True)
    source, path = locate(request.path, request.language)
    try:
        return build_legacy_package(
            name=request.name,
            version=request.version,
            language=request.language,
            path=path,
            source=source,
        )
    except (PackageFormatError, OSError) as error:
        text = f"error getting chaincode package bytes: {error}"
        if command == "install":
            prefix = f"error getting chaincode deployment spec for {request.name}"
        else:
            prefix = f"error getting chaincode code {request.name}"
        raise CommandError(f"{prefix}: {text}") from None


def locate(path: str, language: str) -> tuple[Path, str]:
    """The folder of ``-p`` and the path that the package names.

    For Go an import path is looked up below ``GOPATH/src``, as 1.4 clients mean it; a folder that
    lies there is named by its import path.
    """
    folder = Path(path).resolve()
    if language.lower() != "golang":
        return folder, path
    roots = [Path(root) / "src" for root in _gopath()]
    for root in roots:
        if folder.is_dir() and folder.is_relative_to(root.resolve()):
            return folder, folder.relative_to(root.resolve()).as_posix()
    if not folder.is_dir():
        for root in roots:
            if (root / path).is_dir():
                return root / path, path
    return folder, ""


def _gopath() -> list[str]:
    given = os.environ.get("GOPATH", "")
    return [root for root in given.split(os.pathsep) if root] or [str(Path.home() / "go")]


def _given(request: SourceRequest, file: str) -> bytes:
    """The bytes of a package file, checked against the name and version typed with it."""
    raw = read_file(file)
    try:
        found = parse_legacy_package(raw)
        if found.signed and found.code:
            check_code_package(found.language, found.code)
    except PackageFormatError as error:
        raise CommandError(str(error)) from None
    if request.name and request.name != found.name:
        raise CommandError(
            f"chaincode name {request.name} does not match name {found.name} in package"
        )
    if request.version and request.version != found.version:
        raise CommandError(
            f"chaincode version {request.version} does not match version {found.version} "
            "in packages"
        )
    return raw
