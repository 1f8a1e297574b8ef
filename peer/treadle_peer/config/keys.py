"""Every key that Fabric 1.4 and 2.5 define in core.yaml or read from ``CORE_*``, and our own.

Names are written as Fabric spells them; comparison ignores case. A name that ends with ``.*``
covers everything below it: maps whose keys the user chooses.
"""
# ruff: noqa: SIM905 - a list literal of 170 names would be 170 lines

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

USED = """
peer.id peer.networkId peer.listenAddress peer.address peer.addressAutoDetect
peer.chaincodeListenAddress peer.chaincodeAddress
peer.keepalive.interval peer.keepalive.timeout peer.keepalive.minInterval
peer.tls.enabled peer.tls.clientAuthRequired peer.tls.cert.file peer.tls.key.file
peer.tls.rootcert.file peer.tls.clientRootCAs.files
peer.authentication.timewindow peer.fileSystemPath peer.mspConfigPath peer.localMspId
peer.localMspType peer.limits.concurrency.endorserService peer.limits.concurrency.deliverService
peer.maxRecvMsgSize peer.maxSendMsgSize peer.BCCSP.Default
chaincode.startuptimeout chaincode.executetimeout chaincode.mode
ledger.state.stateDatabase ledger.state.totalQueryLimit ledger.history.enableHistoryDatabase
operations.listenAddress operations.tls.enabled operations.tls.cert.file operations.tls.key.file
operations.tls.clientAuthRequired operations.tls.clientRootCAs.files
vm.endpoint vm.docker.tls.enabled vm.docker.tls.ca.file vm.docker.tls.cert.file
vm.docker.tls.key.file vm.docker.hostConfig.NetworkMode vm.docker.hostConfig.Memory
vm.docker.hostConfig.CpuShares vm.docker.hostConfig.CpuQuota vm.docker.hostConfig.CpuPeriod
vm.docker.hostConfig.CgroupParent vm.docker.hostConfig.Dns vm.docker.hostConfig.DnsSearch
vm.docker.hostConfig.ExtraHosts
chaincode.builder chaincode.golang.runtime chaincode.java.runtime chaincode.node.runtime
""".split()

TREADLE = """
treadle.channel treadle.channelCapability treadle.organization
treadle.ordering.listenAddress treadle.ordering.address treadle.ordering.tls.enabled
treadle.chaincode.tls treadle.chaincode.buildTimeout treadle.chaincode.launchedListenAddress
treadle.chaincode.launcher treadle.chaincode.launchedAddress
treadle.chaincode.allowDevelopment
treadle.chaincode.docker.builders.golang treadle.chaincode.docker.builders.node
treadle.chaincode.docker.builders.java treadle.chaincode.docker.builders.python
treadle.chaincode.docker.runtimes.golang treadle.chaincode.docker.runtimes.node
treadle.chaincode.docker.runtimes.java treadle.chaincode.docker.runtimes.python
treadle.chaincode.docker.pidsLimit treadle.chaincode.docker.maxOutputBytes
treadle.runtime.listenAddress treadle.runtime.tls.cert.file treadle.runtime.tls.key.file
treadle.runtime.tls.clientRootCAs.files treadle.runtime.maxOutputBytes
treadle.stop.drainTimeout
""".split()

