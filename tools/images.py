"""Builds the container images; see tools/images.sh, which is how people call it.

Each image is an OCI archive ``<cache>/archives/<name>-<key>.tar``; the key is made of everything
that goes into it. The printed folder holds links to the current ones.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from image_parts import ROOT, Missing, part, run

RECIPES = ROOT / "images"
REVISION = "1"  # counts changes of this file that change images
ORDINARY_BASE = "debian:bookworm-slim"
DEBOOTSTRAP = "debootstrap"
SUITE = "bookworm"
LOCAL_BASE = f"localhost/treadle-base:{SUITE}"
PARTS: Mapping[str, tuple[str, ...]] = {
    "peer": ("requirements", "source"),
    "operator": ("requirements", "source"),
    "builder-golang": ("go", "go-mod", "example"),
    "builder-node": ("npm",),
    "runtime-node": ("npm",),
    "builder-java": ("seed",),
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the images are called: as the chart's values have it."""

    short: tuple[str, ...]
    prefix: str
    tag: str

    def full(self, short: str) -> str:
        """With registry and tag, as a container runtime knows it."""
        return f"docker.io/{self.prefix}/{short}:{self.tag}"


def names() -> Names:
    """Read from charts/treadle."""
    chart = ROOT / "charts" / "treadle"
    images = yaml.safe_load((chart / "values.yaml").read_text())["images"]
    version = yaml.safe_load((chart / "Chart.yaml").read_text())["appVersion"]
    many = [*images["builders"].values(), *images["runtimes"].values()]
    return Names((images["peer"], images["operator"], *many), images["registry"], str(version))


def kept() -> Path:
    """Where everything is kept."""
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder) / "treadle" / "images"


def base() -> str:
    """What TREADLE_IMAGES_BASE says, or what this machine can do."""
    told = os.environ.get("TREADLE_IMAGES_BASE", "")
    makes = shutil.which(DEBOOTSTRAP) is not None and os.geteuid() == 0 and engine() == "buildah"
    return told or (DEBOOTSTRAP if makes else ORDINARY_BASE)


def engine() -> str:
    """What builds: buildah where there is one."""
    for program in ("buildah", "docker"):
        if shutil.which(program):
            return program
    raise Missing("neither buildah nor docker is installed")


def key_of(short: str) -> str:
    """Changes with everything that goes into the image."""
    digest = hashlib.sha256("\0".join((REVISION, base(), architecture(), names().tag)).encode())
    digest.update((RECIPES / f"{short}.Containerfile").read_bytes())
    for wanted in PARTS.get(short, ()):
        digest.update(part(wanted).key.encode())
    return digest.hexdigest()[:16]


def architecture() -> str:
    """Debian's name of it, which is the one of images, too."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def build(short: str, target: Path) -> None:
    """Make the archive *target*."""
    began = time.monotonic()
    print(f"images: building {short}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=kept()) as folder:
        context = Path(folder) / "context"
        context.mkdir()
        for wanted in PARTS.get(short, ()):
            part(wanted).put(context, kept())
        draft = Path(folder) / "image.tar"
        maker: Callable[[str, Path, Path], None]
        maker = by_buildah if engine() == "buildah" else by_docker
        maker(short, context, draft)
        draft.replace(target)
    size = target.stat().st_size / 1e6
    print(f"images: {short}: {time.monotonic() - began:.0f} s, {size:.0f} MB", file=sys.stderr)


def by_buildah(short: str, context: Path, target: Path) -> None:
    """Without a daemon; works in a container, too."""
    image = names().full(short)
    from_image = base()
    if from_image == DEBOOTSTRAP:
        ensure_local_base()
        from_image = LOCAL_BASE
    line = ["bud", "--quiet", "--layers", "--format=oci", f"--build-arg=BASE={from_image}"]
    line += [*secrets(), "-t", image, "-f", str(RECIPES / f"{short}.Containerfile"), str(context)]
    # Layers stay, so that another state of the sources does not install everything again.
    buildah(*line)
    layout = target.with_suffix(".oci")
    buildah("push", "--quiet", image, f"oci:{layout}:{image}")
    name_for_containerd(layout / "index.json", image)
    run("tar", "-C", layout, "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "-cf", target,
        "oci-layout", "index.json", "blobs")  # fmt: skip


def name_for_containerd(file: Path, image: str) -> None:
    """containerd takes the whole name from an annotation of its own."""
    index: dict[str, Any] = json.loads(file.read_text())
    (manifest,) = index["manifests"]
    manifest.setdefault("annotations", {})["io.containerd.image.name"] = image
    file.write_text(json.dumps(index))


def by_docker(short: str, context: Path, target: Path) -> None:
    """Where there is a daemon and no buildah; the archive has Docker's form then."""
    if base() == DEBOOTSTRAP:
        raise Missing("a base made by debootstrap needs buildah")
    image, recipe = names().full(short), RECIPES / f"{short}.Containerfile"
    run("docker", "build", "--quiet", f"--build-arg=BASE={base()}", *secrets(), "-t", image,
        "-f", recipe, context)  # fmt: skip
    run("docker", "save", "-o", target, image)


