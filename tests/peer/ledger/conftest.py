"""Chains of blocks without identities: the ledger does not look at signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import (
    Block,
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TransactionAction,
)
from google.protobuf.timestamp_pb2 import Timestamp
from treadle_fabric.wire import new_block, set_transactions_filter
from treadle_peer.ledger import CommittedBlock, Ledger, Simulator


def endorsed(results: bytes, *, tx_id: str, channel: str = "ch", seconds: int = 0) -> bytes:
    """An endorser transaction's envelope with this read-write set."""
    action = ChaincodeAction(results=results)
    response = ProposalResponsePayload(extension=action.SerializeToString())
    payload = ChaincodeActionPayload()
    payload.action.proposal_response_payload = response.SerializeToString()
    transaction = Transaction(actions=[TransactionAction(payload=payload.SerializeToString())])
    return _envelope(
        HeaderType.ENDORSER_TRANSACTION,
        transaction.SerializeToString(),
        tx_id=tx_id,
        channel=channel,
        seconds=seconds,
    )


def configuration(sequence: int, *, channel: str = "ch") -> bytes:
    """A CONFIG envelope."""
    data = ConfigEnvelope(config=Config(sequence=sequence)).SerializeToString()
    return _envelope(HeaderType.CONFIG, data, tx_id="", channel=channel, seconds=0)


def _envelope(
    kind: HeaderType.ValueType, data: bytes, *, tx_id: str, channel: str, seconds: int
) -> bytes:
    header = ChannelHeader(
        type=kind, channel_id=channel, tx_id=tx_id, timestamp=Timestamp(seconds=seconds)
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


class Chain:
    """A ledger and the blocks that extend it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._ids = 0

    def next_id(self) -> str:
        """A transaction id that was not used before."""
        self._ids += 1
        return f"{self.ledger.height:08x}{self._ids:056x}"

    def block(self, envelopes: Sequence[bytes], codes: Sequence[int] | None = None) -> Block:
        """The next block, as validation would hand it over."""
        info = self.ledger.chain_info()
        block = new_block(info.height, info.currentBlockHash, list(envelopes))
        set_transactions_filter(block, codes if codes is not None else bytes(len(envelopes)))
        return block

    def commit(self, *envelopes: bytes, codes: Sequence[int] | None = None) -> CommittedBlock:
        """Append a block of these envelopes."""
        return self.ledger.commit(self.block(envelopes, codes))

    def commit_results(self, *results: bytes) -> CommittedBlock:
        """Append a block with one endorser transaction for each read-write set."""
        return self.commit(*(endorsed(each, tx_id=self.next_id()) for each in results))

    def simulate(self, work: Callable[[Simulator], object]) -> bytes:
        """The read-write set of *work* on the newest height."""
        with self.ledger.simulator("tx") as simulator:
            work(simulator)
            return simulator.results()

    def put(self, **values: bytes) -> CommittedBlock:
        """Commit one transaction that sets keys of namespace ``ns``."""

        def work(simulator: Simulator) -> None:
            for key, value in values.items():
                simulator.set_state("ns", key, value)

        return self.commit_results(self.simulate(work))


def genesis(channel: str = "ch") -> Block:
    """A block 0 with a nearly empty configuration."""
    return new_block(0, b"", [configuration(1, channel=channel)])


@pytest.fixture
def chain(tmp_path: Path):
    """A new chain with a genesis block."""
    ledger = Ledger.create(tmp_path / "ledger", genesis())
    yield Chain(ledger)
    ledger.close()


@pytest.fixture(scope="session")
def make_chain() -> Callable[..., Chain]:
    """Makes chains in given folders, for tests that need many."""

    def make(folder: Path, **options: object) -> Chain:
        return Chain(Ledger.create(folder, genesis(), **options))  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def make_genesis() -> Callable[..., Block]:
    """Makes genesis blocks."""
    return genesis


@pytest.fixture(scope="session")
def make_transaction() -> Callable[..., bytes]:
    """Makes endorser transactions."""
    return endorsed


@pytest.fixture(scope="session")
def make_configuration() -> Callable[..., bytes]:
    """Makes config transactions."""
    return configuration
