"""The shell scripts that run in images which hold a shell and a toolchain, and nothing of ours.

They work in dash and in busybox's ash. What is common to all chaincodes is in ``files``; here
come the names and commands of one.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.authority import CertificateFiles
from treadle_peer.chaincode.launch.builders import Step
from treadle_peer.chaincode.launch.environment import Surroundings, chaincode_environment
from treadle_peer.chaincode.recipes.recipe import ADDRESS, SERVER_ADDRESS, Recipe, probe_source

RUN_SCRIPT: Final = "run.sh"
"""Name in the output of the script that becomes the chaincode."""

_SHEBANG: Final = "#!/bin/sh\n"
_ADJUSTABLE: Final = "CORE_CHAINCODE_LOGGING_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a chaincode runs and what it is told; ``files`` is None for a server, which is dialled
    by the bridge beside it."""

    ccid: str
    msp_id: str
    peer_address: str
    home: Path
    files: CertificateFiles | None


def build_script(
    recipe: Recipe,
    *,
    names: Iterable[str],
    work: Path,
    authority: Path,
    termination: Path,
    setting: str,
) -> str:
    """What the builder image runs; *names* are the entries of the package.

    *work* is the folder of the recipe as the builder image sees it. *authority* is a PEM bundle
    that is trusted too where it exists; the end of a failed build goes to the file *termination*.
    *setting* says where a user names another builder image. Raises BuildError for a package that
    cannot be built.
    """
    told = {"work": work, "authority": authority, "termination": termination, "setting": setting}
    lines = [f"{name}={shlex.quote(str(value))}\n" for name, value in told.items()]
    tools = [shlex.join(["tool", tool.command]) for tool in recipe.builder.tools(list(names))]
    looked_at = str(recipe.layout.package.parent)
    steps = [
        # Before it is quoted: a quoted path may read otherwise.
        shlex.join(word.replace(looked_at, str(work)) for word in _words(step))
        for step in recipe.steps()
    ]
    body = "".join(f"{line}\n" for line in (*tools, *steps))
    return _SHEBANG + "".join(lines) + _file("build.sh") + body


def run_script(recipe: Recipe) -> str:
    """What the output holds to become the chaincode; raises BuildError when it was not built."""
    start = recipe.start()
    places = {str(path): f"$output/{name}" for name, path in recipe.files().items()}
    folder = places.get(str(start.folder), "$output")
    words = [_placed(word, places) for word in start.arguments]
    lines = [
        'output=$(cd "$(dirname "$0")" && pwd) || exit 1',
        *(f'export {name}="{value}"' for name, value in recipe.variables.items()),
        f'cd "{folder}" || exit 1',
        "exec " + " ".join(words),
    ]
    return _SHEBANG + "".join(f"{line}\n" for line in lines)


def start_script(recipe: Recipe, *, output: Path, place: Place) -> str:
    """What the runtime image runs: the chaincode, again and again while its peer goes and comes.

    *output* is the folder where the build's output was unpacked.
    """
    told = Surroundings(
        ccid=place.ccid,
        msp_id=place.msp_id,
        home=place.home,
        files=place.files,
        server_address=SERVER_ADDRESS if place.files is None else None,
    )
    environment = chaincode_environment(told, {}) | {"CORE_PEER_ADDRESS": place.peer_address}
    lines = [
        f"output={shlex.quote(str(output))}",
        f"probe={shlex.quote(recipe.probe_command)}",
        *(_export(name, value) for name, value in environment.items()),
    ]
    return _SHEBANG + "".join(f"{line}\n" for line in lines) + _file("start.sh")


def write_probe(recipe: Recipe) -> None:
    """Put the source of the probe where the recipe's steps look for it."""
    if recipe.probe:
        path = probe_source(recipe.layout, recipe.probe)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_file(recipe.probe), encoding="utf-8")


def _export(name: str, value: str) -> str:
    quoted = shlex.quote(value)
    if not name.startswith(_ADJUSTABLE):
        return f"export {name}={quoted}"
    # What a user asked for by the pod's own environment goes first.
    return f'[ -n "${{{name}:-}}" ] || {name}={quoted}\nexport {name}'


def _words(step: Step) -> list[str]:
    told = [f"{name}={value}" for name, value in step.environment.items()]
    return ["step", step.name, str(step.folder), "env", *told, *step.arguments]


def _placed(word: str, places: Mapping[str, str]) -> str:
    """*word* for the shell, with what was carried at its new place."""
    if word in places:
        return f'"{places[word]}"'
    before, found, after = word.partition(ADDRESS)
    if found:
        return f'{shlex.quote(before) if before else ""}"{ADDRESS}"{after}'
    return shlex.quote(word)


def _file(name: str) -> str:
    return (resources.files(__package__) / "files" / name).read_text(encoding="utf-8")
