"""The chaincode session: one stream's protocol without I/O, clock or tasks.

Messages and the passing of time go in, effects come out, in the order in which they must
happen. The rules are those of fabric-wire.md §1; the shell is ``chaincode.instances``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import Enum

from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError

from treadle_peer.chaincode.errors import Ending, ProtocolViolation, RegistrationRefused
from treadle_peer.chaincode.session import (
    history,
    invoking,
    metadata,
    private_data,
    ranges,
    replies,
    state,
)
from treadle_peer.chaincode.session.effects import (
    CancelInvoke,
    Effect,
    Failed,
    Finished,
    Invoke,
    Register,
    Send,
    TxKey,
)
from treadle_peer.chaincode.session.requests import Request
from treadle_peer.chaincode.session.transactions import Invocation, Transaction, Transactions
from treadle_peer.execution import Call, CallKind, ExecutionError
from treadle_peer.ledger import LedgerError

log = logging.getLogger(__name__)

TIMED_OUT = "timeout expired while executing transaction"
TERMINATED = "chaincode stream terminated"
ABANDONED = "the caller no longer waits for this transaction"
_NOT_RUN = "execute failed: error sending"

Handler = Callable[[Request], bytes]

HANDLERS: Mapping[int, Handler] = {
    ChaincodeMessage.GET_STATE: state.get_state,
    ChaincodeMessage.PUT_STATE: state.put_state,
    ChaincodeMessage.DEL_STATE: state.del_state,
    ChaincodeMessage.GET_STATE_METADATA: metadata.get_state_metadata,
    ChaincodeMessage.PUT_STATE_METADATA: metadata.put_state_metadata,
    ChaincodeMessage.GET_STATE_BY_RANGE: ranges.get_state_by_range,
    ChaincodeMessage.GET_QUERY_RESULT: ranges.get_query_result,
    ChaincodeMessage.QUERY_STATE_NEXT: ranges.query_state_next,
    ChaincodeMessage.QUERY_STATE_CLOSE: ranges.query_state_close,
    ChaincodeMessage.GET_HISTORY_FOR_KEY: history.get_history_for_key,
    ChaincodeMessage.GET_PRIVATE_DATA_HASH: private_data.get_private_data_hash,
    ChaincodeMessage.PURGE_PRIVATE_DATA: private_data.purge_private_data,
}


class SessionState(Enum):
    """Where the stream stands; the values are the words of Fabric's error texts."""

    CREATED = "created"
    ESTABLISHED = "established"
    READY = "ready"
    ENDED = "ended"