def secrets() -> list[str]:
    """What pip needs behind a mirror; it is there for a step and in no image."""
    found = {"pip": Path("/etc/pip.conf"), "ca": Path(os.environ.get("PIP_CERT", "/none"))}
    return [f"--secret=id={name},src={path}" for name, path in found.items() if path.is_file()]


def buildah(*line: str) -> str:
    """Run it with a storage of our own."""
    return with_storage(driver(), *line)


@cache
def driver() -> str:
    """What keeps layers: overlay where the kernel lets us mount it, else whole copies."""
    told = os.environ.get("STORAGE_DRIVER")
    if told:
        return told
    try:
        with_storage("overlay", "images")
    except subprocess.CalledProcessError:
        return "vfs"
    return "overlay"


def with_storage(kind: str, *line: str) -> str:
    """Run it with a storage of that driver."""
    storage = ["--root", str(kept() / f"storage-{kind}"), "--runroot", str(kept() / f"run-{kind}")]
    defaults = {"BUILDAH_ISOLATION": "chroot"} | os.environ | {"STORAGE_DRIVER": kind}
    return run("buildah", *storage, *line, environment=defaults)


def ensure_local_base() -> None:
    """Make LOCAL_BASE of Debian's packages, unless it is there."""
    if LOCAL_BASE in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
        return
    print("images: making the base image by debootstrap", file=sys.stderr)
    archive = kept() / f"base-{SUITE}-{architecture()}.tar"
    if not archive.exists():
        with tempfile.TemporaryDirectory(dir=kept()) as folder:
            debootstrap(Path(folder) / "root", archive)
    container = buildah("from", "scratch").strip()
    buildah("add", "--quiet", container, str(archive), "/")
    buildah("commit", "--quiet", "--rm", container, LOCAL_BASE)


def debootstrap(root: Path, archive: Path) -> None:
    """A minimal Debian with its security updates, as a tar file."""
    mirror = os.environ.get("TREADLE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
    run("debootstrap", "--variant=minbase", SUITE, root, mirror)
    (root / "etc/apt/sources.list").write_text(
        f"deb {mirror} {SUITE} main\ndeb {mirror} {SUITE}-updates main\n"
        f"deb {mirror}-security {SUITE}-security main\n"
    )
    for name in ("resolv.conf", "hostname"):  # of this machine
        (root / "etc" / name).unlink(missing_ok=True)
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists", "var/log"):
        for file in (root / folder).rglob("*"):
            if file.is_file():
                file.unlink()
    draft = archive.with_suffix(".draft")
    with tarfile.open(draft, "w") as tar:
        tar.add(root, arcname=".", filter=lambda one: None if one.isdev() else one)
    draft.replace(archive)


def publish(archives: Mapping[str, Path]) -> Path:
    """A folder with exactly these archives, by their short names."""
    digest = hashlib.sha256("".join(path.name for path in archives.values()).encode())
    folder = kept() / digest.hexdigest()[:16]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for short, path in archives.items():
        os.link(path, folder / f"{short}.tar")
    return folder


def forget(short: str, current: Path) -> None:
    """Only the current archive of an image stays."""
    for path in current.parent.glob(f"{short}-*.tar"):
        if path != current and len(path.stem) == len(current.stem):
            path.unlink()
    for folder in kept().glob(16 * "[0-9a-f]"):
        link = folder / f"{short}.tar"
        if link.exists() and not link.samefile(current):
            shutil.rmtree(folder)


def images(wanted: Iterable[str]) -> Mapping[str, Path]:
    """Build what is missing; the archives by short name."""
    (kept() / "archives").mkdir(parents=True, exist_ok=True)
    found = {}
    for short in wanted:
        found[short] = kept() / "archives" / f"{short}-{key_of(short)}.tar"
        with (kept() / f".{short}.lock").open("w") as lock:
            # Whoever asks for the same image meanwhile waits, and finds it then.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not found[short].exists():
                build(short, found[short])
                forget(short, found[short])
    return found


def main() -> None:
    """Print the folder as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="all images when nothing is said")
    parser.add_argument("--kind-load", metavar="CLUSTER", help="load them into that kind cluster")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(names().short):
        sys.exit(f"images: no image is called {', '.join(sorted(unknown))}: {names().short}")
    try:
        folder = publish(images(asked.names or names().short))
        for archive in sorted(folder.glob("*.tar")) if asked.kind_load else ():
            run("kind", "load", "image-archive", archive, "--name", asked.kind_load)
    except Missing as missing:
        sys.exit(f"images: {missing}")
    except subprocess.CalledProcessError as failed:
        sys.exit(f"images: {failed.cmd[0]} failed:\n{failed.stdout}{failed.stderr}")
    print(folder)


if __name__ == "__main__":
    main()
