"""The required runtimes on disk: one small file each, whole or not there."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Final

from treadle_fabric.durable import make_folder, sync_folder
from treadle_fabric.identity.files import write_private

from treadle_peer.chaincode.runtimes.model import Origin, Output, Record
from treadle_peer.storage import StorageError

_FILE: Final = "runtime.json"


class RuntimeRecords:
    """``<folder>/<hash of the ccid>/runtime.json``; the same folder holds the build's output."""

    def __init__(self, folder: Path) -> None:
        """*folder* is made."""
        self._folder = folder
        make_folder(folder)

    def folder(self, ccid: str) -> Path:
        """Where everything about *ccid* lies; Fabric's names are no file names."""
        return self._folder / hashlib.sha256(ccid.encode()).hexdigest()[:40]

    def load(self) -> list[Record]:
        """All records; raises StorageError for a damaged one.

        Folders without a record are what a crash left before a runtime was required.
        """
        found = []
        for folder in sorted(self._folder.iterdir()):
            if (folder / _FILE).exists():
                found.append(_read(folder / _FILE))
            else:
                shutil.rmtree(folder)
        return found

    def save(self, record: Record) -> None:
        """Durably replace the record of its ccid."""
        row = {**asdict(record), "origin": record.origin.value}
        folder = self.folder(record.ccid)
        write_private(folder / _FILE, json.dumps(row, indent=1).encode() + b"\n")
        sync_folder(self._folder)


def _read(file: Path) -> Record:
    try:
        row = json.loads(file.read_bytes())
        output, seconds = row["output"], row.get("execute_timeout")
        return Record(
            ccid=str(row["ccid"]),
            origin=Origin(row["origin"]),
            attempt=int(row["attempt"]),
            built=bool(row["built"]),
            stopped=bool(row["stopped"]),
            output=None if output is None else Output(sha256=output["sha256"], size=output["size"]),
            pods=tuple(map(str, row["pods"])),
            execute_timeout=None if seconds is None else float(seconds),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{file} is damaged: restore it from a backup ({error})") from error
