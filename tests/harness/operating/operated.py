"""A namespace with an operator on a node of processes, through the eyes of people and clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from harness.chaincodes import sources
from harness.nodes.machine import Machine
from harness.operating.account import Account, new_account
from harness.operating.process import OperatorProcess
from harness.operating.world import Body, Namespace, secret_bytes
from harness.processes import wait_until
from treadle_fabric.client import (
    Channel,
    Endpoint,
    OrdererConnection,
    PeerAdministration,
    PeerConnection,
    TLSOptions,
)
from treadle_fabric.identity import SigningIdentity
from treadle_operator.names import peer_names

LANGUAGES = ("golang", "node", "java", "python")
FLAGS = tuple(
    word
    for language in LANGUAGES
    for word in (
        *("--builder-image", f"{language}={language}"),
        *("--runtime-image", f"{language}={language}"),
    )
)
"""Builder and runtime images, called like their languages."""
_MSP = "Org1MSP"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Operated:
    """``space`` is watched by an operator whose peers and chaincodes are processes."""

    machine: Machine
    account: Account
    space: Namespace

    def start(
        self, folder: Path, *, name: str, server: str = "", hosts: Path | None = None
    ) -> OperatorProcess:
        """An operator; it ends with its context."""
        return OperatorProcess(
            self.account, folder, server=server or f"https://127.0.0.1:{self.machine.plane.port}",
            name=name, image="peer", hosts=hosts or self.machine.node.hosts, flags=FLAGS,
        )  # fmt: skip

    def reason(self, kind: str, name: str, condition: str = "Ready") -> tuple[str, str, str]:
        """status, reason and message."""
        return self.space.condition(condition, name, of=kind)

    def becomes(
        self, kind: str, name: str, reason: str, *, condition: str = "Ready", within: float = 120
    ) -> str:
        """The message once the condition has that reason."""
        seen: list[tuple[str, str, str]] = []

        def there() -> bool:
            found = self.reason(kind, name, condition)
            if found not in seen[-1:]:
                seen.append(found)
            return found[1] == reason

        try:
            wait_until(there, within=within, what=f"{reason} of {name}")
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {seen}") from None
        return seen[-1][2]

    def ready(self, kind: str, name: str, *, within: float = 120) -> None:
        """Return once its Ready condition is True."""
        seen: list[tuple[str, str, str]] = []

        def there() -> bool:
            found = self.reason(kind, name)
            if found not in seen[-1:]:
                seen.append(found)
            return found[0] == "True"

        try:
            wait_until(there, within=within, what=f"{kind} {name} being ready")
        except AssertionError as error:
            raise AssertionError(f"{error}; seen: {seen}") from None

    def instantiate(self, name: str, package: str, **spec: object) -> Body:
        """A ChaincodeInstantiation of that package."""
        manifest = {
            "apiVersion": "treadle.dev/v1alpha1",
            "kind": "ChaincodeInstantiation",
            "metadata": {"name": name},
            "spec": {"packageRef": {"name": package}, **spec},
        }
        path = self.space.path("ChaincodeInstantiation")
        made: Body = self.space.api.create(path, manifest).expect()
        return made

    def change(self, kind: str, name: str, **spec: object) -> None:
        """Merge into its spec."""
        self.space.api.merge(self.space.path(kind, name), {"spec": spec}).expect()

    def events(self, kind: str, name: str) -> list[str]:
        """Reasons of the Events about it."""
        involved = [
            (each["involvedObject"]["kind"], each["involvedObject"]["name"], each["reason"])
            for each in self.space.all("Event")
        ]
        return [reason for *about, reason in involved if about == [kind, name]]

    def pods(self, prefix: str) -> list[Body]:
        """Pods whose name begins so, those that are ending left out."""
        path = f"/api/v1/namespaces/{self.space.name}/pods"
        found: list[Body] = self.space.api.get(path).expect()["items"]
        return [
            each
            for each in found
            if each["metadata"]["name"].startswith(prefix)
            and "deletionTimestamp" not in each["metadata"]
        ]

    def deployments(self) -> list[str]:
        """Names of all Deployments."""
        path = f"/apis/apps/v1/namespaces/{self.space.name}/deployments"
        return [each["metadata"]["name"] for each in self.space.api.get(path).expect()["items"]]

    def ask(self, work: Callable[[Client], Awaitable[_T]], peer: str = "peer0") -> _T:
        """Do *work* as the organisation's admin, on connections of its own."""

        async def run() -> _T:
            async with self._client(peer) as client:
                return await work(client)

        return asyncio.run(run())

    def invoke(self, chaincode: str, *args: str, channel: str = "mychannel") -> bytes:
        """The payload of a committed transaction."""
        return self.ask(lambda client: client.invoke(channel, chaincode, args))

    def query(self, chaincode: str, *args: str, channel: str = "mychannel") -> bytes:
        return self.ask(lambda client: client.channel(channel).evaluate(chaincode, args))

    def height(self, channel: str = "mychannel") -> int:
        """Blocks of the channel's ledger."""
        info = self.ask(lambda client: client.administration.chain_info(channel))
        return int(info.height)

    @asynccontextmanager
    async def _client(self, peer: str) -> AsyncIterator[Client]:
        names = peer_names(peer, _MSP)
        admin = secret_bytes(self.space.get("Secret", names.admin_secret))
        tls = secret_bytes(self.space.get("Secret", names.tls_secret))
        (pod,) = self.pods(f"{peer}-0")
        options = TLSOptions(root_certificates=tls["ca.crt"], server_name=names.service)
        signer = SigningIdentity.from_pem(
            msp_id=_MSP, certificate=admin["signcert.pem"], private_key=admin["key.pem"]
        )
        host = pod["status"]["podIP"]
        at = PeerConnection(Endpoint(address=f"{host}:7051", tls=options))
        orderer = OrdererConnection(Endpoint(address=f"{host}:7050", tls=options))
        try:
            yield Client(signer, at, orderer)
        finally:
            await at.close()
            await orderer.close()


