"""What becomes of transactions, through a whole peer: codes, events, history, pages, metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.events_pb2 import FilteredBlock
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.operations import over_stream
from harness.real_peer import Shim
from harness.runtimes import metrics
from harness.workbench import Workbench, refusal
from treadle_fabric.client import Channel, Endorsed, NotCommitted
from treadle_fabric.policy import parse_policy
from treadle_fabric.wire import unpack_transaction

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(300)]

LANGUAGES = [
    pytest.param("go"),
    pytest.param("node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", marks=pytest.mark.toolchain("java")),
    pytest.param("python", marks=pytest.mark.toolchain("python")),
]
ACCOUNTS = "accounts"
ADMINS_ONLY = parse_policy("OR('Org1MSP.admin')")  # which no peer is


async def endorsed(channel: Channel, name: str, *args: str) -> Endorsed:
    return await channel.endorse(channel.propose(name, args))


async def code_of(channel: Channel, transaction: Endorsed) -> int:
    """The validation code with which *transaction* is committed."""
    try:
        await channel.submit(transaction)
    except NotCommitted as invalid:
        return invalid.code
    return TxValidationCode.VALID


async def asked(channel: Channel, name: str, *args: str) -> Any:
    return json.loads(await channel.evaluate(name, args))


async def test_of_two_concurrent_transfers_one_wins(workbench: Workbench) -> None:
    async with workbench.admin() as network:
        channel = await workbench.deploy(network, ACCOUNTS)
        for account, amount in (("rich", "100"), ("poor", "0"), ("other", "0")):
            await channel.invoke(ACCOUNTS, ["set", account, amount])
        rivals = [
            await endorsed(channel, ACCOUNTS, "transfer", "rich", to, "60")
            for to in ("poor", "other")
        ]
        codes = await asyncio.gather(*(code_of(channel, rival) for rival in rivals))
        assert sorted(codes) == [TxValidationCode.VALID, TxValidationCode.MVCC_READ_CONFLICT]
        balances = [
            (await asked(channel, ACCOUNTS, "query", account))["balance"]
            for account in ("rich", "poor", "other")
        ]
        assert balances[0] == 40
        assert sorted(balances[1:]) == [0, 60]


@pytest.mark.parametrize("change", [("set", "ph5", "new"), ("delete", "ph1")], ids=lambda c: c[0])
async def test_a_range_that_changed_meanwhile_is_a_phantom(
    change: Sequence[str], workbench: Workbench
) -> None:
    async with workbench.admin() as network:
        channel = await workbench.deploy(network, ACCOUNTS)
        await channel.invoke(ACCOUNTS, ["set", "ph1", "one"])
        await channel.invoke(ACCOUNTS, ["delete", "ph5"])
        stale = await endorsed(channel, ACCOUNTS, "range", "ph", "pi")
        await channel.invoke(ACCOUNTS, list(change))
        assert await code_of(channel, stale) == TxValidationCode.PHANTOM_READ_CONFLICT
        fresh = await endorsed(channel, ACCOUNTS, "range", "ph", "pi")
        assert await code_of(channel, fresh) == TxValidationCode.VALID


async def test_a_policy_that_nobody_satisfies_lets_nothing_in(workbench: Workbench) -> None:
    async with workbench.admin() as network:
        channel = await workbench.deploy(network, "guarded", policy=ADMINS_ONLY)
        refused = TxValidationCode.ENDORSEMENT_POLICY_FAILURE
        assert await code_of(channel, await endorsed(channel, "guarded", "set", "k", "v")) == (
            refused
        )
        await workbench.deploy(network, ACCOUNTS)
        around = await endorsed(channel, ACCOUNTS, "call", "guarded", "", "set", "k", "v")
        assert json.loads(around.payload)["status"] == 200
        assert await code_of(channel, around) == refused
        assert (await asked(channel, "guarded", "get", "k"))["value"] is None


async def test_a_key_of_another_organisation_is_out_of_reach(workbench: Workbench) -> None:
    """State-based endorsement; the example contract has no function for it."""
    async with workbench.admin() as network:
        await workbench.install(network, "keyed")
        shim = Shim(workbench.peer.addresses["chaincode"], "keyed:1", over_stream)
        await shim.start()
        try:
            await workbench.instantiate(network, "keyed")
            channel = await workbench.deploy(network, "keyed")

            async def code(*steps: str) -> int:
                return await code_of(channel, await endorsed(channel, "keyed", "go", *steps))

            assert await code("put k 1") == TxValidationCode.VALID
            assert await code("policy k Org2MSP") == TxValidationCode.VALID
            refused = TxValidationCode.ENDORSEMENT_POLICY_FAILURE
            assert await code("put k 2") == refused
            assert await code("put other 2", "delete k") == refused
            assert await code("policy k Org1MSP") == refused
            assert await code("put other 2") == TxValidationCode.VALID
            assert await channel.evaluate("keyed", ["go", "get k", "get other"]) == b"1|2"
        finally:
            await shim.stop()


async def test_the_same_transaction_counts_once(workbench: Workbench) -> None:
    async with workbench.admin() as network:
        channel = await workbench.deploy(network, ACCOUNTS)
        again = await endorsed(channel, ACCOUNTS, "set", "once", "v")
        receipt = await channel.submit(again)
        await channel.broadcast(again)
        following = channel.filtered_blocks(start=receipt.commit.block + 1, within=30)
        codes: list[int] = []
        async for block in following:
            codes += [
                tx.tx_validation_code
                for tx in block.filtered_transactions
                if tx.txid == receipt.tx_id
            ]
            if codes:
                break
        assert codes == [TxValidationCode.DUPLICATE_TXID]
        assert len(await asked(channel, ACCOUNTS, "history", "once")) == 1


def filtered_events(block: FilteredBlock, tx_id: str) -> list[ChaincodeEvent]:
    return [
        action.chaincode_event
        for tx in block.filtered_transactions
        if tx.txid == tx_id
        for action in tx.transaction_actions.chaincode_actions
    ]


def full_events(block: Block, tx_id: str) -> list[ChaincodeEvent]:
    """As an application digs them out of a block."""
    events = []
    for data in block.data.data:
        transaction = unpack_transaction(data)
        result = ChaincodeAction.FromString(bytes(transaction.action_bytes))
        event = ChaincodeEvent.FromString(result.events)
        if event.tx_id == tx_id:
            events.append(event)
    return events


async def test_events_reach_who_listens_to_filtered_and_to_full_blocks(
    workbench: Workbench,
) -> None:
    async with workbench.admin() as network:
        channel = await workbench.deploy(network, ACCOUNTS)
        height = (await network.administration.chain_info(channel.name)).height
        filtered = channel.filtered_blocks(start=height, within=30)
        full = channel.blocks(start=height, within=30)
        listening = asyncio.gather(anext(filtered), anext(full))
        receipt = await channel.invoke(ACCOUNTS, ["event", "harvest", "ten apples"])
        seen_filtered, seen_full = await listening
        whole = ChaincodeEvent(
            chaincode_id=ACCOUNTS,
            tx_id=receipt.tx_id,
            event_name="harvest",
            payload=b"ten apples",
        )
        assert full_events(seen_full, receipt.tx_id) == [whole]
        whole.ClearField("payload")  # filtered blocks keep payloads to themselves
        assert filtered_events(seen_filtered, receipt.tx_id) == [whole]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_history_comes_newest_first(language: str, workbench: Workbench) -> None:
    async with workbench.admin() as network:
        name = f"{language}-caller"
        channel = await workbench.deploy(network, name, language)
        changes = [["set", "hist", "one"], ["set", "hist", "two"], ["delete", "hist"]]
        receipts = [await channel.invoke(name, change) for change in changes]
        history = await asked(channel, name, "history", "hist")
        assert [entry["txId"] for entry in history] == [r.tx_id for r in reversed(receipts)]
        told = [(entry["value"] or None, entry["deleted"]) for entry in history]
        assert told == [(None, True), ("two", False), ("one", False)]
        assert await asked(channel, name, "history", "never") == []


async def pages(channel: Channel, name: str, size: int) -> list[tuple[list[str], str]]:
    """All pages of the keys pg…, following the bookmarks."""
    found: list[tuple[list[str], str]] = []
    bookmark = ""
    while True:
        page = await asked(channel, name, "page", "pg", "ph", str(size), bookmark)
        keys = [item["key"] for item in page["items"]]
        assert page["fetched"] == len(keys)
        bookmark = page["bookmark"]
        found.append((keys, bookmark))
        if not bookmark:
            return found


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_and_bookmarks_are_the_same_in_every_language(
    language: str, workbench: Workbench
) -> None:
    async with workbench.admin() as network:
        name = f"{language}-caller"
        channel = await workbench.deploy(network, name, language)
        await channel.invoke(name, ["bulk", "pg", "0", "5", "3"])
        keys = [f"pg{number:08d}" for number in range(5)]
        assert await pages(channel, name, 2) == [
            (keys[:2], keys[2]),
            (keys[2:4], keys[4]),
            (keys[4:], ""),
        ]
        assert await pages(channel, name, 5) == [(keys, "")]
        assert await pages(channel, name, 100) == [(keys, "")]
        beyond = await asked(channel, name, "page", "pg", "ph", "2", "pgz")
        assert beyond == {"items": [], "fetched": 0, "bookmark": ""}


async def test_metrics_tell_what_happened_under_fabrics_names(workbench: Workbench) -> None:
    async with workbench.admin() as network:
        channel = await workbench.deploy(network, "measured")
        await channel.invoke("measured", ["set", "k", "v"])
        await channel.evaluate("measured", ["get", "k"])
        assert "no" in await refusal(channel, "measured", "fail", "no")
    found = metrics(workbench.operations)
    about = 'channel="mychannel",chaincode="measured:1"'
    for kind in ("GET_STATE", "PUT_STATE"):
        label = f'{{type="{kind}",{about}'
        assert found[f"chaincode_shim_requests_received{label}}}"] == 1
        assert found[f'chaincode_shim_requests_completed{label},success="true"}}'] == 1
    timed = f'chaincode_shim_request_duration_count{{type="PUT_STATE",{about},success="true"}}'
    assert found[timed] == 1
    proposals = 'endorser_proposal_duration_count{channel="mychannel",chaincode="measured"'
    assert found[f'{proposals},success="true"}}'] == 2
    assert found[f'{proposals},success="false"}}'] == 1
    assert found["endorser_proposals_received"] > found["endorser_successful_proposals"] > 2
