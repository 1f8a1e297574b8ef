"""A chaincode port that greets what is admitted, and an in-memory state behind it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from fabric_protos.ledger.queryresult.kv_query_result_pb2 import KV, KeyModification
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetHistoryForKey,
    GetState,
    GetStateByRange,
    PutState,
    QueryMetadata,
    QueryResponse,
    QueryResponseMetadata,
    QueryResultBytes,
    QueryStateClose,
)
from fabric_protos.peer.proposal_response_pb2 import Response
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_fabric.wire import build_proposal
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.streams import StreamPeer

DEADLINE = 60.0


_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


_PINGS = [("grpc.http2.max_ping_strikes", 0)]


Read = Callable[[], Awaitable[object]]


Write = Callable[[ChaincodeMessage], Awaitable[None]]


@dataclass
class World:
    """Keys and their histories: just enough of a ledger to hear what a contract says."""

    state: dict[str, bytes] = field(default_factory=dict)
    changes: dict[str, list[KeyModification]] = field(default_factory=dict)

    def answer(self, request: ChaincodeMessage) -> bytes:
        kind, payload = request.type, request.payload
        if kind == ChaincodeMessage.GET_STATE:
            return self.state.get(GetState.FromString(payload).key, b"")
        if kind == ChaincodeMessage.PUT_STATE:
            put = PutState.FromString(payload)
            self._write(request.txid, put.key, put.value)
            return b""
        if kind == ChaincodeMessage.DEL_STATE:
            self._write(request.txid, DelState.FromString(payload).key, b"")
            return b""
        return self._query(kind, payload).SerializeToString()

    def _write(self, tx_id: str, key: str, value: bytes) -> None:
        change = KeyModification(tx_id=tx_id, value=value, is_delete=not value)
        change.timestamp.seconds = 1_700_000_000
        self.changes.setdefault(key, []).insert(0, change)
        self.state.pop(key, None)
        if value:
            self.state[key] = value

    def _query(self, kind: int, payload: bytes) -> QueryResponse:
        if kind == ChaincodeMessage.QUERY_STATE_CLOSE:
            return QueryResponse(id=QueryStateClose.FromString(payload).id)
        if kind == ChaincodeMessage.GET_HISTORY_FOR_KEY:
            changes = self.changes.get(GetHistoryForKey.FromString(payload).key, [])
            return _response([change.SerializeToString() for change in changes])
        query = GetStateByRange.FromString(payload)
        metadata = QueryMetadata.FromString(query.metadata)
        start = metadata.bookmark or query.startKey
        keys = [key for key in sorted(self.state) if key >= start]
        keys = [key for key in keys if not query.endKey or key < query.endKey]
        size = metadata.pageSize or len(keys)
        bookmark = keys[size] if size < len(keys) else ""
        found = [KV(key=key, value=self.state[key]).SerializeToString() for key in keys[:size]]
        told = QueryResponseMetadata(fetched_records_count=len(found), bookmark=bookmark)
        return _response(found, told.SerializeToString())


def _response(results: list[bytes], metadata: bytes = b"") -> QueryResponse:
    entries = [QueryResultBytes(resultBytes=result) for result in results]
    return QueryResponse(results=entries, has_more=False, id="query", metadata=metadata)


def one_at_a_time(write: Write) -> Write:
    """A stream takes one writer: replies and new calls would meet."""
    turn = asyncio.Lock()

    async def write_alone(message: ChaincodeMessage) -> None:
        async with turn:
            await write(message)

    return write_alone


@dataclass
class Connection:
    """One registered chaincode."""

    write: Write
    client: SigningIdentity
    world: World = field(default_factory=World)
    finals: dict[str, asyncio.Future[ChaincodeMessage]] = field(default_factory=dict)

    async def call(self, *args: str, init: bool = False) -> ChaincodeMessage:
        """Run Init or Invoke; the chaincode's last word."""
        arguments = [arg.encode() for arg in args]
        built = build_proposal(
            signer=self.client, channel_id="ch", chaincode_name="accounts", args=arguments
        )
        answer = self.finals[built.tx_id] = asyncio.get_running_loop().create_future()
        await self.write(
            ChaincodeMessage(
                type=ChaincodeMessage.INIT if init else ChaincodeMessage.TRANSACTION,
                payload=ChaincodeInput(args=arguments).SerializeToString(),
                txid=built.tx_id,
                channel_id="ch",
                proposal=built.signed,
            )
        )
        async with asyncio.timeout(DEADLINE):
            return await answer

    async def respond(self, *args: str, init: bool = False) -> Response:
        """Run it; the Response that it completes with."""
        final = await self.call(*args, init=init)
        assert final.type == ChaincodeMessage.COMPLETED, final.payload
        return Response.FromString(final.payload)

    async def receive(self, message: ChaincodeMessage) -> None:
        if message.type in (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR):
            self.finals.pop(message.txid).set_result(message)
            return
        reply = ChaincodeMessage(
            type=ChaincodeMessage.RESPONSE,
            payload=self.world.answer(message),
            txid=message.txid,
            channel_id=message.channel_id,
        )
        await self.write(reply)


