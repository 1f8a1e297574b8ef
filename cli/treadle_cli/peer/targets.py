"""Which servers a command talks to, from settings and flags; opening them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import yaml
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import OrdererAddresses
from treadle_fabric.client import (
    CallFailed,
    ClientError,
    ConnectionFailed,
    EndorsementFailed,
    Endpoint,
    OrdererConnection,
    PeerAdministration,
    PeerConnection,
    TLSOptions,
    parse_address,
)
from treadle_fabric.wire import parse

from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.session import OrdererFlags, Session, read_file
from treadle_cli.peer.settings import ClientSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFlags:
    """``--peerAddresses``, ``--tlsRootCertFiles`` and ``--connectionProfile``."""

    addresses: tuple[str, ...] = ()
    root_files: tuple[str, ...] = ()
    profile: str = ""


def default_endpoint(settings: ClientSettings) -> Endpoint:
    """The peer of ``CORE_PEER_ADDRESS``; raises CommandError when a TLS file is missing."""
    root = str(settings.root_certificate or "")
    try:
        return _endpoint(settings, settings.address, root, key="peer.tls.rootcert.file")
    except CommandError as error:
        raise CommandError(f"failed to load config for PeerClient: {error}") from None


def endpoints(
    session: Session, flags: TargetFlags, *, command: str, channel: str
) -> list[Endpoint]:
    """The peers a chaincode command goes to; only invoke may have several."""
    try:
        addresses, roots = _addresses(session, flags, command=command, channel=channel)
    except CommandError as error:
        raise CommandError(f"error validating peer connection parameters: {error}") from None
    if addresses == ("",):
        return [default_endpoint(session.settings)]
    return [
        _endpoint(session.settings, address, root, key="")
        for address, root in zip(addresses, roots, strict=True)
    ]


def _addresses(
    session: Session, flags: TargetFlags, *, command: str, channel: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    addresses, roots = flags.addresses or ("",), flags.root_files or ("",)
    if flags.profile:
        addresses, roots = _profile_peers(flags.profile, channel) or (addresses, roots)
    if command != "invoke" and len(addresses) > 1:
        raise CommandError(
            f"'{command}' command can only be executed against one peer. received {len(addresses)}"
        )
    if len(roots) > len(addresses):
        session.log.warning(
            "chaincodeCmd",
            "validatePeerConnectionParameters",
            f"received more TLS root cert files ({len(roots)}) than peer addresses "
            f"({len(addresses)})",
        )
    if not session.settings.tls:
        return addresses, ("",) * len(addresses)
    if len(roots) != len(addresses):
        raise CommandError(
            f"number of peer addresses ({len(addresses)}) does not match the number of TLS root "
            f"cert files ({len(roots)})"
        )
    return addresses, roots


def _profile_peers(file: str, channel: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Endorsing peers of *channel* in a connection profile; None when it names none."""
    try:
        profile = yaml.safe_load(read_file(file)) or {}
        members = profile.get("channels", {}).get(channel, {}).get("peers") or {}
        known = profile.get("peers") or {}
        chosen = [name for name, role in members.items() if (role or {}).get("endorsingPeer")]
        for name in chosen:
            if name not in known:
                raise CommandError(
                    f"peer '{name}' is defined in the channel config but doesn't have associated "
                    "peer config"
                )
        addresses = tuple(parse_address(str(known[name].get("url", ""))) for name in chosen)
        roots = tuple(str((known[name].get("tlsCACerts") or {}).get("path", "")) for name in chosen)
    except (yaml.YAMLError, AttributeError) as error:
        raise CommandError(f"error unmarshalling YAML: {error}") from None
    return (addresses, roots) if members else None


def _endpoint(settings: ClientSettings, address: str, root: str, *, key: str) -> Endpoint:
    if not address:
        raise CommandError("peer address must be set")
    certificate, private_key = _client_pair(settings)
    if not settings.tls:
        return Endpoint(address=parse_address(address))
    if not root:
        raise CommandError(
            f"unable to load {key}: it is not set" if key else "tls root cert file must be set"
        )
    try:
        roots = read_file(root)
    except CommandError as error:
        what = key or f"TLS root cert file from {root}"
        raise CommandError(f"unable to load {what}: {error}") from None
    return Endpoint(
        address=parse_address(address),
        tls=TLSOptions(
            root_certificates=roots,
            client_certificate=certificate,
            client_key=private_key,
            server_name=settings.server_name,
        ),
    )


def _client_pair(settings: ClientSettings) -> tuple[bytes, bytes]:
    """Certificate and key for mutual TLS; both empty when not asked for."""
    if not settings.client_auth:
        return b"", b""
    pair = []
    for key, file in (
        ("peer.tls.clientKey.file", settings.client_key),
        ("peer.tls.clientCert.file", settings.client_certificate),
    ):
        try:
            pair.append(read_file(file or ""))
        except CommandError as error:
            raise CommandError(f"unable to load {key}: {error}") from None
    return pair[1], pair[0]


