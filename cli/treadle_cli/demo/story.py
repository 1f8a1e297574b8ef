"""The story of the demo: production mode, then development mode, on one ledger."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from treadle_fabric.client import ClientError, Deployment, EndorsementFailed
from treadle_fabric.packages import PackageFormatError, build_legacy_package, language_number

from treadle_cli.demo.developer import Developer
from treadle_cli.demo.languages import LANGUAGES, DemoLanguage, edit_version, example_folder
from treadle_cli.errors import TreadleError
from treadle_cli.local import LocalNetwork, LocalPeer, last_lines, poll
from treadle_cli.progress import Progress
from treadle_cli.runtimes import OperationsEndpoint, fetch_runtimes, runtimes_table

_NAME, _VERSION = "accounts", "1"
_CCID = f"{_NAME}:{_VERSION}"
_MSP = "Org1MSP"
_FIRST, _SECOND = "mychannel", "second"
_REGISTER_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What every scene needs; everything lies below ``folder``."""

    progress: Progress
    folder: Path
    example: str
    language: DemoLanguage

    @property
    def peer_folder(self) -> Path:
        return self.folder / "peer"

    @property
    def peer_log(self) -> Path:
        return self.folder / "peer.log"


async def run_demo(language: str, *, progress: Progress) -> None:
    """Run the demo in a temporary folder that is gone afterwards.

    Raises TreadleError; the folder is then kept, and the error names it.
    """
    chosen = LANGUAGES[language]
    missing = [command for command in chosen.needs if shutil.which(command) is None]
    if missing:
        raise TreadleError(f"the {chosen.title} demo needs {' and '.join(missing)} on PATH")
    folder = Path(tempfile.mkdtemp(prefix="treadle-demo-"))
    stage = _Stage(progress=progress, folder=folder, example=language, language=chosen)
    progress.say(f"Treadle demo: a {chosen.title} chaincode on its official shim, in {folder}")
    try:
        await _production(stage)
        await _development(stage)
    except (ClientError, PackageFormatError) as error:
        raise _kept(stage, TreadleError(str(error))) from error
    except TreadleError as error:
        raise _kept(stage, error) from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    progress.say("")
    progress.say(f"Done in {progress.seconds:.0f} s; every process ended, {folder} is gone.")


def _kept(stage: _Stage, error: TreadleError) -> TreadleError:
    details = error.details or last_lines(stage.peer_log)
    return TreadleError(f"{error} (logs are kept in {stage.folder})", details)


async def _production(stage: _Stage) -> None:
    progress = stage.progress
    progress.heading("Production mode: the peer builds, launches and owns the chaincode process")
    async with AsyncExitStack() as stack:
        peer = await _start_peer(stage, stack, development=False)
        network = await stack.enter_async_context(_network(peer))
        await _install(stage, network)
        await _instantiate(stage, network, _FIRST, "build, launch, Init")
        await _use(stage, network)
        async with progress.step(f"channel create and join {_SECOND}"):
            await network.ensure_channel(_SECOND)
        await _instantiate(stage, network, _SECOND, "the same process, only Init")
        await _show_registry(stage, peer)
        await _stop_peer(stage, peer)


async def _development(stage: _Stage) -> None:
    progress = stage.progress
    progress.heading("Development mode: you own the process; same ledger, no new install")
    developer = Developer(
        stage.folder / "developer",
        language=stage.language,
        ccid=_CCID,
        log=stage.folder / "developer.log",
    )
    async with AsyncExitStack() as stack:
        peer = await _start_peer(stage, stack, development=True)
        network = await stack.enter_async_context(_network(peer))
        await _refused(stage, network)
        async with progress.step(f"build your own copy ({stage.language.title})") as step:
            developer.copy_sources(stage.example)
            await developer.build()
            step.note(f"in {developer.folder}")
        stack.push_async_callback(developer.stop)
        await _start_by_hand(stage, developer, peer, again=False)
        await _ask_version(stage, network, "1")
        await _edit(stage, developer)
        await _start_by_hand(stage, developer, peer, again=True)
        await _ask_version(stage, network, "2")
        await _nothing_installed(stage, network)
        async with progress.step("stop the chaincode process"):
            await developer.stop()
        await _stop_peer(stage, peer)


async def _start_peer(stage: _Stage, stack: AsyncExitStack, *, development: bool) -> LocalPeer:
    flag = " --peer-chaincodedev" if development else ""
    async with stage.progress.step(f"start the peer\n$ peer node start{flag}") as step:
        peer = await LocalPeer.start(stage.peer_folder, log=stage.peer_log, development=development)
        stack.push_async_callback(peer.child.stop)
        step.note(f"clients {peer.address}, chaincode {peer.chaincode_address}")
    return peer


def _network(peer: LocalPeer) -> LocalNetwork:
    return LocalNetwork.of_folder(
        peer.client_folder, msp_id=_MSP, peer=peer.address, orderer=peer.ordering_address
    )