class ChaincodePort:
    """What listens on 7052 in these tests. ``admit`` decides, its sentence ends the stream."""

    def __init__(self) -> None:
        self.port = 0
        self.admit: Callable[[str, StreamPeer], str | None] = lambda ccid, caller: "closed"
        self.registered: asyncio.Queue[tuple[str, Connection]] = asyncio.Queue()
        self.refusals: list[str] = []
        organization = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
        self.client = organization.issue_identity("client", "user")
        self._server = grpc.aio.server(options=[*_UNLIMITED, *_PINGS])

    async def listen(self, authority: ChaincodeAuthority | None) -> None:
        handler = grpc.stream_stream_rpc_method_handler(
            self._register, ChaincodeMessage.FromString, ChaincodeMessage.SerializeToString
        )
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler("protos.ChaincodeSupport", {"Register": handler})]
        )
        if authority is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            own = authority.server_certificate(["127.0.0.1", "localhost"])
            credentials = grpc.ssl_server_credentials(
                [(own.key_pem, own.certificate_pem)], authority.certificate_pem, True
            )
            self.port = self._server.add_secure_port("127.0.0.1:0", credentials)
        await self._server.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def connected(self, ccid: str) -> Connection:
        """The next chaincode that registers, which must be *ccid*."""
        async with asyncio.timeout(DEADLINE):
            name, connection = await self.registered.get()
        assert name == ccid
        return connection

    async def close(self) -> None:
        await self._server.stop(0)

    async def _register(self, _: object, context: grpc.aio.ServicerContext) -> None:
        pem = context.auth_context().get("x509_pem_cert", [None])[0]
        fingerprint = None
        if pem is not None:
            fingerprint = x509.load_pem_x509_certificate(pem).fingerprint(SHA256()).hex()
        caller = StreamPeer(remote=context.peer(), fingerprint=fingerprint, loopback=True)
        refused = await self.serve(context.read, context.write, caller)
        if refused is not None:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, refused)

    async def serve(self, read: Read, write: Write, caller: StreamPeer) -> str | None:
        """Greet or refuse, then answer until the stream ends."""
        first = await read()
        assert isinstance(first, ChaincodeMessage)
        ccid = ChaincodeID.FromString(first.payload).name
        refused = self.admit(ccid, caller)
        if refused is not None:
            self.refusals.append(refused)
            return refused
        await write(ChaincodeMessage(type=ChaincodeMessage.REGISTERED))
        await write(ChaincodeMessage(type=ChaincodeMessage.READY))
        connection = Connection(one_at_a_time(write), self.client)
        self.registered.put_nowait((ccid, connection))
        while isinstance(message := await read(), ChaincodeMessage):
            await connection.receive(message)
        return None


class DialledServer:
    """A chaincode server's stream, presented to the port as its own."""

    def __init__(self, port: ChaincodePort, address: str, caller: StreamPeer) -> None:
        self._channel = grpc.aio.insecure_channel(address, options=_UNLIMITED)
        self._task = asyncio.create_task(self._run(port, caller))

    async def _run(self, port: ChaincodePort, caller: StreamPeer) -> None:
        connect = self._channel.stream_stream(
            "/protos.Chaincode/Connect",
            ChaincodeMessage.SerializeToString,
            ChaincodeMessage.FromString,
        )
        call = connect()
        with contextlib.suppress(grpc.RpcError):
            await port.serve(call.read, call.write, caller)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._channel.close()


class Dialler:
    """Implements BridgeStarter."""

    def __init__(self, port: ChaincodePort) -> None:
        self._port = port

    async def start(self, *, ccid: str, address: str, fingerprint: str) -> DialledServer:
        caller = StreamPeer(remote=f"ipv4:{address}", fingerprint=fingerprint, loopback=True)
        return DialledServer(self._port, address, caller)
