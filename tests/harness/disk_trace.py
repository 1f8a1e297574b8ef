"""A peer process under ``strace``: every change of its data folder, and every sync, in order.

Recorded on the whole process by the kernel's interface, so nothing that a library does passes
unseen. With ``syncing=False`` the kernel answers every sync with success and does nothing: the
peer believes what it is told, as on a disk that lies.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from harness.disk_calls import (
    Call,
    Copied,
    Linked,
    MadeFolder,
    Opened,
    Removed,
    Renamed,
    Resized,
    Synced,
    Written,
)
from harness.peers import PEER_COMMAND, PeerProcess
from harness.processes import Started, wait_until

_SYNCS = "fsync,fdatasync,sync,syncfs,sync_file_range,msync"
_CHANGES = (
    "open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,"
    "splice,truncate,ftruncate,fallocate,rename,renameat,renameat2,link,linkat,symlink,symlinkat,"
    "unlink,unlinkat,rmdir,mkdir,mkdirat"
)
_LONGEST = 256 << 20  # bytes of one write that are still recorded whole
_LINE = re.compile(r"(\d+) +(\d+)\.(\d{9}) (.*)", re.DOTALL)
_DONE = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<[^>]*>)?(.*?) <(\d+)\.(\d{9})>", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_DETACHED = " <detached ...>"
_FILE = re.compile(r"(?:AT_FDCWD|-?\d+)<([^>]*)>")


class TracedPeer(PeerProcess):
    """A peer whose every start is recorded in ``trace.N`` of its folder."""

    syncing: bool = True

    def launch(self) -> Started:
        """See PeerProcess; the process is the peer itself, strace runs beside it."""
        self.starts += 1
        self.folder.mkdir(parents=True, exist_ok=True)
        lies = [] if self.syncing else [f"--inject={_SYNCS}:retval=0"]
        tracer = [*tracing(self._trace(self.starts)), *lies]
        self._process = Started(
            [*tracer, *PEER_COMMAND, "node", "start", *self.arguments],
            output=self.folder / f"output.{self.starts}",
            environment=self.environment,
            cwd=self.folder,
        )
        return self._process

    def calls(self) -> list[Call]:
        """All calls of all its runs, which have ended; paths are relative to its folder."""
        return [call for run in range(1, self.starts + 1) for call in self._calls_of(run)]

    def _calls_of(self, run: int) -> list[Call]:
        return trace_of(self._trace(run), root=self.folder)

    def _trace(self, run: int) -> Path:
        return self.folder / f"trace.{run}"


def tracing(file: Path) -> list[str]:
    """What is put before a command to record it into *file*, as ``read_trace`` reads it."""
    return [
        *("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-y", "-xx", "-s", str(_LONGEST)),
        *("--absolute-timestamps=format:unix,precision:ns", "--syscall-times=ns"),
        *("-e", "signal=none", "-e", f"trace={_SYNCS},{_CHANGES}", "-o", str(file)),
    ]


def trace_of(file: Path, *, root: Path) -> list[Call]:
    """The calls in *file*, once strace has written its last lines: after the program's end."""
    wait_until(lambda: not _is_open(file), within=30, what=f"{file} being complete")
    return list(read_trace(file.read_text("ascii"), root=root))


def _is_open(file: Path) -> bool:
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if os.readlink(descriptor) == str(file):
                return True
        except OSError:
            continue
    return False


def read_trace(text: str, *, root: Path) -> Iterator[Call]:
    """The successful calls on what lies below *root*``/data``, with paths relative to *root*."""
    begun: dict[str, tuple[int, str]] = {}
    for line in text.splitlines():
        matched = _LINE.fullmatch(line)
        assert matched, f"strace wrote {line[:200]}"
        process, now = matched[1], int(matched[2]) * 10**9 + int(matched[3])
        content = matched[4]
        if content.startswith(("+++", "---")):
            continue
        if content.endswith(_UNFINISHED):
            begun[process] = now, content.removesuffix(_UNFINISHED)
            continue
        resumed, start = _RESUMED.fullmatch(content), now
        if resumed:
            start, head = begun.pop(process)
            content = head + resumed[1]
        yield from _read(content, start=start, root=root)


