"""Why a chaincode stream ends, in words that the other end can read.

The gRPC shell maps ``Ending`` to the status of the same name and sends the sentence as its
details, so a chaincode's own log shows it.
"""

from __future__ import annotations

from enum import Enum


class Ending(Enum):
    """Status of an ended stream; the names are gRPC's."""

    UNKNOWN = "UNKNOWN"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"

    @property
    def final(self) -> bool:
        """Whether coming back at once with the same REGISTER would be pointless."""
        return self not in {Ending.UNAVAILABLE, Ending.DEADLINE_EXCEEDED}


class StreamEnded(Exception):
    """The stream ends with this sentence and code."""

    def __init__(self, sentence: str, code: Ending = Ending.UNKNOWN) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code


class RegistrationRefused(StreamEnded):
    """The chaincode may not register, or may not stay registered."""


class ProtocolViolation(StreamEnded):
    """The chaincode sent a message that its state does not allow (fabric-wire.md §1.2)."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"error handling message, ending stream: {cause}", Ending.UNKNOWN)


class StreamLost(StreamEnded):
    """The other end went away without a word, or the network did."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, Ending.UNAVAILABLE)