# Defined by Fabric 1.4 or 2.5, without meaning for Treadle; what 1.4 alone has comes last.
UNUSED = """
peer.gateway.enabled peer.gateway.endorsementTimeout peer.gateway.broadcastTimeout
peer.gateway.dialTimeout
peer.keepalive.client.interval peer.keepalive.client.timeout
peer.keepalive.deliveryClient.interval peer.keepalive.deliveryClient.timeout
peer.gossip.bootstrap peer.gossip.useLeaderElection peer.gossip.orgLeader
peer.gossip.membershipTrackerInterval peer.gossip.endpoint peer.gossip.maxBlockCountToStore
peer.gossip.maxPropagationBurstLatency peer.gossip.maxPropagationBurstSize
peer.gossip.propagateIterations peer.gossip.propagatePeerNum peer.gossip.pullInterval
peer.gossip.pullPeerNum peer.gossip.requestStateInfoInterval
peer.gossip.publishStateInfoInterval peer.gossip.stateInfoRetentionInterval
peer.gossip.publishCertPeriod peer.gossip.skipBlockVerification peer.gossip.dialTimeout
peer.gossip.connTimeout peer.gossip.recvBuffSize peer.gossip.sendBuffSize
peer.gossip.digestWaitTime peer.gossip.requestWaitTime peer.gossip.responseWaitTime
peer.gossip.aliveTimeInterval peer.gossip.aliveExpirationTimeout peer.gossip.reconnectInterval
peer.gossip.maxConnectionAttempts peer.gossip.msgExpirationFactor peer.gossip.externalEndpoint
peer.gossip.nonBlockingCommitMode peer.gossip.skipHandshake
peer.gossip.election.startupGracePeriod peer.gossip.election.membershipSampleInterval
peer.gossip.election.leaderAliveThreshold peer.gossip.election.leaderElectionDuration
peer.gossip.pvtData.pullRetryThreshold peer.gossip.pvtData.transientstoreMaxBlockRetention
peer.gossip.pvtData.pushAckTimeout peer.gossip.pvtData.btlPullMargin
peer.gossip.pvtData.reconcileBatchSize peer.gossip.pvtData.reconcileSleepInterval
peer.gossip.pvtData.reconciliationEnabled
peer.gossip.pvtData.skipPullingInvalidTransactionsDuringCommit
peer.gossip.pvtData.implicitCollectionDisseminationPolicy.requiredPeerCount
peer.gossip.pvtData.implicitCollectionDisseminationPolicy.maxPeerCount
peer.gossip.state.enabled peer.gossip.state.checkInterval peer.gossip.state.responseTimeout
peer.gossip.state.batchSize peer.gossip.state.blockBufferSize peer.gossip.state.maxRetries
peer.gossip.state.channelSize
peer.tls.clientKey.file peer.tls.clientCert.file peer.tls.serverhostoverride
peer.BCCSP.SW.Hash peer.BCCSP.SW.Security peer.BCCSP.SW.FileKeyStore.KeyStore
peer.BCCSP.PKCS11.* peer.client.connTimeout peer.connectiontimeout
peer.deliveryclient.blockGossipEnabled peer.deliveryclient.reconnectTotalTimeThreshold
peer.deliveryclient.connTimeout peer.deliveryclient.reConnectBackoffThreshold
peer.deliveryclient.addressOverrides
peer.profile.enabled peer.profile.listenAddress
peer.handlers.authFilters peer.handlers.decorators peer.handlers.endorsers.*
peer.handlers.validators.* peer.validatorPoolSize
peer.discovery.enabled peer.discovery.authCacheEnabled peer.discovery.authCacheMaxSize
peer.discovery.authCachePurgeRetentionRatio peer.discovery.orgMembersAllowedAccess
peer.limits.concurrency.gatewayService peer.limits.concurrency.qscc
vm.docker.attachStdout vm.docker.hostConfig.*
chaincode.id.path chaincode.id.name chaincode.pull chaincode.golang.dynamicLink
chaincode.externalBuilders chaincode.installTimeout
chaincode.keepalive chaincode.system.* chaincode.logging.level chaincode.logging.shim
chaincode.logging.format
ledger.blockchain ledger.state.couchDBConfig.couchDBAddress
ledger.state.couchDBConfig.username ledger.state.couchDBConfig.password
ledger.state.couchDBConfig.maxRetries ledger.state.couchDBConfig.maxRetriesOnStartup
ledger.state.couchDBConfig.requestTimeout ledger.state.couchDBConfig.internalQueryLimit
ledger.state.couchDBConfig.maxBatchUpdateSize ledger.state.couchDBConfig.createGlobalChangesDB
ledger.state.couchDBConfig.cacheSize ledger.state.couchDBConfig.warmIndexesAfterNBlocks
ledger.pvtdataStore.collElgProcMaxDbBatchSize
ledger.pvtdataStore.collElgProcDbBatchesInterval
ledger.pvtdataStore.deprioritizedDataReconcilerInterval ledger.pvtdataStore.purgeInterval
ledger.pvtdataStore.purgedKeyAuditLogging ledger.snapshots.rootDir
metrics.provider metrics.statsd.network metrics.statsd.address metrics.statsd.writeInterval
metrics.statsd.prefix
orderer.address orderer.client.connTimeout orderer.tls.enabled orderer.tls.clientAuthRequired
orderer.tls.clientCert.file orderer.tls.clientKey.file orderer.tls.handshakeTimeShift
orderer.tls.rootcert.file orderer.tls.serverhostoverride
peer.gomaxprocs peer.workers peer.adminService.listenAddress peer.sync.blocks.channelSize
peer.events.address peer.events.buffersize peer.events.timeout peer.events.timewindow
peer.events.keepalive.minInterval peer.events.sendTimeout
chaincode.car.runtime chaincode.systemPlugins chaincode.deploytimeout chaincode.peerAddress
ledger.state.couchDBConfig.queryLimit ledger.state.couchDBConfig.autoWarmIndexes
ledger.state.historyDatabase
logging.* logging_level metrics.enabled metrics.reporter metrics.interval
metrics.statsdReporter.* metrics.promReporter.*
""".split()

# What shims and other tools read from CORE_* in a shell that also starts a peer.
_FOREIGN_ENVIRONMENT = (
    "CORE_TLS_CLIENT_",
    "CORE_CHAINCODE_ID_",
    "CORE_ID_CHAINCODE_NAME",
    "CORE_CHAINCODE_TLS_",
)

_SECTIONS = frozenset(
    name.split(".")[0].upper() for name in (*USED, *UNUSED, *TREADLE) if "_" not in name
)


def environment_name(key: str) -> str:
    """The variable that overrides *key*: prefix ``CORE_``, dots to underscores, upper case."""
    return "CORE_" + key.replace(".", "_").upper()


@lru_cache(maxsize=1)
def by_environment() -> dict[str, str]:
    """Environment name to key, for every key that is not a family."""
    return {
        environment_name(key): key for key in (*USED, *TREADLE, *UNUSED) if not key.endswith(".*")
    }


def is_used(key: str) -> bool:
    """Whether Treadle reads *key*."""
    return _covers((*USED, *TREADLE), key)


def is_unused(key: str) -> bool:
    """Whether Fabric defines *key* and Treadle has no use for it."""
    return _covers(UNUSED, key)


def unused_environment(name: str) -> str | None:
    """The Fabric family that variable *name* belongs to, when it has no meaning here."""
    if name.startswith(_FOREIGN_ENVIRONMENT):
        return name
    for key in UNUSED:
        if key.endswith(".*") and name.startswith(environment_name(key[:-1])):
            return name
    return None


def in_known_section(name: str) -> bool:
    """Whether variable *name* looks like a key of core.yaml (``CORE_PEER_…``), even if misspelt."""
    return name.removeprefix("CORE_").split("_")[0] in _SECTIONS


def _covers(names: Iterable[str], key: str) -> bool:
    wanted = key.lower()
    for name in names:
        low = name.lower()
        if low == wanted or (low.endswith(".*") and wanted.startswith(low[:-1])):
            return True
    return False
