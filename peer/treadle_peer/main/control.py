"""What commands on the same machine may ask of a running peer: a backup."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path

from treadle_peer.ledger import LedgerStore
from treadle_peer.main.backups import BackupError, BackupReport, Backups
from treadle_peer.main.folders import DataFolders
from treadle_peer.order import OrderStore
from treadle_peer.server.control_socket import Answer, ControlListener, Request, ask

_log = logging.getLogger(__name__)


async def open_control(
    stack: AsyncExitStack, folders: DataFolders, *, ledgers: LedgerStore, orders: OrderStore
) -> None:
    """Listen on ``run/control.sock`` until *stack* is closed; raises OSError."""
    backups = Backups(folders, ledgers=ledgers, orders=orders)

    async def answer(request: Request) -> Answer:
        target = request.get("backup")
        if not isinstance(target, str) or not Path(target).is_absolute():
            return {"error": "this peer only knows: backup, to an absolute path"}
        try:
            report = await asyncio.to_thread(backups.make, Path(target))
        except BackupError as error:
            _log.warning("no backup was made: %s", error)
            return {"error": str(error)}
        _log.info("made a backup in %s: %d bytes", target, report.size)
        return {"heights": report.heights, "size": report.size}

    listener = ControlListener(folders.control, answer)
    await listener.start()
    stack.push_async_callback(listener.stop)
    stack.callback(backups.stop)


def back_up_running(folder: Path, target: Path) -> BackupReport | None:
    """Ask the peer that runs on the data folder *folder*; None when none does. Blocking.

    Raises BackupError.
    """
    try:
        answer = ask(DataFolders(folder).control, {"backup": str(target)})
    except OSError as error:
        raise BackupError(
            f"the peer on {folder} cannot be asked: {error.strerror or error}"
        ) from error
    if answer is None:
        return None
    if "error" in answer:
        raise BackupError(str(answer["error"]))
    heights, size = answer.get("heights"), answer.get("size")
    if not isinstance(heights, dict) or not isinstance(size, int):
        raise BackupError(f"the peer on {folder} is of another version: it answered {answer}")
    return BackupReport(heights=heights, size=size)
