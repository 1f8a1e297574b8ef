"""A real ledger with some keys, calls on it, and chaincode streams that live in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload, Response
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TransactionAction,
)
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from treadle_fabric.wire import new_block, set_transactions_filter
from treadle_peer.chaincode import StreamEnded, StreamLost, StreamPeer
from treadle_peer.execution import Call, CallKind
from treadle_peer.ledger import HistoryReader, Ledger, Simulator

Msg = ChaincodeMessage


def _envelope(kind: int, data: bytes, *, tx_id: str = "") -> bytes:
    header = ChannelHeader(
        type=kind, channel_id="ch", tx_id=tx_id, timestamp=Timestamp(seconds=1700000000)
    )
    signature = SignatureHeader(creator=b"someone", nonce=b"n" * 24)
    payload = Payload(
        header=Header(
            channel_header=header.SerializeToString(),
            signature_header=signature.SerializeToString(),
        ),
        data=data,
    )
    return Envelope(payload=payload.SerializeToString()).SerializeToString()


def _endorsed(results: bytes, tx_id: str) -> bytes:
    action = ChaincodeAction(results=results)
    response = ProposalResponsePayload(extension=action.SerializeToString())
    payload = ChaincodeActionPayload()
    payload.action.proposal_response_payload = response.SerializeToString()
    transaction = Transaction(actions=[TransactionAction(payload=payload.SerializeToString())])
    return _envelope(HeaderType.ENDORSER_TRANSACTION, transaction.SerializeToString(), tx_id=tx_id)


class World:
    """A ledger of channel ``ch``; chaincode ``probe`` owns the state."""

    def __init__(self, folder: Path) -> None:
        config = ConfigEnvelope(config=Config(sequence=1)).SerializeToString()
        self.ledger = Ledger.create(
            folder, new_block(0, b"", [_envelope(HeaderType.CONFIG, config)])
        )
        self._simulators: list[Simulator] = []

    def put(self, values: Mapping[str, bytes]) -> None:
        """Commit one transaction with these values; an empty value deletes."""
        tx_id = f"{self.ledger.height:064x}"
        with self.ledger.simulator(tx_id) as simulator:
            for key, value in values.items():
                simulator.set_state("probe", key, value)
            results = simulator.results()
        info = self.ledger.chain_info()
        block = new_block(info.height, info.currentBlockHash, [_endorsed(results, tx_id)])
        set_transactions_filter(block, bytes(1))
        self.ledger.commit(block)

    def simulator(self, tx_id: str = "t1") -> Simulator:
        """A simulator that is closed with the world."""
        simulator = self.ledger.simulator(tx_id)
        self._simulators.append(simulator)
        return simulator

    def call(
        self,
        tx_id: str = "t1",
        *,
        kind: CallKind = CallKind.INVOKE,
        channel_id: str = "ch",
        simulator: Simulator | None = None,
        ccid: str = "probe:1",
        ledger: bool = True,
        history: bool = True,
        key_level_endorsement: bool = True,
        purge_private_data: bool = False,
        args: Sequence[bytes] = (b"invoke", b"a"),
        signed_proposal: SignedProposal | None = None,
        answer_by: float | None = None,
    ) -> Call:
        """A call of ``probe`` with its own simulator."""
        reader: HistoryReader | None = self.ledger.history_reader() if history else None
        if ledger and simulator is None:
            simulator = self.simulator(tx_id)
        return Call(
            kind=kind,
            channel_id=channel_id,
            tx_id=tx_id,
            chaincode_name=ccid.partition(":")[0],
            ccid=ccid,
            input=ChaincodeInput(args=args),
            signed_proposal=signed_proposal or SignedProposal(proposal_bytes=b"p", signature=b"s"),
            simulator=simulator,
            history=reader,
            key_level_endorsement=key_level_endorsement,
            purge_private_data=purge_private_data,
            answer_by=answer_by,
        )

    def close(self) -> None:
        """Close the simulators and the ledger."""
        for simulator in self._simulators:
            simulator.close()
        self.ledger.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "ledger")
    yield made
    made.close()


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Keys r0000 to r0249; shared by tests that do not commit."""
    made = World(tmp_path_factory.mktemp("world") / "ledger")
    made.put({f"r{n:04}": b"%d" % n for n in range(250)})
    yield made
    made.close()


def message(
    kind: int, payload: Message | bytes = b"", *, tx: str = "t1", channel: str = "ch"
) -> Msg:
    """A message of the chaincode."""
    raw = payload if isinstance(payload, bytes) else payload.SerializeToString()
    return Msg(type=kind, payload=raw, txid=tx, channel_id=channel)


def register(ccid: str = "probe:1") -> Msg:
    """REGISTER as every shim sends it."""
    return Msg(type=Msg.REGISTER, payload=ChaincodeID(name=ccid).SerializeToString())


def completed(
    tx: str = "t1", *, channel: str = "ch", status: int = 200, payload: bytes = b""
) -> Msg:
    """COMPLETED with a response."""
    return message(Msg.COMPLETED, Response(status=status, payload=payload), tx=tx, channel=channel)


class MemoryStream:
    """The peer's end of a stream; the test plays the chaincode with ``say`` and ``hear``.

    ``stop_reading`` makes the chaincode deaf: ``send`` then waits for ever.
    """

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[Msg | StreamEnded | None] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Msg] = asyncio.Queue()
        self._reading = asyncio.Event()
        self._reading.set()
        self.closed = asyncio.Event()

    async def receive(self) -> Msg | None:
        item = await self._incoming.get()
        if isinstance(item, StreamEnded):
            raise item
        return item

    async def send(self, item: Msg) -> None:
        await self._reading.wait()
        sent = Msg()
        sent.CopyFrom(item)
        self._outgoing.put_nowait(sent)

    async def close(self) -> None:
        self.closed.set()

    def say(self, *items: Msg) -> None:
        """The chaincode sends these."""
        for item in items:
            self._incoming.put_nowait(item)

    def hang_up(self) -> None:
        """The chaincode closes the stream."""
        self._incoming.put_nowait(None)

    def break_off(self, reason: StreamEnded | None = None) -> None:
        """The network takes the stream away."""
        self._incoming.put_nowait(reason or StreamLost("connection reset"))

    def stop_reading(self) -> None:
        """From now on nobody takes what is sent."""
        self._reading.clear()

    def read_again(self) -> None:
        """Undo ``stop_reading``."""
        self._reading.set()

    async def hear(self) -> Msg:
        """The next message that the chaincode gets."""
        async with asyncio.timeout(10):
            return await self._outgoing.get()

    def heard(self) -> list[Msg]:
        """Everything that has arrived and was not taken yet."""
        items = []
        while not self._outgoing.empty():
            items.append(self._outgoing.get_nowait())
        return items

    async def start(self, ccid: str = "probe:1") -> None:
        """Register and take the greeting."""
        self.say(register(ccid))
        assert [(await self.hear()).type, (await self.hear()).type] == [Msg.REGISTERED, Msg.READY]


@pytest.fixture(scope="session")
def caller() -> Callable[..., StreamPeer]:
    """Makes the other ends of streams."""

    def make(remote: str = "127.0.0.1:4711", fingerprint: str | None = None) -> StreamPeer:
        return StreamPeer(remote=remote, fingerprint=fingerprint, loopback=True)

    return make


@pytest.fixture
def stream_type() -> type[MemoryStream]:
    return MemoryStream


@pytest.fixture(scope="session")
def say() -> type[Say]:
    return Say


class Say:
    """Messages of a chaincode, for tests."""

    message = staticmethod(message)
    register = staticmethod(register)
    completed = staticmethod(completed)
