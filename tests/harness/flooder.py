"""A chaincode process that sends all its range queries at once; ``python -m harness.flooder``."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetStateByRange
from harness.memory_streams import completed, message, register
from treadle_peer.server.chaincode_grpc import REGISTER_SERVICE

RANGE = message(Msg.GET_STATE_BY_RANGE, GetStateByRange())


def flood(address: str, count: int) -> int:
    """Serve one transaction of ``two:1``: all requests at once, then read; how many replies."""
    begun, ended = threading.Event(), threading.Event()

    def said() -> Iterator[Msg]:
        yield register("two:1")
        begun.wait(10)
        yield from [RANGE] * count
        ended.wait(60)
        yield completed()

    with grpc.insecure_channel(address) as channel:
        method = channel.stream_stream(
            f"/{REGISTER_SERVICE}/Register",
            request_serializer=Msg.SerializeToString,
            response_deserializer=Msg.FromString,
        )
        heard = method(said(), timeout=60)
        for message in heard:
            if message.type == Msg.TRANSACTION:
                break
        begun.set()
        replies = sum(next(heard).type == Msg.RESPONSE for _ in range(count))
        ended.set()
        with suppress(grpc.RpcError):  # EOF, as Fabric says it
            next(heard)
    return replies


if __name__ == "__main__":
    print(flood(sys.argv[1], int(sys.argv[2])), "replies")
