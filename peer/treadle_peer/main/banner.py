"""What a started peer prints: where it listens and how to talk to it."""

from __future__ import annotations

from collections.abc import Iterator

from treadle_peer.config import ChaincodeMode, PeerConfig
from treadle_peer.main.clientfiles import ClientFiles, export_lines, orderer_flags
from treadle_peer.main.developing import StartLines
from treadle_peer.main.state import Addresses


def banner(
    config: PeerConfig,
    addresses: Addresses,
    *,
    files: ClientFiles | None,
    start_lines: StartLines,
) -> str:
    """The start banner; with a generated network its export lines can be pasted as they are."""
    lines = [*_summary(config, addresses)]
    if files is not None:
        lines += _for_clients(config, addresses, files)
    if config.chaincode.mode is ChaincodeMode.DEVELOPMENT:
        lines += ["", *start_lines.for_anyone()]
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
