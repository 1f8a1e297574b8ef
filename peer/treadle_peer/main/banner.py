"""What a started peer prints: where it listens and how to talk to it."""

from __future__ import annotations

from collections.abc import Iterator

from treadle_peer.config import ChaincodeMode, PeerConfig
from treadle_peer.main.clientfiles import ClientFiles, export_lines, orderer_flags
from treadle_peer.main.state import Addresses


def banner(config: PeerConfig, addresses: Addresses, files: ClientFiles | None) -> str:
    """The start banner; with a generated network its export lines can be pasted as they are."""
    return "\n".join(_lines(config, addresses, files)) + "\n"


def _lines(config: PeerConfig, addresses: Addresses, files: ClientFiles | None) -> Iterator[str]:
    development = config.chaincode.mode is ChaincodeMode.DEVELOPMENT
    tls = "TLS" if config.chaincode.tls else "no TLS"
    yield f"Treadle peer {config.peer_id} of {config.msp_id} is ready"
    yield f"  mode        {'development' if development else 'production'}"
    yield f"  clients     {addresses.peer}"
    yield f"  chaincode   {addresses.chaincode} ({tls})"
    yield f"  ordering    {addresses.ordering}"
    yield f"  operations  {addresses.operations}"
    yield f"  data        {config.data_folder}"
    if files is None:
        return
    yield f"  channel     {config.channel}" if config.channel else "  channel     none"
    yield ""
    yield "To use it with Fabric's or Treadle's peer command, paste:"
    yield ""
    yield from export_lines(config, files, addresses)
    yield ""
    yield "Commands that order transactions also take:"
    yield f"  {orderer_flags(config, files, addresses)}"
    if development and not config.chaincode.tls:
        yield ""
        yield "Start your chaincode with:"
        yield (
            "  CORE_CHAINCODE_ID_NAME=<name>:<version> CORE_PEER_TLS_ENABLED=false "
            f"<chaincode> -peer.address {addresses.chaincode}"
        )
