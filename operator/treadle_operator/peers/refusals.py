"""What a peer's failing answers mean to the operator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc.aio
from treadle_fabric.client import (
    BroadcastRefused,
    CallFailed,
    ClientError,
    EndorsementFailed,
    NotCommitted,
    status_name,
    validation_code_name,
)
from treadle_fabric.wire import WireError

from treadle_operator.errors import OperatorError, PeerRefused, PeerUnavailable

_PASSING: Final = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"}
_BUSY: Final = "SERVICE_UNAVAILABLE"


@contextmanager
def translated(peer: str) -> Iterator[None]:
    """Turn errors of the clients into PeerUnavailable and PeerRefused."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise _of_code(peer, error.code().name, error.details() or "") from error
    except (ClientError, WireError) as error:
        raise _of(peer, error) from error


def _of(peer: str, error: Exception) -> OperatorError:
    match error:
        case EndorsementFailed():
            said = error.response.response
            return PeerRefused(str(said.status), said.message)
        case NotCommitted():
            code = validation_code_name(error.code)
            return PeerRefused(code, f"the transaction was ordered, but is invalid: {code}")
        case BroadcastRefused() if status_name(error.status) != _BUSY:
            return PeerRefused(status_name(error.status), error.info)
        case CallFailed():
            return _of_code(peer, error.code, error.details)
        case WireError():
            return PeerRefused(
                "INTERNAL", f"Peer {peer} gave an answer that cannot be read: {error}"
            )
        case _:
            return PeerUnavailable(f"Peer {peer}: {error}")


def _of_code(peer: str, code: str, details: str) -> OperatorError:
    if code in _PASSING:
        return PeerUnavailable(f"Peer {peer} does not answer: {details or code}")
    return PeerRefused(code, details or code)
