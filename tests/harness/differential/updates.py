"""Config updates that conversations send."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import Config, ConfigUpdate
from fabric_protos.peer.configuration_pb2 import AnchorPeer, AnchorPeers
from harness.differential.configblocks import config_of
from treadle_fabric.channelconfig import compute_update
from treadle_fabric.wire import serialize


def anchored(block: Block, channel: str, port: int) -> ConfigUpdate:
    """What makes a peer on *port* the anchor of Org1, after the configuration in *block*."""
    config = config_of(block)
    changed = Config.FromString(config.SerializeToString())
    anchor = AnchorPeers(anchor_peers=[AnchorPeer(host="peer0.org1.test", port=port)])
    organization = changed.channel_group.groups["Application"].groups["Org1MSP"]
    organization.values["AnchorPeers"].value = serialize(anchor)
    organization.values["AnchorPeers"].mod_policy = "Admins"
    update = compute_update(config, changed, channel_id=channel)
    for half in (update.read_set, update.write_set):
        # Only one of the networks has it; what an update does not repeat, it removes.
        half.groups["Application"].groups["Org1MSP"].policies.pop("Endorsement", None)
    return update