class Session:
    """Protocol state of one chaincode stream.

    ``receive`` raises RegistrationRefused or ProtocolViolation when the stream must end. Every
    call begun yields exactly one Finished or Failed, unless it is abandoned.
    """

    def __init__(self, *, total_query_limit: int = 100_000) -> None:
        self._state = SessionState.CREATED
        self._transactions = Transactions()
        self._invocations: dict[int, Transaction] = {}
        self._last_token = 0
        self._total_query_limit = total_query_limit

    @property
    def state(self) -> SessionState:
        """Where the stream stands."""
        return self._state

    @property
    def in_flight(self) -> int:
        """Number of transactions without an answer."""
        return len(self._transactions)

    def running(self, key: TxKey) -> bool:
        """Whether this transaction runs on this stream."""
        return key in self._transactions

    def receive(self, message: ChaincodeMessage) -> list[Effect]:
        """Take one message of the chaincode."""
        if message.type == ChaincodeMessage.KEEPALIVE:
            return []
        if self._state is SessionState.READY:
            return self._receive_ready(message)
        if self._state is SessionState.CREATED and message.type == ChaincodeMessage.REGISTER:
            self._state = SessionState.ESTABLISHED
            return [Register(_registered_name(message))]
        raise self._violation(message)

    def admit(self) -> list[Effect]:
        """The registration stands: greet the chaincode, strictly before any transaction."""
        self._state = SessionState.READY
        # READY stays empty: a payload would switch on the batch messages of 3.x.
        return [
            Send(ChaincodeMessage(type=ChaincodeMessage.REGISTERED)),
            Send(ChaincodeMessage(type=ChaincodeMessage.READY)),
        ]

    def begin(self, call: Call, *, deadline: float | None) -> list[Effect]:
        """Start *call*; raises ExecutionError when its key is running already."""
        if self._state is not SessionState.READY:
            raise ExecutionError(TERMINATED)
        self._transactions.begin(call, deadline)
        kind = ChaincodeMessage.INIT if call.kind is CallKind.INIT else ChaincodeMessage.TRANSACTION
        message = ChaincodeMessage(
            type=kind,
            payload=call.input.SerializeToString(deterministic=True),
            txid=call.tx_id,
            channel_id=call.channel_id,
            proposal=call.signed_proposal,
        )
        return [Send(message)]

    def answer(self, token: int, callee: ChaincodeMessage) -> list[Effect]:
        """The callee of an Invoke has ended with this final message."""
        return self._reply_to_invocation(
            token, lambda request: replies.response(request, callee.SerializeToString())
        )

    def refuse(self, token: int, cause: str) -> list[Effect]:
        """The callee of an Invoke could not be run."""
        return self._reply_to_invocation(token, lambda request: replies.error(request, cause))

    def next_deadline(self) -> float | None:
        """When ``expire`` has something to do, in the unit that ``begin`` was given."""
        return self._transactions.next_deadline()

    def expire(self, now: float) -> list[Effect]:
        """Fail the transactions whose time is over; the stream lives on."""
        effects: list[Effect] = []
        for key in self._transactions.expired(now):
            effects += self._drop(key, TIMED_OUT)
            effects.append(Failed(key, TIMED_OUT))
        return effects

    def abandon(self, key: TxKey) -> list[Effect]:
        """The caller went away: its simulator must not be touched any more."""
        return self._drop(key, ABANDONED)

    def end(self) -> list[Effect]:
        """The stream is gone: fail what runs. Nothing is sent. Idempotent."""
        self._state = SessionState.ENDED
        effects: list[Effect] = []
        for key in self._transactions:
            effects += self._forget(key)
            effects.append(Failed(key, TERMINATED))
        return effects

    def _receive_ready(self, message: ChaincodeMessage) -> list[Effect]:
        handler = HANDLERS.get(message.type)
        if handler is not None:
            return self._serve(handler, message)
        if message.type in {ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR}:
            return self._finish(message)
        if message.type == ChaincodeMessage.INVOKE_CHAINCODE:
            return self._invoke(message)
        raise self._violation(message)

    def _serve(self, handler: Handler, message: ChaincodeMessage) -> list[Effect]:
        transaction = self._transactions.get(message.channel_id, message.txid)
        if transaction is None or transaction.call.simulator is None:
            return [Send(replies.error(message, "no ledger context"))]
        if transaction.invocation is not None:
            return _ignore_second_request(message)
        request = Request(
            transaction, transaction.call.simulator, message.payload, self._total_query_limit
        )
        try:
            return [Send(replies.response(message, handler(request)))]
        except (replies.RequestFailed, LedgerError) as failure:
            return [Send(replies.error(message, str(failure)))]
        except Exception:
            # One chaincode's strange request must not cost the others their stream.
            log.exception("[%s] %s failed", message.txid[:8], replies.type_name(message.type))
            return [Send(replies.error(message, "panic during execution"))]

    def _invoke(self, message: ChaincodeMessage) -> list[Effect]:
        transaction = self._transactions.get(message.channel_id, message.txid)
        try:
            transaction = invoking.check_context(transaction, message)
            if transaction.invocation is not None:
                return _ignore_second_request(message)
            spec = invoking.wanted_callee(message)
        except replies.RequestFailed as failure:
            return [Send(replies.error(message, str(failure)))]
        self._last_token += 1
        transaction.invocation = Invocation(self._last_token, message)
        self._invocations[self._last_token] = transaction
        return [Invoke(self._last_token, transaction.call, spec)]

    def _finish(self, message: ChaincodeMessage) -> list[Effect]:
        transaction = self._transactions.finished_by(message)
        if transaction is None:
            log.debug("[%s] final message of an unknown transaction", message.txid[:8])
            return []
        # An open INVOKE_CHAINCODE stays unanswered: the shim has finished the transaction, and
        # a Go shim exits on a reply that it does not expect (fabric-wire.md §1.12).
        effects: list[Effect] = list(self._forget(transaction.key))
        return [*effects, Finished(transaction.key, message)]

    def _reply_to_invocation(
        self, token: int, reply: Callable[[ChaincodeMessage], ChaincodeMessage]
    ) -> list[Effect]:
        transaction = self._invocations.pop(token, None)
        if transaction is None or transaction.invocation is None:
            return []
        request = transaction.invocation.request
        transaction.invocation = None
        return [Send(reply(request))]

    def _drop(self, key: TxKey, cause: str) -> list[Effect]:
        """Forget a transaction that the chaincode still works on: answer what it waits for."""
        transaction = self._transactions.get(*key)
        if transaction is None:
            return []
        waiting = transaction.invocation
        effects: list[Effect] = list(self._forget(key))
        if waiting is not None:
            effects.append(Send(replies.error(waiting.request, f"{_NOT_RUN}: {cause}")))
        return effects

    def _forget(self, key: TxKey) -> list[CancelInvoke]:
        transaction = self._transactions.end(key)
        if transaction is None or transaction.invocation is None:
            return []
        token = transaction.invocation.token
        self._invocations.pop(token, None)
        return [CancelInvoke(token)]

    def _violation(self, message: ChaincodeMessage) -> ProtocolViolation:
        name = replies.type_name(message.type)
        if self._state in {SessionState.CREATED, SessionState.READY}:
            return ProtocolViolation(
                f"[{message.txid}] Fabric side handler cannot handle message ({name})"
                f" while in {self._state.value} state"
            )
        return ProtocolViolation(
            f"handle message: invalid state {self._state.value} for transaction {message.txid}"
        )


def _registered_name(message: ChaincodeMessage) -> str:
    try:
        name = ChaincodeID.FromString(message.payload).name
    except DecodeError:
        raise RegistrationRefused(
            "error in handling register chaincode, the payload is no ChaincodeID",
            Ending.INVALID_ARGUMENT,
        ) from None
    if not name:
        raise RegistrationRefused(
            "error in handling register chaincode, chaincodeID name is empty: "
            "set CORE_CHAINCODE_ID_NAME=<name>:<version>",
            Ending.INVALID_ARGUMENT,
        )
    return name


def _ignore_second_request(message: ChaincodeMessage) -> list[Effect]:
    log.error(
        "Another request pending for this CC, Txid: %s, ChannelID: %s. Cannot process %s.",
        message.txid,
        message.channel_id,
        replies.type_name(message.type),
    )
    return []
