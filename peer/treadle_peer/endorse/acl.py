"""Who may use which resource of the peer (fabric-wire.md §6.6).

Resources of the peer itself are judged by its local MSP, resources of a channel by a policy of
that channel: the default one, or the one the channel's ACLs name instead.
"""

from __future__ import annotations

from fabric_protos.msp.msp_principal_pb2 import MSPPrincipal, MSPRole
from treadle_fabric.msp import MSP, MSPError
from treadle_fabric.policy import PolicyError, RejectPolicy, SignedData
from treadle_fabric.wire import UnpackedProposal, serialize

from treadle_peer.channels import Channel, Channels
from treadle_peer.endorse.errors import AccessDenied

READERS = "/Channel/Application/Readers"
WRITERS = "/Channel/Application/Writers"

PROPOSE = "peer/Propose"
CHAINCODE_TO_CHAINCODE = "peer/ChaincodeToChaincode"

_LOCAL = {
    "lscc/Install": "Admins",
    "lscc/GetInstalledChaincodes": "Admins",
    "cscc/JoinChain": "Admins",
    "cscc/JoinChainBySnapshot": "Admins",
    "cscc/JoinBySnapshotStatus": "Admins",
    "cscc/GetChannels": "Members",
    "snapshot/submitrequest": "Admins",
    "snapshot/cancelrequest": "Admins",
    "snapshot/listpending": "Admins",
}
_CHANNEL = {
    "lscc/ChaincodeExists": READERS,
    "lscc/GetDeploymentSpec": READERS,
    "lscc/GetChaincodeData": READERS,
    "lscc/GetInstantiatedChaincodes": READERS,
    "lscc/GetCollectionsConfig": READERS,
    "qscc/GetChainInfo": READERS,
    "qscc/GetBlockByNumber": READERS,
    "qscc/GetBlockByHash": READERS,
    "qscc/GetTransactionByID": READERS,
    "qscc/GetBlockByTxID": READERS,
    "cscc/GetConfigBlock": READERS,
    "cscc/GetConfigTree": READERS,
    "cscc/GetChannelConfig": READERS,
    PROPOSE: WRITERS,
    CHAINCODE_TO_CHAINCODE: WRITERS,
    "event/Block": READERS,
    "event/FilteredBlock": READERS,
    "gateway/CommitStatus": READERS,
    "gateway/ChaincodeEvents": READERS,
}
_ROLES = {"Admins": MSPRole.ADMIN, "Members": MSPRole.MEMBER}


def signed_data(proposal: UnpackedProposal) -> SignedData:
    """The client's signature over its proposal, ready for a policy."""
    return SignedData(data=proposal.raw, identity=proposal.creator, signature=proposal.signature)


class AccessControl:
    """The peer's ACLs; also for services that get signed envelopes instead of proposals."""

    def __init__(self, *, channels: Channels, local_msp: MSP) -> None:
        self._channels = channels
        self._local_msp = local_msp

    def check(self, resource: str, channel_id: str, signed: SignedData) -> None:
        """Raise AccessDenied with Fabric's text unless the signer may use *resource*.

        *channel_id* is ignored for resources of the peer itself.
        """
        if resource in _LOCAL:
            self._check_local(_LOCAL[resource], signed)
            return
        channel = self._channels.get(channel_id)
        override = channel.bundle.application.acls.get(resource) if channel else None
        if channel is not None and override:
            self._check_override(channel, override, signed)
            return
        policy = _CHANNEL.get(resource)
        if policy is None:
            raise AccessDenied(f"Unmapped policy for {resource}")
        if not channel_id:
            self._check_local(policy, signed)
            return
        self._check_channel(channel_id, policy, signed)

    def _check_override(self, channel: Channel, policy: str, signed: SignedData) -> None:
        missing = isinstance(channel.bundle.policies.policy(policy), RejectPolicy)
        violation = self._violation(channel.channel_id, policy, signed)
        error = f"policy {policy} not found" if missing else violation
        if error:
            raise AccessDenied(
                f"failed evaluating policy on signed data during check policy [{policy}]: [{error}]"
            )

    def _check_channel(self, channel_id: str, policy: str, signed: SignedData) -> None:
        if self._channels.get(channel_id) is None:
            raise AccessDenied(f"Failed to get policy manager for channel [{channel_id}]")
        error = self._violation(channel_id, policy, signed)
        if error:
            raise AccessDenied(
                "Failed evaluating policy on signed data during check policy "
                f"on channel [{channel_id}] with policy [{policy}]: [{error}]"
            )

    def _violation(self, channel_id: str, policy: str, signed: SignedData) -> str | None:
        channel = self._channels.get(channel_id)
        if channel is None:
            return None
        try:
            channel.bundle.policies.policy(policy).evaluate([signed])
        except PolicyError as error:
            return str(error)
        return None

    def _check_local(self, policy: str, signed: SignedData) -> None:
        during = f"during channelless check policy with policy [{policy}]"
        try:
            identity = self._local_msp.deserialize(signed.identity)
        except MSPError as error:
            raise AccessDenied(
                f"Failed deserializing proposal creator {during}: [{error}]"
            ) from error
        if policy not in _ROLES:
            raise AccessDenied(
                f"Failed getting local MSP principal {during}: "
                f"[MSP Principal role [{policy}] not recognized]"
            )
        try:
            self._local_msp.satisfies(identity, self._principal(policy))
        except MSPError as error:
            raise AccessDenied(
                "Failed verifying that proposal's creator satisfies local MSP principal "
                f"{during}: [{error}]"
            ) from error
        try:
            identity.verify(signed.data, signed.signature)
        except MSPError as error:
            raise AccessDenied(str(error)) from error

    def _principal(self, policy: str) -> MSPPrincipal:
        role = MSPRole(role=_ROLES[policy], msp_identifier=self._local_msp.msp_id)
        return MSPPrincipal(principal_classification=MSPPrincipal.ROLE, principal=serialize(role))
