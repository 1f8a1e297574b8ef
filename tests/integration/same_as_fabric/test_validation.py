"""What conversations cannot hold both peers to: a block that they judge differently on purpose.

All else about validation is in tests/differential/conversations.
"""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import BlockMetadataIndex
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from harness.both_peers import Pair, deploy, forge
from treadle_fabric.wire import get_metadata

pytestmark = [pytest.mark.real_fabric, pytest.mark.timeout(120)]


async def test_a_forged_query_may_write_nowhere_but_at_a_real_peer(pair: Pair) -> None:
    """The one deliberate difference: any member could overwrite any chaincode's state."""
    consortium = pair.ours.consortium
    await deploy(pair, "probe", "AND('Org1MSP.peer','Org2MSP.peer')")
    forged = forge(pair, chaincode="qscc", endorsers=[consortium.client], version="syscc")
    ours, real = await pair.commit(pair.ours.next_block(forged))
    assert ours.codes == [TxValidationCode.ILLEGAL_WRITESET]
    assert get_metadata(real, BlockMetadataIndex.TRANSACTIONS_FILTER) == b"\x00"


async def test_a_transaction_of_no_channel_is_valid_only_at_a_real_peer(pair: Pair) -> None:
    """A real peer asks its own MSP then, so that peers of different organisations disagree."""
    await deploy(pair, "probe")
    ours, real = await pair.commit(pair.ours.next_block(forge(pair), forge(pair, channel_id="")))
    valid, refused = TxValidationCode.VALID, TxValidationCode.BAD_CREATOR_SIGNATURE
    assert ours.codes == [valid, refused]
    assert get_metadata(real, BlockMetadataIndex.TRANSACTIONS_FILTER) == bytes([valid, valid])
