"""Is everything there that a peer promised? Asked of a data folder as a power loss left it.

The folder is opened by the product's own code, as a start does it. What it holds is compared with
the run that was recorded: each block by its bytes, and state, history and indexes of a ledger with
what replaying the same blocks gives at that height.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.crash_reference import Chain, Reference, authorities, block_hash, digest
from harness.power_loss import Tree
from harness.promises import Committed, Delivered, Installed, Promise, Ready
from harness.recorded_run import CHAINCODE
from treadle_fabric.channelconfig import ConfigError
from treadle_fabric.identity.certificates import CertificateError
from treadle_fabric.msp import MSPError
from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.packages import FilePackageStore
from treadle_peer.channels import Channels
from treadle_peer.config import ConfigurationError, PeerConfig, load_config
from treadle_peer.execution import PackageError
from treadle_peer.ledger import Ledger, LedgerError, LedgerStore
from treadle_peer.main.folders import DataFolders
from treadle_peer.main.identity import open_identity
from treadle_peer.order import OrderStore, open_ordering_identity
from treadle_peer.storage import StorageError

_REFUSALS = (
    StorageError,
    LedgerError,
    ConfigurationError,
    ConfigError,
    MSPError,
    CertificateError,
    OSError,
    ValueError,
)


def write_tree(tree: Tree, folder: Path) -> Path:
    """Make *folder* hold just *tree*; the data folder in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, content in tree.items():
        if content is None:
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(content)
    return folder / "data"


def config_of(data: Path) -> PeerConfig:
    """The configuration of the recorded peer, on *data*."""
    settings = {"CORE_PEER_ID": "peer0", "CORE_PEER_FILESYSTEMPATH": str(data)}
    return load_config(settings, working_folder=data.parent)


def losses(data: Path, reference: Reference, due: Sequence[Promise]) -> list[str]:
    """What is wrong with *data*, one sentence each; it is opened, so parts may be mended."""
    try:
        return list(_losses(data, reference, due))
    except _REFUSALS as error:
        return [f"it cannot be opened: {type(error).__name__}: {error}"]


def _losses(data: Path, reference: Reference, due: Sequence[Promise]) -> Iterator[str]:
    folders = DataFolders(data)
    with folders.take():
        open_identity(config_of(data), folders)
        packages = FilePackageStore(folders.packages)
        ChaincodeAuthority.open(folders.chaincode_authority)
        open_ordering_identity(folders.ordering_identity)
        yield from _missing_packages(packages, due)
        orders = OrderStore(folders.ordering_blocks)
        try:
            with LedgerStore.open(folders.ledger) as store:
                Channels(store)
                yield from _lost_blocks(orders, store, reference, due)
            known = bool(orders.channels()) or any(isinstance(each, Ready) for each in due)
        finally:
            orders.close()
    if known and authorities(data) != reference.authorities:
        yield "an authority that is known outside was replaced"


def _missing_packages(packages: FilePackageStore, due: Sequence[Promise]) -> Iterator[str]:
    for promise in due:
        if isinstance(promise, Installed):
            try:
                packages.get(promise.name, promise.version)
            except PackageError as error:
                yield f"an installed package is gone: {error}"
    present = {path.name for path in packages._folder.iterdir()}  # what no start would mend
    if not present <= {f"{CHAINCODE}.1"}:
        yield f"the packages' folder holds {present}"


def _lost_blocks(
    orders: OrderStore, store: LedgerStore, reference: Reference, due: Sequence[Promise]
) -> Iterator[str]:
    for name, chain in reference.chains.items():
        height = orders.height(name)
        if name not in orders.channels() and height:
            yield f"{name}: blocks of a channel that the ordering does not know"
        for number, expected in enumerate(chain.ordered[:height]):
            if orders.block_bytes(name, number) != expected:
                yield f"{name}: the ordering has another block {number}"
        ledger = store.get(name)
        committed = ledger.height if ledger else 0
        if committed > height:
            yield f"{name}: {committed} blocks are committed, but only {height} ordered"
        if ledger is not None:
            yield from _differences(name, ledger, chain)
        yield from _broken_promises(name, due, chain, heights=(committed, height))
    unknown = set(store.names()) - set(reference.chains)
    if unknown:
        yield f"channels that never were: {unknown}"


def _differences(name: str, ledger: Ledger, chain: Chain) -> Iterator[str]:
    height = ledger.height
    if height > len(chain.digests):
        yield f"{name}: {height} blocks, more than there were"
    elif digest(ledger._database) != chain.digests[height - 1]:
        yield f"{name}: the ledger is not what its {height} blocks lead to"
    for number, expected in enumerate(chain.committed[:height]):
        if ledger.block_bytes(number) != expected:
            yield f"{name}: the ledger has another block {number}"


def _broken_promises(
    name: str, due: Sequence[Promise], chain: Chain, *, heights: tuple[int, int]
) -> Iterator[str]:
    committed, ordered = heights
    for promise in due:
        if isinstance(promise, Committed) and promise.channel == name:
            number, code = chain.places.get(promise.tx_id, (committed, -1))
            if number >= committed or code != promise.code:
                yield f"{name}: transaction {promise.tx_id} was acknowledged and is lost"
        elif isinstance(promise, Delivered) and promise.channel == name:
            held = ordered if promise.ordered else committed
            if promise.number >= held:
                place = "ordering" if promise.ordered else "ledger"
                yield f"{name}: block {promise.number} was delivered; the {place} has {held}"
            elif promise.header_hash != block_hash(chain.ordered[promise.number]):
                yield f"{name}: block {promise.number} was delivered with another hash"
