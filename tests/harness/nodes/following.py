"""List and watch: every change of a collection, told to a function in a thread of its own."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Literal

from harness.kubernetes.control_plane import ControlPlane

Change = Literal["ADDED", "MODIFIED", "DELETED"]
Tell = Callable[[Change, Mapping[str, Any]], None]
_AGAIN = 0.2  # seconds between two tries to reach a server that is away


class Following:
    """From now until ``close``; goes on when the API server was away."""

    def __init__(self, plane: ControlPlane, path: str, tell: Tell) -> None:
        self._plane = plane
        self._path = path
        self._tell = tell
        self._known: dict[str, Mapping[str, Any]] = {}
        self._end = threading.Event()
        self._connection: http.client.HTTPSConnection | None = None
        self._thread = threading.Thread(target=self._run, name=f"follow {path}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(30)

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                self._once()
            except (OSError, http.client.HTTPException, ValueError):
                self._end.wait(_AGAIN)

    def _once(self) -> None:
        api = self._plane.connection()
        try:
            listed = api.get(self._path).expect()
        finally:
            api.close()
        found = {item["metadata"]["uid"]: item for item in listed["items"]}
        for uid in self._known.keys() - found.keys():
            self._tell("DELETED", self._known[uid])
        for uid, item in found.items():
            self._tell("MODIFIED" if uid in self._known else "ADDED", item)
        self._known = found
        self._watch(listed["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        mark = "&" if "?" in self._path else "?"
        connection = self._plane.api.open(within=None)
        self._connection = connection
        if self._end.is_set():
            return
        try:
            connection.request("GET", f"{self._path}{mark}watch=1&resourceVersion={version}")
            answer = connection.getresponse()
            while line := answer.readline():
                self._heard(json.loads(line))
        finally:
            connection.close()

    def _heard(self, event: Mapping[str, Any]) -> None:
        body = event["object"]
        if event["type"] == "ERROR":
            raise ValueError(f"the watch ended: {body}")
        uid = body["metadata"]["uid"]
        if event["type"] == "DELETED":
            self._known.pop(uid, None)
        else:
            self._known[uid] = body
        self._tell(event["type"], body)
