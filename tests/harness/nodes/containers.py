"""One container as a process: started, waited for, ended; and its state as the API says it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.nodes.sandbox import Mount, Room, Sandbox, children

FIRST_BACK_OFF, LONGEST_BACK_OFF = 1.0, 20.0  # seconds; a kubelet's are 10 and 300
# unshare --fork of util-linux 2.38 tells a killed process from a failed one only by its text.
_FIRST = 'exec 3<&0; sh "$0" <&3 3<&- & wait $!'
_TAIL = 2048  # bytes of a log that may become a termination message


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Container:
    """``ended`` is called from another thread when its process is gone."""

    spec: Mapping[str, Any]
    folder: Path
    ended: Callable[[], None]
    waiting: tuple[str, str] = ("ContainerCreating", "")
    restarts: int = 0
    retry_at: float = 0.0
    last: dict[str, Any] = field(default_factory=dict)
    terminated: dict[str, Any] | None = None
    started_at: str = ""
    started: bool = False
    ready: bool = False
    probed: dict[str, tuple[float, int]] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def running(self) -> bool:
        return self._process is not None

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, sandbox: Sandbox, room: Room) -> None:
        """Run it anew; the log of the time before is kept beside."""
        root = self.folder / "root"
        root.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.rename(self.folder / "previous.log")
        self._message.write_bytes(b"")
        self._message.chmod(0o666)
        message = self.spec.get("terminationMessagePath", "/dev/termination-log")
        kept = Mount(source=self._message, target=message)
        room = Room(
            image=room.image, hostname=room.hostname, mounts=[*room.mounts, kept],
            environment=room.environment, command=room.command, folder=room.folder,
            security=room.security,
        )  # fmt: skip
        script = self.folder / "start.sh"
        script.write_text(room.script(root))
        enter = ["nsenter", f"--target={sandbox.pid}", "--net", "--pid"]
        own = ["unshare", "--mount", "--propagation=private", "--uts", "--pid"]
        heard, told = os.pipe()
        with self.log.open("wb") as sink:
            self._process = subprocess.Popen(
                [*enter, *own, "sh", "-c", _FIRST, str(script)],
                stdin=told, stdout=sink, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        os.close(told)
        os.read(heard, 1)  # nobody may end it before it is there: its first process would not care
        os.close(heard)
        self.started_at, self.terminated, self.waiting = now(), None, ("", "")
        self.started, self.ready, self.probed = False, False, {"": (time.monotonic(), 0)}
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()

    @property
    def _message(self) -> Path:
        return self.folder / "message"

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self.ended()

    def signal(self, number: signal.Signals) -> None:
        """To its first process, as a container runtime does."""
        pid = self.first_process()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def first_process(self) -> int | None:
        """Of its own pid namespace: below nsenter and unshare."""
        if self._process is None:
            return None
        pid = self._process.pid
        for _ in range(2):
            found = children(pid)
            if not found:
                return None
            pid = found[0]
        return pid

    def reap(self) -> bool:
        """Whether it has ended since the last look; then its state says so."""
        if self._process is None or self._process.poll() is None:
            return False
        code = self._process.returncode
        code = 128 - code if code < 0 else code
        self._process = None
        self.terminated = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "message": self._last_words(code),
            "startedAt": self.started_at,
            "finishedAt": now(),
        }
        self.ready = False
        return True

    def back_off(self) -> None:
        """Wait before the next start, longer each time."""
        delay = min(FIRST_BACK_OFF * 2**self.restarts, LONGEST_BACK_OFF) if self.restarts else 0
        self.retry_at = time.monotonic() + delay
        self.restarts += 1
        assert self.terminated is not None
        self.last, self.terminated = self.terminated, None
        if delay:
            text = f"back-off {delay:g}s restarting failed container={self.name}"
            self.waiting = ("CrashLoopBackOff", text)

    def _last_words(self, code: int) -> str:
        words = self._message.read_text(errors="replace")
        if not words and code and self.spec.get("terminationMessagePolicy") != "File":
            words = self.log.read_bytes()[-_TAIL:].decode(errors="replace")
        return words[-4096:]

    def status(self) -> dict[str, Any]:
        """Its entry in containerStatuses or initContainerStatuses."""
        if self._process is not None:
            state: dict[str, Any] = {"running": {"startedAt": self.started_at}}
        elif self.terminated is not None:
            state = {"terminated": self.terminated}
        else:
            reason, message = self.waiting
            state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": f"process://{self.spec['image']}",
            "restartCount": self.restarts,
            "started": self.started,
            "ready": self.ready,
            "state": state,
            "lastState": {"terminated": self.last} if self.last else {},
        }
