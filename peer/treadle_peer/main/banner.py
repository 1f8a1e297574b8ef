"""What a started peer prints: where it listens and how to talk to it."""

from __future__ import annotations

from collections.abc import Iterator

from treadle_peer.config import ChaincodeMode, PeerConfig
from treadle_peer.main.clientfiles import ClientFiles, export_lines, orderer_flags
from treadle_peer.main.state import Addresses


def banner(
    config: PeerConfig,
    addresses: Addresses,
    *,
    files: ClientFiles | None,
    developer_settings: str,
) -> str:
    """The start banner; with a generated network its export lines can be pasted as they are.

    *developer_settings* are the variables about TLS that a developer's process needs.
    """
    lines = [*_summary(config, addresses)]
    if files is not None:
        lines += _for_clients(config, addresses, files)
    if config.chaincode.mode is ChaincodeMode.DEVELOPMENT:
        lines += _for_developers(addresses, developer_settings)
    return "\n".join(lines) + "\n"


def _summary(config: PeerConfig, addresses: Addresses) -> Iterator[str]:
    development = config.chaincode.mode is ChaincodeMode.DEVELOPMENT
    tls = "TLS" if config.chaincode.tls else "no TLS"
    yield f"Treadle peer {config.peer_id} of {config.msp_id} is ready"
    yield f"  mode        {'development' if development else 'production'}"
    yield f"  clients     {addresses.peer}"
    yield f"  chaincode   {addresses.chaincode} ({tls})"
    yield f"  ordering    {addresses.ordering}"
    yield f"  operations  {addresses.operations}"
    yield f"  data        {config.data_folder}"


def _for_clients(config: PeerConfig, addresses: Addresses, files: ClientFiles) -> Iterator[str]:
    yield f"  channel     {config.channel}" if config.channel else "  channel     none"
    yield ""
    yield "To use it with Fabric's or Treadle's peer command, paste:"
    yield ""
    yield from export_lines(config, files, addresses)
    yield ""
    yield "Commands that order transactions also take:"
    yield f"  {orderer_flags(config, files, addresses)}"


def _for_developers(addresses: Addresses, settings: str) -> Iterator[str]:
    yield ""
    yield "Start your chaincode with:"
    yield (
        f"  CORE_CHAINCODE_ID_NAME=<name>:<version> {settings} "
        f"<chaincode> -peer.address {addresses.chaincode}"
    )
