"""What is copied into images from outside: the product, toolchains, and caches of packages.

Each part is made once per key, in the cache folder, and copied from there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GO_VERSION = os.environ.get("TREADLE_IMAGES_GO", "go1.26.8")
NPM_VERSION = "10.9.4"
EXAMPLES = "examples/chaincode"
PRODUCT = ("pyproject.toml", "README.md", "LICENSE", "fabric", "protos", "peer", "operator", "cli")
GOROOT_LEFT_OUT = ("test", "doc", "api", "misc")


class Missing(Exception):
    """Something is not installed, or not to be had."""


@dataclass(frozen=True, slots=True)
class Part:
    """``name`` in the context of a build; ``make`` fills a new folder; kept when ``kept``."""

    name: str
    key: str
    make: Callable[[Path], None]
    kept: bool = True

    def put(self, context: Path, cache: Path) -> None:
        """Copy it into *context*."""
        if not self.kept:
            self.make(context / self.name)
            return
        folder = cache / "parts" / f"{self.name}-{self.key}"
        folder.parent.mkdir(exist_ok=True)
        with folder.with_name(f".{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                self._fetch(folder)
        run("cp", "-a", folder, context / self.name)

    def _fetch(self, folder: Path) -> None:
        print(f"images: fetching {self.name}", file=sys.stderr)
        draft = folder.with_name(f".{folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        self.make(draft)
        draft.replace(folder)


def part(name: str) -> Part:
    """The part of that name."""
    example = digest_of("examples/chaincode/go/go.mod", "examples/chaincode/go/go.sum")
    known: Mapping[str, Part] = {
        "requirements": Part(name, digest_of("requirements"), copied("requirements"), kept=False),
        "source": Part(name, digest_of(*PRODUCT, EXAMPLES), product, kept=False),
        "go": Part(name, GO_VERSION, go_toolchain),
        "go-mod": Part(name, f"{GO_VERSION}-{example}", go_modules),
        "example": Part(name, digest_of(f"{EXAMPLES}/go"), copied(f"{EXAMPLES}/go"), kept=False),
        "npm": Part(name, NPM_VERSION, npm),
        "seed": Part(name, digest_of(f"{EXAMPLES}/java/pom.xml"), maven),
    }
    return known[name]


def digest_of(*paths: str) -> str:
    """Of everything that git tracks, or would, below *paths*."""
    digest = hashlib.sha256()
    for file in tracked(*paths):
        digest.update(f"{file}\0".encode() + hashlib.sha256((ROOT / file).read_bytes()).digest())
    return digest.hexdigest()[:16]


def tracked(*paths: str) -> list[str]:
    """Names of files below *paths*, in order."""
    line = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "--"]
    listed = set(run(*line, *paths).splitlines())
    return sorted(name for name in listed if (ROOT / name).is_file())


def copied(path: str) -> Callable[[Path], None]:
    """Copies what is tracked below *path*."""

    def make(target: Path) -> None:
        for name in tracked(path):
            place = target / Path(name).relative_to(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place)

    return make


def product(target: Path) -> None:
    """What the wheel is made of."""
    for name in tracked(*PRODUCT, EXAMPLES):
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place)


def go_toolchain(target: Path) -> None:
    """Go itself: the machine's, or through the module proxy."""
    root = go("env", "GOROOT", GOTOOLCHAIN=GO_VERSION).strip()
    for entry in Path(root).iterdir():
        if entry.is_dir() and entry.name not in GOROOT_LEFT_OUT:
            shutil.copytree(entry, target / entry.name)
        elif entry.is_file():
            shutil.copy(entry, target / entry.name)
    run("chmod", "-R", "u+w,go+rX", target)


def go_modules(target: Path) -> None:
    """The modules of the example, which are the shim and what it needs."""
    work = target / ".example"
    copied(f"{EXAMPLES}/go")(work)
    settings = {"GOMODCACHE": str(target), "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": GO_VERSION}
    go("mod", "download", folder=work, **settings)
    shutil.rmtree(work)
    for archive in (target / "cache" / "download").rglob("*.zip"):
        archive.unlink()  # unpacked beside it


def npm(target: Path) -> None:
    """npm, which Debian would bring with hundreds of packages."""
    need("npm")
    name = run("npm", "pack", "--silent", f"npm@{NPM_VERSION}", folder=target).split()[-1]
    run("tar", "-C", target, "--strip-components=1", "-xzf", target / name)
    (target / name).unlink()


def maven(target: Path) -> None:
    """What Maven fetches to build the example."""
    need("mvn")
    work = target / ".example"
    copied(f"{EXAMPLES}/java")(work)
    repository = f"-Dmaven.repo.local={target / 'maven'}"
    run("mvn", "-q", "-B", "-ntp", "-DskipTests", repository, "package", folder=work)
    shutil.rmtree(work)


def go(*line: str, folder: Path | None = None, **settings: str) -> str:
    """Run it with these settings on top of the environment."""
    need("go")
    return run("go", *line, folder=folder, environment=os.environ | settings)


def need(program: str) -> None:
    """Raise Missing unless it is installed."""
    if shutil.which(program) is None:
        raise Missing(f"{program} is not installed; images are made with it")


def run(
    *line: str | Path, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> str:
    """Its standard output; raises CalledProcessError with all that it said."""
    done = subprocess.run(
        [str(word) for word in line],
        cwd=folder,
        env=None if environment is None else dict(environment),
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