async def _install(stage: _Stage, network: LocalNetwork) -> None:
    language = stage.language.package_type
    command = f"$ peer chaincode install -n {_NAME} -v {_VERSION} -l {language} -p …"
    async with stage.progress.step(f"install {_CCID}\n{command}") as step:
        package = build_legacy_package(
            name=_NAME,
            version=_VERSION,
            language=language,
            path=_NAME,
            source=example_folder(stage.example),
        )
        await network.administration.install(package)
        step.note(f"{len(package) / 1024:.0f} KiB of sources; nothing is built yet")


async def _instantiate(stage: _Stage, network: LocalNetwork, channel: str, what: str) -> None:
    arguments = '{"Args":["init","alice","100","bob","50"]}'
    command = f"$ peer chaincode instantiate -n {_NAME} -v {_VERSION} -C {channel} -c '{arguments}'"
    async with stage.progress.step(f"instantiate on {channel}: {what}\n{command}") as step:
        deployment = Deployment(
            name=_NAME,
            version=_VERSION,
            language_type=language_number(stage.language.package_type),
            args=(b"init", b"alice", b"100", b"bob", b"50"),
        )
        receipt = await network.channel(channel).instantiate(deployment)
        step.note(f"committed in block {receipt.commit.block}")


async def _use(stage: _Stage, network: LocalNetwork) -> None:
    channel = network.channel(_FIRST)
    call = '{"Args":["transfer","alice","bob","25"]}'
    async with stage.progress.step(
        f"invoke transfer\n$ peer chaincode invoke -n {_NAME} -C {_FIRST} -c '{call}'"
    ) as step:
        receipt = await channel.invoke(_NAME, ["transfer", "alice", "bob", "25"])
        step.note(f"{receipt.payload.decode()}, VALID in block {receipt.commit.block}")
    async with stage.progress.step("query bob") as step:
        step.note((await channel.evaluate(_NAME, ["query", "bob"])).decode())


async def _show_registry(stage: _Stage, peer: LocalPeer) -> None:
    async with stage.progress.step("the active registry\n$ treadle ps") as step:
        rows = await fetch_runtimes(OperationsEndpoint(address=peer.operations_address))
        for line in runtimes_table(rows).splitlines():
            step.note(line)
        if len(rows) != 1:
            raise TreadleError(f"two channels share one process, but {len(rows)} are registered")


async def _stop_peer(stage: _Stage, peer: LocalPeer) -> None:
    async with stage.progress.step("stop the peer"):
        code = await peer.child.stop()
        if code != 0:
            text = f"the peer ended with exit code {code}"
            raise TreadleError(text, last_lines(stage.peer_log))


async def _refused(stage: _Stage, network: LocalNetwork) -> None:
    async with stage.progress.step("invoke with no process connected: a clear error") as step:
        try:
            await network.channel(_FIRST).evaluate(_NAME, ["version"])
        except EndorsementFailed as refusal:
            step.note(refusal.response.response.message)
            return
        raise TreadleError("an invoke was answered although no process is connected")


async def _start_by_hand(
    stage: _Stage, developer: Developer, peer: LocalPeer, *, again: bool
) -> None:
    text = "restart your process" if again else "start your process"
    async with stage.progress.step(text) as step:
        if again:
            await developer.stop()
            if developer.language.build and not developer.language.serves:
                await developer.build()
        for line in await developer.start(peer.chaincode_address):
            step.note(line)
        await _registered(developer, peer)


async def _registered(developer: Developer, peer: LocalPeer) -> None:
    endpoint = OperationsEndpoint(address=peer.operations_address)
    try:
        async with asyncio.timeout(_REGISTER_SECONDS):
            while True:
                developer.check()
                rows = await fetch_runtimes(endpoint)
                if any(row["ccid"] == _CCID and row["state"] == "registered" for row in rows):
                    return
                await poll()
    except TimeoutError:
        text = f"the chaincode did not register within {_REGISTER_SECONDS:g} s"
        raise TreadleError(text, last_lines(developer.log)) from None


async def _ask_version(stage: _Stage, network: LocalNetwork, expected: str) -> None:
    async with stage.progress.step("invoke version") as step:
        channel = network.channel(_FIRST)
        answer = (await channel.invoke(_NAME, ["version"])).payload.decode()
        step.note(answer)
        step.note((await channel.evaluate(_NAME, ["query", "bob"])).decode())
        if f'"version":"{expected}"' not in answer:
            raise TreadleError(f"expected version {expected}, the chaincode answered {answer}")


async def _edit(stage: _Stage, developer: Developer) -> None:
    async with stage.progress.step("edit the code") as step:
        step.note(edit_version(developer.folder, developer.language, "2"))


async def _nothing_installed(stage: _Stage, network: LocalNetwork) -> None:
    async with stage.progress.step("installed packages\n$ peer chaincode list --installed") as step:
        installed = await network.administration.installed()
        names = [f"{one.name}:{one.version}" for one in installed]
        step.note(", ".join(names))
        if names != [_CCID]:
            raise TreadleError(f"development mode changed the installed packages: {names}")
