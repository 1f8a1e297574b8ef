"""What is known about each instantiation, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from treadle_cli.tables import table

_HEAD = ("NAME", "CHAINCODE", "CHANNEL", "MODE", "STATE", "MESSAGE")


class State(Enum):
    """How far an instantiation is."""

    PENDING = "Pending"
    WAITING = "Waiting"
    READY = "Ready"
    STOPPED = "Stopped"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One row: ``message`` says what happened; ``hint`` is a command line for the developer."""

    name: str
    ccid: str
    channel: str
    mode: str
    state: State = State.PENDING
    message: str = ""
    hint: str = ""

    def now(self, state: State, message: str = "", hint: str = "") -> Status:
        """The same row in another state."""
        return replace(self, state=state, message=message, hint=hint)


def status_table(rows: Sequence[Status]) -> str:
    """For people: one line per row, and the hints below, because they are long."""
    cells = [
        (row.name, row.ccid, row.channel, row.mode, row.state.value, row.message or "-")
        for row in rows
    ]
    hints = [f"\n{row.ccid} is yours to start:\n  {row.hint}" for row in rows if row.hint]
    return "\n".join([table(_HEAD, cells), *hints])


def status_json(rows: Sequence[Status]) -> str:
    """For scripts: one line."""
    return json.dumps(
        {
            "instantiations": [
                {
                    "name": row.name,
                    "ccid": row.ccid,
                    "channel": row.channel,
                    "mode": row.mode,
                    "state": row.state.value,
                    "message": row.message,
                    "hint": row.hint,
                }
                for row in rows
            ]
        },
        separators=(",", ":"),
    )