def orderer_endpoint(flags: OrdererFlags, address: str) -> Endpoint:
    """The orderer at *address* with the flags' TLS; raises CommandError."""
    if not flags.tls:
        return Endpoint(address=parse_address(address))
    loaded: dict[str, bytes] = {}
    wanted = {"orderer.tls.rootcert.file": flags.root_certificate}
    if flags.client_auth:
        wanted |= {
            "orderer.tls.clientKey.file": flags.client_key,
            "orderer.tls.clientCert.file": flags.client_certificate,
        }
    for key, file in wanted.items():
        try:
            loaded[key] = read_file(file)
        except CommandError as error:
            raise CommandError(
                f"failed to load config for OrdererClient: unable to load {key}: {error}"
            ) from None
    return Endpoint(
        address=parse_address(address),
        tls=TLSOptions(
            root_certificates=loaded["orderer.tls.rootcert.file"],
            client_certificate=loaded.get("orderer.tls.clientCert.file", b""),
            client_key=loaded.get("orderer.tls.clientKey.file", b""),
            server_name=flags.server_name,
        ),
    )


async def open_peer(
    stack: AsyncExitStack, endpoint: Endpoint, *, seconds: float, role: str = "endorser"
) -> PeerConnection:
    """A connected peer, closed with *stack*; raises CommandError in Fabric's words."""
    peer = await stack.enter_async_context(PeerConnection(endpoint))
    try:
        await peer.wait_ready(within=seconds, fail_fast=True)
    except ConnectionFailed as error:
        raise CommandError(_dial_failure(role, error)) from None
    return peer


async def open_orderer(
    stack: AsyncExitStack, endpoint: Endpoint, *, seconds: float
) -> OrdererConnection:
    """A connected orderer, closed with *stack*; raises CommandError in Fabric's words."""
    orderer = await stack.enter_async_context(OrdererConnection(endpoint))
    try:
        await orderer.wait_ready(within=seconds, fail_fast=True)
    except ConnectionFailed as error:
        raise CommandError(_dial_failure("orderer", error)) from None
    return orderer


def _dial_failure(role: str, error: ConnectionFailed) -> str:
    reason = f'connection error: desc = "transport: error while dialing: {error.reason}"'
    return (
        f"{role} client failed to connect to {error.address}: failed to create new connection: "
        f"{reason}"
    )


async def open_peers(
    stack: AsyncExitStack, session: Session, found: Sequence[Endpoint], *, command: str
) -> list[PeerConnection]:
    """All peers of a chaincode command."""
    seconds = session.settings.connect_seconds
    try:
        return [await open_peer(stack, endpoint, seconds=seconds) for endpoint in found]
    except CommandError as error:
        raise CommandError(f"error getting endorser client for {command}: {error}") from None


async def open_broadcast(
    stack: AsyncExitStack, session: Session, *, channel: str, peer: PeerConnection
) -> OrdererConnection:
    """The orderer of ``-o``, or the first one that *peer* knows for *channel*."""
    flags = session.orderer
    address = flags.address
    if not address:
        address = await _ask_for_orderer(session, channel=channel, peer=peer)
        session.log.info(
            "chaincodeCmd",
            "InitCmdFactory",
            f"Retrieved channel ({channel}) orderer endpoint: {address}",
        )
    try:
        endpoint = orderer_endpoint(flags, address)
        return await open_orderer(stack, endpoint, seconds=flags.connect_seconds)
    except CommandError as error:
        raise CommandError(f"error getting broadcast client: {error}") from None


async def _ask_for_orderer(session: Session, *, channel: str, peer: PeerConnection) -> str:
    administration = PeerAdministration(peer=peer, signer=session.signer)
    prefix = f"error getting channel ({channel}) orderer endpoint"
    try:
        config = await administration.channel_config(channel)
    except EndorsementFailed as error:
        said = error.response.response
        raise CommandError(
            f"{prefix}: error bad proposal response {said.status}: {said.message}"
        ) from None
    except CallFailed as error:
        raise CommandError(f"{prefix}: error endorsing GetChannelConfig: {error}") from None
    except ClientError as error:
        raise CommandError(f"{prefix}: {error}") from None
    addresses = orderer_addresses(config)
    if not addresses:
        raise CommandError(
            f"no orderer endpoints retrieved for channel {channel}, pass orderer endpoint with "
            "-o flag instead"
        )
    return addresses[0]


def orderer_addresses(config: Config) -> list[str]:
    """The channel's orderer addresses, else those of its orderer organisations."""
    root = config.channel_group
    if "OrdererAddresses" in root.values:
        found = list(parse(OrdererAddresses, root.values["OrdererAddresses"].value).addresses)
        if found:
            return found
    if "Orderer" not in root.groups:
        return []
    organizations = root.groups["Orderer"].groups
    return [
        address
        for name in sorted(organizations)
        if "Endpoints" in organizations[name].values
        for address in parse(
            OrdererAddresses, organizations[name].values["Endpoints"].value
        ).addresses
    ]
