"""The chaincode session: any messages, mixed with everything that the peer does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fuzz.books import TYPES, Books
from fuzz.octets import Octets
from fuzz.outcomes import said
from treadle_peer.chaincode import StreamEnded

_MOST_STEPS = 80


def seeds() -> Iterator[bytes]:
    """One transaction with each request; iterators read on; a callee; a timeout."""
    begin = bytes((1, 0, 0, 0, 0))
    for kind in range(len(TYPES)):
        for way in range(3):
            yield bytes((0, 0, 0)) + begin + bytes((0, kind, 0, 0, way, 1, 2, 3, 4))
    ranged = bytes((0, TYPES.index(Msg.GET_STATE_BY_RANGE), 0, 0, 0, 4, 4, 0))
    following = bytes((0, TYPES.index(Msg.QUERY_STATE_NEXT), 0, 0, 0, 1))
    closing = bytes((0, TYPES.index(Msg.QUERY_STATE_CLOSE), 0, 0, 0, 1))
    done = bytes((0, TYPES.index(Msg.COMPLETED), 0, 0, 0, 0))
    yield bytes((0, 0, 0)) + begin + ranged + following * 3 + closing + done
    yield bytes((0, 0, 0)) + begin + ranged * 8 + done
    callee = bytes((0, TYPES.index(Msg.INVOKE_CHAINCODE), 0, 0, 0, 1))
    for after in range(2, 7):
        yield bytes((0, 0, 0)) + begin + callee + bytes((after, 1, 1)) + done
    yield bytes((0, 1)) + callee
    yield bytes((0, 0, 1)) + callee


def one_input(data: bytes) -> None:
    """Play the conversation; the stream may end, the books must agree all the way."""
    octets = Octets(data)
    books = Books(octets)
    try:
        if octets.byte() == 0:
            books.register()
            if octets.byte() != 1:
                books.admit()
        for _ in range(_MOST_STEPS):
            if not octets:
                break
            books.step()
    except StreamEnded as end:
        said(end)
    finally:
        books.end()
