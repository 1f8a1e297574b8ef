"""One conversation in which the script is orderer, client and endorsers: any block at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.crafting import Forgery, results, write_set
from harness.differential.blocks_crafting import (
    block_of,
    config_transaction,
    definition,
    fixed_nonce,
    fixed_time,
    genesis,
)
from harness.differential.blocks_targets import BlocksTarget, CallFailed
from harness.differential.drafts import Draft
from harness.differential.events import Event
from harness.differential.material import FixedConsortium, FixedSigner
from harness.differential.recorder import Recorder
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.client.legacy import Deployment, deployment_args
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import block_header_hash, get_transactions_filter, serialize

Version = tuple[int, int]


class BlocksTalk(Recorder):
    """The conversation's own channel, made by ``open``; every committed block is recorded.

    ``head`` is its last block, ``bundle`` its configuration. Every byte that is handed over is
    the same each time.
    """

    def __init__(
        self, *, key: str, title: str, target: BlocksTarget, cast: FixedConsortium
    ) -> None:
        super().__init__(title, target.texts)
        self.key = self.channel = key
        self.cast = cast
        self.head = Block()
        self.bundle: Bundle
        self.last_config = 0
        self._target = target
        self._seeds: Counter[str] = Counter()

    # -- setting up

    async def open(
        self,
        capability: str = "V1_4_2",
        *,
        deployed: Sequence[str] = ("probe",),
        policy: str = "",
        change: Callable[[ConfigGroup], None] | None = None,
    ) -> None:
        """Join the channel; *deployed* are instantiated in block 1 (default *policy*: any member).

        *change* is made to the first configuration.
        """
        self.head = genesis(self.cast, self.channel, capability, change)
        self.bundle = Bundle.from_block(self.head)
        join = self._draft("cscc", b"JoinChain", serialize(self.head), signer=self.cast.admin)
        join.channel_id = ""
        answer = await self._target.process(join.build().signed)
        assert answer.response.status == 200, answer.response.message
        if deployed:
            codes = await self.commit(*(self.deployment(name, policy=policy) for name in deployed))
            assert not any(codes), codes

    # -- making transactions

    def forge(self, *endorsers: FixedSigner, **changes: Any) -> bytes:
        """A transaction of ``probe`` that writes k, honest but for *changes* (fields of Forgery).

        Endorsed by Org1's peer unless *endorsers* are given.
        """
        seed = self._seed("transaction")
        made: dict[str, Any] = {
            "creator": self.cast.client,
            "endorsers": list(endorsers) or [self.cast.peer],
            "results": results(("probe", write_set(writes={"k": "v"}))),
            "channel_id": self.channel,
            "nonce": fixed_nonce(seed),
            "timestamp": fixed_time(seed),
        }
        return Forgery(**(made | changes)).envelope()

    def change(
        self,
        *endorsers: FixedSigner,
        reads: Mapping[str, Version | None] | None = None,
        policies: Mapping[str, str] | None = None,
        **writes: str,
    ) -> bytes:
        """A transaction of ``probe`` that reads versions, sets key policies, and writes values."""
        content = write_set(writes=writes, policies=policies, reads=reads)
        return self.forge(*endorsers, results=results(("probe", content)))

    def effect(self, content: KVRWSet, *endorsers: FixedSigner, **changes: Any) -> bytes:
        """A transaction of ``probe`` with exactly this read-write set."""
        return self.forge(*endorsers, results=results(("probe", content)), **changes)

    def deployment(
        self,
        name: str = "probe",
        version: str = "1",
        *,
        policy: str = "",
        verb: str = "deploy",
        **changes: Any,
    ) -> bytes:
        """What lscc's deploy or upgrade looks like once it is endorsed; an admin's transaction."""
        given = serialize(parse_policy(policy)) if policy else None
        value = definition(name, version, given).encode()
        args = deployment_args(verb, self.channel, Deployment(name=name, version=version))
        return self.forge(
            **{
                "creator": self.cast.admin,
                "chaincode": "lscc",
                "version": "syscc",
                "args": args,
                "results": results(("lscc", write_set(writes={name: value}))),
            }
            | changes
        )

    def block(self, *envelopes: bytes, signers: Sequence[FixedSigner] | None = None) -> Block:
        """The next block of the channel, signed by its orderer or *signers*; not handed over."""
        return block_of(
            envelopes,
            number=self.head.header.number + 1,
            previous=block_header_hash(self.head.header),
            last_config=self.last_config,
            signers=[self.cast.orderer] if signers is None else signers,
        )

    # -- handing over, recorded

    async def commit(self, *envelopes: bytes) -> list[int]:
        """Hand over *envelopes* as the next block; its codes."""
        return await self.hand(self.block(*envelopes))

    async def hand(self, block: Block) -> list[int]:
        """Hand *block* over and record it as it is committed, or that the peer refuses it."""
        number = block.header.number
        committed = await self._target.deliver(self.channel, block)
        if committed is None:
            self.note(f"block {number}", "refused")
            return []
        self.head = committed
        self._hear_block(committed)
        return get_transactions_filter(committed)

    async def configure(self, change: Callable[[ConfigGroup], None], *signers: FixedSigner) -> None:
        """Commit a block with a change of the configuration, signed by both admins or *signers*."""
        number = self.head.header.number + 1
        transaction = config_transaction(
            self.bundle,
            change,
            cast=self.cast,
            seed=self._seed("configuration"),
            signers=signers or (self.cast.admin, self.cast.admin2),
        )
        self.last_config = number
        await self.commit(transaction)
        assert self.head.header.number == number
        self.bundle = Bundle.from_block(self.head)

    async def halt(self, *envelopes: bytes) -> None:
        """Hand over a block after which the channel stops, and record whether it does."""
        halts = await self._target.halts(self.channel, self.block(*envelopes))
        self.note("channel", "stops" if halts else "goes on")

    # -- asking, recorded

    async def ask(
        self,
        chaincode: str,
        *args: bytes | str,
        hint: str = "",
        signer: FixedSigner | None = None,
    ) -> None:
        """Propose on the channel and record the answer; *hint* types its payload."""
        raw = (arg.encode() if isinstance(arg, str) else arg for arg in args)
        proposal = self._draft(chaincode, *raw, signer=signer or self.cast.client).build()
        source = self.source("endorsement")
        try:
            answer = await self._target.process(proposal.signed)
        except CallFailed as error:
            self.hear(Event(source=source, kind="end", code="UNKNOWN", details=str(error)))
            return
        self.hear_message(source, answer, hint)

    async def probe(self, *steps: str) -> None:
        """Let ``probe`` take *steps* (see harness.operations) and record the endorsement."""
        await self.ask("probe", "do", *steps)

    async def qscc(self, function: str, *args: bytes | str, hint: str = "") -> None:
        """Ask qscc about the channel."""
        await self.ask("qscc", function, self.channel, *args, hint=hint)

    async def chain(self) -> None:
        """Record height and hashes of the chain."""
        await self.qscc("GetChainInfo", hint="common.BlockchainInfo")

    # -- recording

    async def close(self) -> None:
        """Nothing is open: all of the conversation's bytes are the same each time."""

    def _hear_block(self, block: Block) -> None:
        """Header and metadata, then entry by entry: in one piece, each field would cost a block."""
        number = block.header.number
        codes = map(TxValidationCode.Name, get_transactions_filter(block))
        self.note(f"codes of block {number}", ", ".join(codes))
        frame = Block(header=block.header, metadata=block.metadata)
        self.hear_message(f"block {number}", frame)
        self.note(f"size of block {number}", len(block.data.data))
        for index, entry in enumerate(block.data.data):
            self.hear(
                Event(
                    source=f"transaction {number}.{index}",
                    kind="message",
                    type="common.Envelope",
                    data=entry,
                )
            )

    def _draft(self, chaincode: str, *args: bytes, signer: FixedSigner) -> Draft:
        return Draft(
            seed=self._seed("proposal"),
            signer=signer,
            channel_id=self.channel,
            chaincode=chaincode,
            args=args,
        )

    def _seed(self, kind: str) -> str:
        self._seeds[kind] += 1
        return f"{self.key} {kind} {self._seeds[kind]}"
