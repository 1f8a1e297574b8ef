"""Plain HTTPS to an API server: what it answers, refusals included, without a client's opinion."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

Manifest = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a refusal: the field it is about, and the sentence about it."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and the decoded body; text where the server sent no JSON."""

    code: int
    body: Any

    @property
    def accepted(self) -> bool:
        return self.code < 300

    @property
    def causes(self) -> list[Cause]:
        """Why an object was refused."""
        found = self.body.get("details", {}).get("causes", [])
        return [Cause(one.get("field", ""), one.get("message", "")) for one in found]

    def expect(self) -> Any:
        """The body of an accepted request; AssertionError with the server's words otherwise."""
        assert self.accepted, f"{self.code}: {self.body}"
        return self.body


class Api:
    """One kept connection to an API server as the holder of a client certificate."""

    def __init__(
        self,
        *,
        port: int,
        authority: Path,
        identity: tuple[Path, Path],
        address: str = "127.0.0.1",
    ) -> None:
        self._address = address
        self._port = port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(*identity)
        self._connection: http.client.HTTPSConnection | None = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def open(self, *, within: float | None) -> http.client.HTTPSConnection:
        """A connection of the caller's; *within* seconds each answer has to begin."""
        return http.client.HTTPSConnection(
            "127.0.0.1", self._port, context=self._context, timeout=within
        )

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def create(self, path: str, manifest: Manifest) -> Answer:
        return self.request("POST", path, manifest)

    def replace(self, path: str, manifest: Manifest) -> Answer:
        return self.request("PUT", path, manifest)

    def merge(self, path: str, changes: Manifest) -> Answer:
        """A JSON merge patch: what is None is removed."""
        return self.request("PATCH", path, changes, content_type=MERGE_PATCH)

    def delete(self, path: str) -> Answer:
        return self.request("DELETE", path)

    def request(
        self, method: str, path: str, body: Manifest | None = None, *, content_type: str = JSON
    ) -> Answer:
        """Send it; raises OSError when the server is away."""
        kept = self._connection is not None
        content = None if body is None else json.dumps(body)
        headers = {"Accept": JSON, "Content-Type": content_type}
        if self._connection is None:
            self._connection = http.client.HTTPSConnection(
                self._address, self._port, context=self._context, timeout=30
            )
        try:
            self._connection.request(method, path, body=content, headers=headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, _decoded(answer.read()))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if kept and method == "GET" and isinstance(error, http.client.RemoteDisconnected):
                return self.request(method, path)  # the server had closed it long ago
            raise


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