@dataclass(frozen=True, slots=True)
class Client:
    """The organisation's admin at one peer."""

    signer: SigningIdentity
    peer: PeerConnection
    orderer: OrdererConnection

    @property
    def administration(self) -> PeerAdministration:
        return PeerAdministration(peer=self.peer, signer=self.signer)

    def channel(self, name: str) -> Channel:
        return Channel(name=name, signer=self.signer, peers=[self.peer], orderer=self.orderer)

    async def invoke(self, channel: str, chaincode: str, args: Sequence[str]) -> bytes:
        return (await self.channel(channel).invoke(chaincode, args)).payload


def new_operated(machine: Machine) -> Operated:
    """A fresh namespace without an operator yet."""
    account = new_account(machine.plane)
    return Operated(machine, account, Namespace(machine.plane.api, account.namespace))


@contextmanager
def operated(machine: Machine, folder: Path, **peer: object) -> Iterator[Operated]:
    """With an operator and a Peer that is ready."""
    made = new_operated(machine)
    with made.start(folder, name="operator"):
        made.space.create_peer(**peer)
        made.ready("Peer", "peer0")
        yield made


def go_files(*changes: tuple[str, str]) -> dict[str, str]:
    """The Go example's files, with old text replaced by new."""
    files = {
        file.name: file.read_text()
        for file in sorted(sources("go").iterdir())
        if file.suffix in {".go", ".mod", ".sum"}
    }
    for old, new in changes:
        assert any(old in text for text in files.values()), old
        files = {name: text.replace(old, new) for name, text in files.items()}
    return files


def package_of(files: Mapping[str, str], *, name: str, version: str) -> dict[str, Any]:
    """The spec of a Go package, for ``Namespace.create_package``."""
    return {
        "name": name,
        "version": version,
        "language": "golang",
        "source": {"files": dict(files)},
    }
