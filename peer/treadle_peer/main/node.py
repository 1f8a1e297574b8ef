"""One peer, put together: open everything, listen, serve, close in the reverse order."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from importlib.metadata import version
from types import TracebackType

from fabric_protos.common.common_pb2 import Block
from treadle_fabric.channelconfig import OrganizationDefinition
from treadle_fabric.wire import parse

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.channels import Channel, Channels
from treadle_peer.config import (
    ChaincodeMode,
    ConfigurationError,
    EndpointError,
    PeerConfig,
    chaincode_endpoint,
    split_address,
)
from treadle_peer.endorse import AccessControl, Endorsement, build_endorsement
from treadle_peer.ledger import LedgerStore
from treadle_peer.main.banner import banner
from treadle_peer.main.chaincode_port import chaincode_material
from treadle_peer.main.chaincodes import Chaincodes, Endpoints, build_chaincodes
from treadle_peer.main.clientfiles import ClientFiles, write_client_files
from treadle_peer.main.control import open_control
from treadle_peer.main.folders import DataFolders
from treadle_peer.main.following import Followers
from treadle_peer.main.identity import PeerIdentity, open_identity
from treadle_peer.main.listening import (
    ClientServices,
    Listeners,
    operations_listener,
    reachable,
)
from treadle_peer.main.operated import operator_port
from treadle_peer.main.recovery import restore_ordering
from treadle_peer.main.sources import LedgerBlocks, OrderedBlocks
from treadle_peer.main.state import Addresses, write_addresses
from treadle_peer.main.stopping import Patience
from treadle_peer.main.tlsfiles import client_material
from treadle_peer.order import (
    ChannelTemplate,
    OrderingService,
    OrderStore,
    open_ordering_identity,
)
from treadle_peer.services.broadcast import BroadcastService
from treadle_peer.services.deliver import BlockSource, DeliverService
from treadle_peer.services.endorser import EndorserService
from treadle_peer.services.metrics import Metrics
from treadle_peer.services.operations import LogControl, Operations

_log = logging.getLogger(__name__)


class PeerNode:
    """A peer as an async context manager: entered, it serves; left, it has stopped in order.

    Entering raises ConfigurationError, ListenError, StorageError, MSPError or CertificateError,
    each one line, and leaves nothing behind.
    """

    def __init__(self, config: PeerConfig, *, logs: LogControl | None = None) -> None:
        self._config = config
        self._logs = logs or LogControl()
        self._folders = DataFolders(config.data_folder)
        self._stack = AsyncExitStack()
        self._patience = Patience(config.drain_timeout)
        self.addresses: Addresses
        self.client_files: ClientFiles | None = None
        self.channels: Channels
        self.ordering: OrderingService
        self.chaincodes: Chaincodes
        self._identity: PeerIdentity
        self._metrics: Metrics
        self._followers: Followers
        self._bound: tuple[str, str, str]
        self._operator_address: str | None

    async def __aenter__(self) -> PeerNode:
        try:
            await self._open()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folders.addresses.unlink(missing_ok=True)
        await self._stack.__aexit__(kind, error, trace)

    async def create_channel(self, channel_id: str) -> Channel:
        """Create a channel of the local organisation from nothing, and join it.

        Goes on where a crash interrupted it. Raises ConfigError for a bad name, JoinError when
        the peer has joined it already.
        """
        chain = self.ordering.chain(channel_id)
        if chain is None:
            block = await self.ordering.create_channel(channel_id)
        else:
            block = parse(Block, chain.block_bytes(0))
        return self.channels.join(block)

    async def _open(self) -> None:
        config, folders, stack = self._config, self._folders, self._stack
        stack.enter_context(folders.take())
        folders.addresses.unlink(missing_ok=True)
        self._identity = open_identity(config, folders)
        store = stack.enter_context(LedgerStore.open(folders.ledger))
        self.channels = Channels(store)
        self._metrics = Metrics(version=version("treadle"), heights=self._heights)
        listeners = self._listen()
        stack.push_async_callback(listeners.close)
        orders = await self._open_ordering(store)
        endorsement = await self._open_chaincodes(listeners)
        await self._open_channel()
        await listeners.start_clients(self._services(endorsement), self._metrics)
        stack.push_async_callback(lambda: listeners.stop_clients(self._patience.left()))
        stack.push_async_callback(self.chaincodes.support.end_launches)
        operations = operations_listener(config, self._operations())
        stack.push_async_callback(operations.stop)
        await open_control(stack, folders, ledgers=store, orders=orders)
        self._announce(await operations.start())

    def _listen(self) -> Listeners:
        self._authority = ChaincodeAuthority.open(self._folders.chaincode_authority)
        listeners = Listeners(
            self._config,
            clients=client_material(
                self._config, generated=self._identity.generated, folders=self._folders
            ),
            chaincodes=chaincode_material(self._config, self._authority),
            operator=operator_port(self._config, self._folders),
        )
        self._bound = listeners.bind()
        self._operator_address = listeners.operator_address
        return listeners

    async def _open_ordering(self, ledgers: LedgerStore) -> OrderStore:
        config = self._config
        orderer = open_ordering_identity(self._folders.ordering_identity)
        address = config.ordering.address or reachable(self._bound[1], peer_host=self._host)
        template = ChannelTemplate(
            organizations=(self._identity.definition(config.organization),),
            orderer=OrganizationDefinition(orderer.msp_id, orderer.msp_config),
            addresses=(address,),
            capability=config.channel_capability,
        )
        store = OrderStore(self._folders.ordering_blocks)
        restore_ordering(store, ledgers, orderer=orderer)
        service = OrderingService(store, signer=orderer.signer, template=template)
        self.ordering = await self._stack.enter_async_context(service)
        self._followers = await self._stack.enter_async_context(
            Followers(channels=self.channels, ordering=self.ordering, metrics=self._metrics.ledger)
        )
        self._stack.push_async_callback(self._finish_blocks)
        return store

    async def _finish_blocks(self) -> None:
        """What was accepted is ordered, and what is ordered is committed, within the bound."""
        self.ordering.stop()
        if not await self.ordering.drained(self._patience.left()):
            _log.warning("what was accepted for ordering is not stored in time")
        await self._followers.caught_up(self._patience.left())

    async def _open_chaincodes(self, listeners: Listeners) -> Endorsement:
        packages = FilePackageStore(self._folders.packages)
        holder: list[Endorsement] = []
        self.chaincodes = build_chaincodes(
            self._config,
            folders=self._folders,
            channels=self.channels,
            packages=packages,
            authority=self._authority,
            endpoints=Endpoints(
                advertised=self._endpoint(),
                launched=listeners.launched_address or self._endpoint(),
            ),
            invoker=lambda: holder[0].invoker,
            observer=self._metrics.chaincode,
        )
        support, operator = self.chaincodes.support, self.chaincodes.operator
        endorsement = build_endorsement(
            channels=self.channels,
            packages=packages,
            local_msp=self._identity.local,
            executor=lambda invoker: support,
        )
        holder.append(endorsement)
        endorsement.lscc.on_installed(lambda package: support.installed(package.ccid))
        self._stack.push_async_callback(listeners.stop_chaincode)
        self._stack.push_async_callback(self.chaincodes.launcher.close)
        self._stack.push_async_callback(self._stop_support)
        self._stack.push_async_callback(listeners.stop_operators)
        await listeners.start_chaincode(
            self.chaincodes.port_services(self._metrics),
            None if operator is None else operator.runtimes,
        )
        return endorsement

    async def _stop_support(self) -> None:
        if not await self.chaincodes.support.drain(timeout_seconds=self._patience.left()):
            _log.warning("transactions still run after %g s", self._config.drain_timeout)
        await self.chaincodes.support.stop_all()

    async def _open_channel(self) -> None:
        name = self._config.channel
        if name is not None and self.channels.get(name) is None:
            await self.create_channel(name)

    def _services(self, endorsement: Endorsement) -> ClientServices:
        window, metrics = self._config.authentication_window, self._metrics
        return ClientServices(
            endorser=EndorserService(endorsement.endorser, metrics.endorser),
            deliver=DeliverService(
                lambda name: self._ledger_blocks(name, endorsement.acl),
                window=window,
                metrics=metrics.deliver,
            ),
            broadcast=BroadcastService(self.ordering, metrics.broadcast),
            ordered=DeliverService(self._ordered_blocks, window=window, metrics=metrics.deliver),
        )

    def _ledger_blocks(self, channel_id: str, acl: AccessControl) -> BlockSource | None:
        channel = self.channels.get(channel_id)
        return None if channel is None else LedgerBlocks(channel, acl)

    def _ordered_blocks(self, channel_id: str) -> BlockSource | None:
        chain = self.ordering.chain(channel_id)
        return None if chain is None else OrderedBlocks(chain)

    def _operations(self) -> Operations:
        return Operations(
            version=version("treadle"),
            metrics=self._metrics,
            logs=self._logs,
            runtimes=self.chaincodes.runtimes,
            checks={"ordering": self.ordering.failure, "channels": self._followers.failure},
        )

    def _announce(self, operations: str) -> None:
        peer, ordering, _ = self._bound
        self.addresses = Addresses(
            peer=reachable(peer, peer_host=self._host),
            chaincode=self._endpoint(),
            ordering=reachable(ordering, peer_host=self._host),
            operations=operations,
            runtime=self._operator_address,
        )
        self.client_files = write_client_files(
            self._config,
            identity=self._identity,
            folders=self._folders,
            addresses=self.addresses,
        )
        write_addresses(self._folders.addresses, self.addresses)

    def banner(self) -> str:
        """What a user is told once it serves."""
        return banner(
            self._config,
            self.addresses,
            files=self.client_files,
            start_lines=self.chaincodes.start_lines,
        )

    def _heights(self) -> dict[str, int]:
        names = self.channels.names()
        return {name: channel.height for name in names if (channel := self.channels.get(name))}

    @property
    def _host(self) -> str:
        return split_address(self._config.address)[0]

    def _endpoint(self) -> str:
        try:
            return chaincode_endpoint(
                chaincode_address=self._config.chaincode_address,
                bound=self._bound[2],
                peer_host=self._host,
                development=self._config.chaincode.mode is ChaincodeMode.DEVELOPMENT,
            )
        except EndpointError as error:
            raise ConfigurationError(
                "peer.chaincodeAddress",
                self._config.chaincode_address or "",
                f"{error}; name the host by which chaincodes reach this peer",
            ) from error
