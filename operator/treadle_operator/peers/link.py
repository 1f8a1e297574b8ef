"""One peer, by Fabric's APIs and by treadle.runtime.v1."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from treadle_fabric.channelconfig import Bundle, ConfigError, creation_update, update_transaction
from treadle_fabric.client import (
    Channel,
    Deadlines,
    DeliverRefused,
    Endorsed,
    EndorsementFailed,
    Endpoint,
    OrdererConnection,
    PeerAdministration,
    PeerConnection,
    deployment_args,
    seek_request,
)
from treadle_fabric.client import Deployment as LegacyDeployment
from treadle_fabric.packages import language_number
from treadle_fabric.wire import length_delimited_fields, parse, serialize

from treadle_operator.errors import PeerRefused, PeerUnavailable
from treadle_operator.model.developing import Development, DevelopmentPolicy
from treadle_operator.model.peering import (
    Certificate,
    Definition,
    Deployment,
    Phase,
    Purpose,
    Refusal,
    Runtime,
)
from treadle_operator.peers.access import Access
from treadle_operator.peers.processes import connected_ccids
from treadle_operator.peers.refusals import translated
from treadle_operator.peers.runtimes import Epoch, RuntimesClient, Told

_CONSORTIUM: Final = "SampleConsortium"
_SECONDS: Final = 20.0
# A deploy has a deadline of its own: how long an Init may take is the peer's setting.
_DEADLINES: Final = Deadlines(endorse=20, deploy=60, broadcast=10, commit=20, deliver=10)
_VERSION, _POLICY = 2, 5  # fields of ChaincodeData, whose policy Fabric keeps as bytes


class _LeadersOrderer(OrdererConnection):
    """Takes a transaction only from who leads: asked at the last moment, for an operator may be
    stopped between any two steps, and no ledger knows its epoch.
    """

    def __init__(self, endpoint: Endpoint, epoch: Epoch) -> None:
        super().__init__(endpoint)
        self._epoch = epoch

    async def broadcast(self, envelope: Envelope, *, within: float = 30.0) -> None:
        """Raises NotLeading, too."""
        self._epoch()
        await super().broadcast(envelope, within=within)


class Link:
    """See PeerLink. ``close`` ends it."""

    def __init__(
        self, access: Access, *, told: Told, epoch: Epoch, refused: Callable[[], object]
    ) -> None:
        """Connects when first used; the watch begins at once. Needs the running loop."""
        self.access, self._epoch = access, epoch
        self._peer = PeerConnection(access.peer)
        self._orderer = _LeadersOrderer(access.orderer, epoch) if access.orderer else None
        self._administration = PeerAdministration(peer=self._peer, signer=access.signer)
        self._runtimes: RuntimesClient | None = None
        if access.runtime is not None:
            self._runtimes = RuntimesClient(
                access.name, access.runtime, told=told, epoch=epoch, refused=refused
            )
            self._runtimes.start()

    async def tried(self, within: float) -> None:
        """Return once the watch has told everything or cannot; after *within* seconds anyway."""
        if self._runtimes is not None:
            await self._runtimes.tried(within)

    async def close(self) -> None:
        """End everything; calls still running fail."""
        if self._runtimes is not None:
            await self._runtimes.close()
        if self._orderer is not None:
            await self._orderer.close()
        await self._peer.close()

    @property
    def runtimes(self) -> Mapping[str, Runtime]:
        """What the peer requires now, by ccid."""
        return self._runtimes.rows if self._runtimes is not None else {}

    @property
    def refusals(self) -> Collection[Refusal]:
        """Registrations that the peer has refused."""
        return self._runtimes.refusals.values() if self._runtimes is not None else ()

    @property
    def developments(self) -> Mapping[str, Development]:
        """The chaincodes that the peer leaves to developers, by ccid."""
        return self._runtimes.developments if self._runtimes is not None else {}

    @property
    def development_refusal(self) -> str:
        """Why the peer does not take what ``apply_policies`` asked for."""
        return self._runtimes.development_refusal if self._runtimes is not None else ""

    @property
    def synced(self) -> bool:
        """Whether ``runtimes`` is complete and kept up to date."""
        return self._runtimes is not None and self._runtimes.synced

    async def require(self, ccid: str, execute_timeout: timedelta | None) -> Runtime:
        """Want a runtime."""
        return await self._operated().require(ccid, execute_timeout)

    async def release(self, ccid: str) -> None:
        """Want a runtime no more."""
        await self._operated().release(ccid)

    async def report(
        self,
        ccid: str,
        phase: Phase,
        message: str,
        *,
        log_tail: str = "",
        pod_addresses: Collection[str] = (),
    ) -> Runtime:
        """Tell how far a runtime is."""
        return await self._operated().report(ccid, phase, message, log_tail, pod_addresses)

    async def issue(
        self, ccid: str, purpose: Purpose, lifetime: timedelta | None = None, *, holder: str = ""
    ) -> Certificate:
        """A certificate."""
        return await self._operated().issue(ccid, purpose, lifetime, holder=holder)

    async def apply_policies(self, policies: Sequence[DevelopmentPolicy]) -> None:
        """Leave these chaincodes to developers, and no others."""
        await self._operated().apply_policies(policies)

    async def retire(self, fingerprint: str) -> None:
        """End a certificate."""
        await self._operated().retire(fingerprint)

    async def channels(self) -> frozenset[str]:
        """The channels that the peer has joined."""
        with translated(self.access.name):
            return frozenset(await self._administration.channels(within=_SECONDS))

    async def create_channel(self, name: str, capability: str) -> None:
        """Make a channel of the embedded ordering and join it.

        What an earlier try has left undone is done: one that is there already is only joined.
        """
        signer = self.access.signer
        try:
            update = creation_update(
                channel_id=name,
                consortium=_CONSORTIUM,
                organizations=[signer.msp_id],
                capabilities=[capability],
            )
        except ConfigError as error:
            raise PeerRefused("INVALID_ARGUMENT", str(error)) from error
        if name in await self.channels():
            return
        orderer = self._ordering()
        with translated(self.access.name):
            transaction = update_transaction(update=update, signers=[signer], submitter=signer)
            await orderer.broadcast(transaction, within=_SECONDS)
            if name not in await self._administration.channels(within=_SECONDS):
                await self._administration.join(await self._first_block(orderer, name))

    async def installed(self) -> Mapping[str, str]:
        """``name:version`` to the fingerprint of each installed legacy package."""
        with translated(self.access.name):
            found = await self._administration.installed(within=_SECONDS)
        return {f"{info.name}:{info.version}": info.id.hex() for info in found}

    async def install(self, data: bytes) -> None:
        """Install a package."""
        self._epoch()
        with translated(self.access.name):
            await self._administration.install(data, within=_DEADLINES.deploy)

    async def instantiated(self, channel: str) -> Mapping[str, str]:
        """The versions of a channel's chaincodes, by name."""
        with translated(self.access.name):
            found = await self._administration.instantiated(channel, within=_SECONDS)
        return {info.name: info.version for info in found}

    async def definition(self, channel: str, name: str) -> Definition | None:
        """The committed definition."""
        if name not in await self.instantiated(channel):
            return None
        call = self._administration.call
        with translated(self.access.name):
            args = [b"getccdata", channel.encode(), name.encode()]
            stored = await call("lscc", args, channel_id=channel, within=_SECONDS)
            fields = dict(length_delimited_fields(stored))
            return Definition(
                name=name,
                version=fields.get(_VERSION, b"").decode(errors="replace"),
                policy=fields.get(_POLICY, b""),
                collections=await self._collections(channel, name),
            )

    async def members(self, channel: str) -> tuple[str, ...]:
        """The MSP IDs of the channel's application organisations, sorted."""
        with translated(self.access.name):
            config = await self._administration.channel_config(channel, within=_SECONDS)
        try:
            organizations = Bundle.from_config(channel, config).application.orgs
        except ConfigError as error:
            raise PeerRefused("INTERNAL", f"channel {channel}: {error}") from error
        return tuple(sorted(organization.msp_id for organization in organizations))

    async def connected(self) -> frozenset[str]:
        """The ccids of which any process is connected."""
        return await connected_ccids(self.access.name, self.access.operations)

    async def deploy(
        self, channel: str, deployment: Deployment, *, upgrade: bool, within: float
    ) -> None:
        """Instantiate or upgrade, and wait for the commit."""
        orderer, policy, collections = self._ordering(), None, None
        with translated(self.access.name):
            if deployment.policy:
                policy = parse(SignaturePolicyEnvelope, deployment.policy)
            if deployment.collections:
                collections = parse(CollectionConfigPackage, deployment.collections)
            legacy = LegacyDeployment(
                name=deployment.name,
                version=deployment.version,
                language_type=language_number(deployment.language),
                args=deployment.args,
                policy=policy,
                collections=collections,
            )
            opened = Channel(
                name=channel,
                signer=self.access.signer,
                peers=[self._peer],
                orderer=orderer,
                deadlines=_DEADLINES,
            )
            verb = "upgrade" if upgrade else "deploy"
            proposal = opened.propose("lscc", deployment_args(verb, channel, legacy))
            response = await self._peer.endorse(
                proposal.signed, within=within, init_must_succeed=True
            )
            if not response.HasField("endorsement"):
                raise EndorsementFailed(self.access.peer.address, response)
            await opened.submit(Endorsed(proposal, (response,)))

    async def _collections(self, channel: str, name: str) -> bytes:
        args = [b"GetCollectionsConfig", name.encode()]
        try:
            return await self._administration.call(
                "lscc", args, channel_id=channel, within=_SECONDS
            )
        except EndorsementFailed as error:
            if "not defined for chaincode" in error.response.response.message:
                return b""
            raise

    async def _first_block(self, orderer: OrdererConnection, channel: str) -> bytes:
        request = seek_request(signer=self.access.signer, channel_id=channel, start=0, stop=0)
        async with orderer.deliver() as stream:
            await stream.seek(request, within=_SECONDS)
            block = await stream.read(within=_SECONDS)
        if block is None:
            raise DeliverRefused(404)
        return serialize(block)

    def _operated(self) -> RuntimesClient:
        if self._runtimes is None:
            raise PeerUnavailable(
                f"Peer {self.access.name} runs without TLS, so it serves no operator; only a "
                "developer's processes can run its chaincodes"
            )
        return self._runtimes

    def _ordering(self) -> OrdererConnection:
        if self._orderer is None:
            raise PeerUnavailable(f"Peer {self.access.name} does not order by itself")
        return self._orderer
