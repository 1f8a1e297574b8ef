"""``peer node start``: run one peer until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import resource
import signal
import sys
from collections.abc import Sequence

import uvloop
from treadle_fabric.channelconfig import ConfigError
from treadle_fabric.identity.certificates import CertificateError
from treadle_fabric.msp import MSPError

from treadle_peer.config import ConfigurationError, PeerConfig
from treadle_peer.main.memory import return_large_blocks, thrifty
from treadle_peer.main.node import PeerNode
from treadle_peer.order import OrderingError
from treadle_peer.server.listener import ListenError
from treadle_peer.services.operations import LogControl
from treadle_peer.storage import StorageError

_log = logging.getLogger(__name__)

_FORMAT = "%(asctime)s.%(msecs)03d %(levelname)s [%(name)s] %(message)s"
_SECOND_SIGNAL = 130
_MOST_DESCRIPTORS = 1 << 20

REFUSALS = (
    ConfigurationError,
    ListenError,
    StorageError,
    MSPError,
    CertificateError,
    ConfigError,
    OrderingError,
    OSError,
)
"""Why a peer cannot start: each carries one line for the terminal."""


def run_peer(config: PeerConfig) -> int:
    """Run a peer in this process; returns its exit code.

    SIGTERM and SIGINT end it in order (0); a second one at once (130). A peer that cannot start
    says why in one line on standard error (1).
    """
    return_large_blocks()
    allow_connections()
    logs = _start_logging(config.logging_spec)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_serve(config, logs))
        except REFUSALS as error:
            sys.stderr.write(f"Error: {error}\n")
            return 1


async def _serve(config: PeerConfig, logs: LogControl) -> int:
    stop = stop_on_signals()
    warn_of_unused(config.unused_keys)
    async with thrifty(), PeerNode(config, logs=logs) as node:
        sys.stdout.write(node.banner())
        sys.stdout.flush()
        await stop.wait()
        _log.info("stopping: up to %g s for what is running", config.drain_timeout)
    _log.info("stopped")
    return 0


def allow_connections() -> None:
    """Take all the descriptors that the system allows, as Go's programs do.

    The usual 1024 are soon used up by clients that connect and say nothing, and then the ledger
    could not open its files.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def warn_of_unused(keys: Sequence[str]) -> None:
    """One line, however many; Fabric's own core.yaml has more than a hundred of them."""
    if not keys:
        return
    sections = sorted({re.split(r"[._]", key.removeprefix("CORE_"))[0].lower() for key in keys})
    _log.warning(
        "%d keys of Fabric mean nothing to Treadle and are ignored, in %s; "
        "FABRIC_LOGGING_SPEC=nodeCmd=debug lists them",
        len(keys),
        ", ".join(sections),
    )
    _log.debug("ignored keys: %s", ", ".join(keys))


def stop_on_signals() -> asyncio.Event:
    """An event that the first SIGTERM or SIGINT sets; a second one ends this process (130)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def received() -> None:
        if stop.is_set():
            # Everything acknowledged is on disk, and launched chaincodes end with this process.
            sys.stderr.write("stopped at once by a second signal\n")
            sys.stderr.flush()
            os._exit(_SECOND_SIGNAL)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received)
    return stop


def _start_logging(spec: str) -> LogControl:
    logging.basicConfig(
        stream=sys.stderr, format=_FORMAT, datefmt="%Y-%m-%dT%H:%M:%S", level=logging.WARNING
    )
    logs = LogControl()
    logs.activate(spec)
    return logs