def _read(content: str, *, start: int, root: Path) -> Iterator[Call]:
    done = _DONE.fullmatch(content)
    if done is None:  # the process was killed in it, or strace was while it waited
        unfinished = (") " in content and "= ?" in content) or content.endswith(_DETACHED)
        assert unfinished, f"strace wrote {content[:200]}"
        return
    name, result, note = done[1], int(done[3]), done[4]
    if result < 0 or "INJECTED" in note:
        return
    end = start + int(done[5]) * 10**9 + int(done[6])
    call = _call(name, done[2].split(", "), result, root=root, moment=(start, end))
    if call is not None:
        yield call


def _call(
    name: str, words: list[str], result: int, *, root: Path, moment: tuple[int, int]
) -> Call | None:
    begun, ended = moment
    assert name not in ("sync", "syncfs", "symlink", "symlinkat"), name
    if name in ("rename", "renameat", "renameat2", "link", "linkat"):
        path, target = _two_places(name, words, root)
        if path is None or target is None:
            assert path is target, f"{name} over the border of the folder"
            return None
        kind = Renamed if name.startswith("rename") else Linked
        return kind(begun=begun, ended=ended, path=path, target=target)
    path = _place(name, words, root)
    if path is None:
        return None
    match name:
        case "open" | "openat" | "creat" | "openat2":
            flags = words[-1 if len(words) < 3 else 2 if name == "openat" else 1].split("|")
            if name != "creat" and "O_WRONLY" not in flags and "O_RDWR" not in flags:
                return None
            assert not {"O_SYNC", "O_DSYNC"} & set(flags), flags
            truncate = "O_TRUNC" in flags or name == "creat"
            append = "O_APPEND" in flags
            return Opened(begun=begun, ended=ended, path=path, truncate=truncate, append=append)
        case "write" | "pwrite64":
            offset = int(words[3]) if name == "pwrite64" else None
            data = _bytes(words[1])[:result]
            return Written(begun=begun, ended=ended, path=path, data=data, offset=offset)
        case "sendfile":
            source = _relative(_file(words[1]), root)
            assert source is not None, "copied from outside"
            return Copied(begun=begun, ended=ended, path=path, source=source, size=result)
        case "truncate" | "ftruncate":
            return Resized(begun=begun, ended=ended, path=path, size=int(words[1]))
        case "fallocate":
            if "KEEP_SIZE" in words[1]:
                return None
            assert words[1] == "0", words[1]
            size = int(words[2]) + int(words[3])
            return Resized(begun=begun, ended=ended, path=path, size=size, grow=True)
        case "mkdir" | "mkdirat":
            return MadeFolder(begun=begun, ended=ended, path=path)
        case "unlink" | "unlinkat" | "rmdir":
            return Removed(begun=begun, ended=ended, path=path)
        case "fsync" | "fdatasync":
            return Synced(begun=begun, ended=ended, path=path)
        case "sync_file_range":
            return None  # starts writing early; promises nothing
    raise AssertionError(f"{name} on {path} is not understood")


def _place(name: str, words: list[str], root: Path) -> str | None:
    if name in ("openat", "openat2", "unlinkat", "mkdirat"):
        return _relative(_joined(words[0], words[1]), root)
    if words[0].startswith('"'):
        return _relative(_text(words[0]), root)
    return _relative(_file(words[0]), root)


def _two_places(name: str, words: list[str], root: Path) -> tuple[str | None, str | None]:
    if name in ("rename", "link"):
        first, second = _text(words[0]), _text(words[1])
    else:
        first, second = _joined(words[0], words[1]), _joined(words[2], words[3])
    return _relative(first, root), _relative(second, root)


def _joined(folder: str, name: str) -> str:
    return os.path.normpath(os.path.join(_file(folder), _text(name)))


def _file(word: str) -> str:
    matched = _FILE.match(word)
    return _decoded(matched[1]).decode("utf-8", "surrogateescape") if matched else ""


def _text(word: str) -> str:
    return _bytes(word).decode("utf-8", "surrogateescape")


def _bytes(word: str) -> bytes:
    assert word.endswith('"'), f"cut off: {word[-20:]}"
    return _decoded(word[1:-1])


def _decoded(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _relative(path: str, root: Path) -> str | None:
    """*path* seen from *root*, if it is *root* or lies below ``data`` and still has a name."""
    data = f"{root}/data"
    if path == str(root):
        return ""
    if path != data and not path.startswith(f"{data}/"):
        return None
    # Without a name nothing of it can be found after the power loss.
    return None if path.endswith("(deleted)") else path[len(str(root)) + 1 :]
