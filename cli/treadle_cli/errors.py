"""What ``treadle`` commands raise for the user's eyes."""

from __future__ import annotations


class TreadleError(Exception):
    """Printed as ``treadle: <text>``, exit code 1; ``details`` follow on lines of their own."""

    def __init__(self, text: str, details: str = "") -> None:
        super().__init__(text)
        self.details = details
