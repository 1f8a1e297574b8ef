"""Where settings come from: core.yaml below ``FABRIC_CFG_PATH``, then ``CORE_*`` (viper's rules).

The only part of the configuration that reads files.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from treadle_peer.config import keys
from treadle_peer.config.errors import ConfigurationError

# Aliases can make a file larger than itself, or endless.
_MOST_LEAVES = 10_000
_DEEPEST = 32
_SYSTEM_FOLDER = Path("/etc/hyperledger/fabric")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Settings before they are typed.

    ``values`` maps lower-case dotted keys to YAML scalars, lists, or environment strings;
    ``names`` maps them to what the user wrote (key or variable); ``file`` is the core.yaml, if
    any, and relative paths start at ``folder``; ``unused`` are keys without meaning for Treadle.
    """

    values: Mapping[str, object]
    names: Mapping[str, str]
    file: Path | None
    folder: Path
    unused: tuple[str, ...]


def read_source(environment: Mapping[str, str], working_folder: Path) -> Source:
    """Read core.yaml, if there is one, and overlay the environment.

    Raises ConfigurationError for an unreadable file or a key that nobody defines.
    """
    file = find_core_yaml(environment, working_folder)
    values: dict[str, object] = {}
    names: dict[str, str] = {}
    unused: list[str] = []
    for number, (key, value) in enumerate(_leaves(_load(file) if file else {})):
        if number >= _MOST_LEAVES:
            remedy = f"a core.yaml with more than {_MOST_LEAVES} keys is none; do not nest aliases"
            raise ConfigurationError(key, value, remedy)
        if not keys.is_used(key):
            _require_defined(key, value)
            unused.append(key)
        elif value is not None:
            values[key.lower()], names[key.lower()] = value, key
    for name, text in sorted(environment.items()):
        _overlay(name, text, values=values, names=names, unused=unused)
    return Source(
        values=values,
        names=names,
        file=file,
        folder=file.parent if file else working_folder,
        unused=tuple(unused),
    )


def find_core_yaml(environment: Mapping[str, str], working_folder: Path) -> Path | None:
    """core.yaml in FABRIC_CFG_PATH; without it in the working folder or Fabric's system folder.

    Raises ConfigurationError when FABRIC_CFG_PATH is set and holds none.
    """
    given = environment.get("FABRIC_CFG_PATH")
    if given:
        file = working_folder / given / "core.yaml"
        if not file.is_file():
            raise ConfigurationError(
                "FABRIC_CFG_PATH", given, "it holds no core.yaml; name its folder or unset it"
            )
        return file.resolve()
    for folder in (working_folder, _SYSTEM_FOLDER):
        if (folder / "core.yaml").is_file():
            return (folder / "core.yaml").resolve()
    return None


def _load(file: Path) -> Mapping[str, object]:
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except Exception as error:
        # Besides YAMLError, PyYAML lets through whatever an impossible date, a tag that does not
        # fit, or deep nesting makes Python raise.
        raise ConfigurationError("core.yaml", str(file), f"it cannot be read: {error}") from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigurationError("core.yaml", str(file), "it must be a YAML mapping of sections")
    return loaded


def _leaves(
    tree: Mapping[str, object], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, object]]:
    if depth > _DEEPEST:
        raise ConfigurationError(prefix[:100], "", f"sections nest at most {_DEEPEST} deep")
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{key}.", depth + 1)
        elif not (isinstance(value, dict) or (value is None and _is_section(key))):
            yield key, value


def _is_section(key: str) -> bool:
    start = key.lower() + "."
    return any(name.lower().startswith(start) for name in (*keys.USED, *keys.UNUSED, *keys.TREADLE))


def _require_defined(key: str, value: object) -> None:
    if keys.is_unused(key):
        return
    raise ConfigurationError(key, value, f"nobody defines this key; {_suggest(key)}")


def _suggest(key: str) -> str:
    lowered = {name.lower(): name for name in (*keys.USED, *keys.TREADLE)}
    close = difflib.get_close_matches(key.lower(), lowered, n=1, cutoff=0.75)
    return f"did you mean {lowered[close[0]]}?" if close else "remove it"


def _overlay(
    name: str,
    text: str,
    *,
    values: dict[str, object],
    names: dict[str, str],
    unused: list[str],
) -> None:
    upper = name.upper()
    if not upper.startswith("CORE_") or not text:
        return  # viper, too, takes an empty variable for an unset one
    key = keys.by_environment().get(upper)
    if key is not None and keys.is_used(key):
        values[key.lower()], names[key.lower()] = text, name
    elif key is not None or keys.unused_environment(upper):
        unused.append(name)
    elif keys.in_known_section(upper):
        raise ConfigurationError(name, text, f"nobody defines this variable; {_suggest_env(upper)}")
    # Anything else merely starts with CORE_ (a Kubernetes Service named "core" does).


def _suggest_env(name: str) -> str:
    known = [keys.environment_name(key) for key in (*keys.USED, *keys.TREADLE)]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f"did you mean {close[0]}?" if close else "unset it"
