"""What can go wrong, mapped once at the edge; everything above handles only these."""

from __future__ import annotations


class OperatorError(Exception):
    """Base of all errors of the operator."""


class InvalidObject(OperatorError):
    """A custom resource that cannot be understood; belongs into its condition.

    ``field`` is the path from the object (``spec.tls.enabled``), ``sentence`` says what to do.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field
        self.sentence = sentence


class InvalidSource(OperatorError):
    """Sources or a package that cannot be installed; the text says why, for people."""


class HandoverFailed(OperatorError):
    """A packed source could not be read from the pod that has it; the text says why."""


class Blocked(OperatorError):
    """A step that only a person can unblock: the condition ``reason`` with ``message``."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class PeerUnavailable(OperatorError):
    """No way to a peer, or no answer in time: worth a retry. The text is one sentence."""


class PeerRefused(OperatorError):
    """A peer's answer was no success: its own words, and ``code``.

    ``code`` is a gRPC status such as ``NOT_FOUND``, or the number of a proposal's status.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class KubeError(OperatorError):
    """The API server's answer was no success; the text is its own message."""


class NotFound(KubeError):
    """There is no such object (404)."""


class Conflict(KubeError):
    """The object exists already, or has changed meanwhile (409)."""


class Forbidden(KubeError):
    """The operator may not do this, or an admission rule forbids it (401, 403)."""


class Rejected(KubeError):
    """The API server understood the request and does not accept it (other 4xx)."""


class Unavailable(KubeError):
    """No answer in time, or a server's fault (408, 429, 5xx, no connection): worth a retry."""


class NotLeading(KubeError):
    """Another operator may work in the namespace by now: nothing was sent."""
