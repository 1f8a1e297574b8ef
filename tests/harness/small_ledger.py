"""A ledger of one channel where one chaincode owns the state, and calls on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TransactionAction,
)
from google.protobuf.timestamp_pb2 import Timestamp
from treadle_fabric.wire import new_block, set_transactions_filter
from treadle_peer.execution import Call, CallKind
from treadle_peer.ledger import HistoryReader, Ledger, Simulator


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


class SmallLedger:
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
