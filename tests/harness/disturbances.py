"""The table of all disturbances: what each does, how much of it, and what its callers are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.honest import HONEST
from harness.rogues.orders import Orders

GRPC = ("peer", "ordering", "chaincode")
EVERY = (*GRPC, "operations")
MEGABYTE = 1_000_000

TIMED_OUT = "timeout expired while executing transaction"
TERMINATED = "chaincode stream terminated"
NOBODY = "no chaincode process is connected"
WRITES_TOO_MUCH = "more than"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """One row. ``answers``: each answer that its transactions get contains one of these.

    ``dose`` names what it has to have done, at least so often, for the figures to mean anything.
    A ``heavy`` one keeps its own process busy, too. ``with_tls``: measured behind TLS, too.
    ``megabytes`` of blocks are on the channel before it begins.
    """

    behaviour: str
    answers: Sequence[str] = ()
    dose: tuple[str, int] = ("", 0)
    callers: int = 0
    argument_bytes: int = 0
    rate: float = 100.0
    ports: Sequence[str] = ()
    count: int = 0
    keys: int = 0
    name: str = ""
    heavy: bool = False
    with_tls: bool = False
    megabytes: int = 0

    def orders(self, common: Mapping[str, object], *, quick: bool = False) -> Orders:
        """The orders of an adversary; *common* has addresses, folder and so on.

        *quick*: at a fifth of the rate and on a twentieth of the scale, for a look without figures.
        """
        own: dict[str, object] = {
            "behaviour": self.behaviour,
            "name": self.name or "rogue-" + self.behaviour.replace(" ", "-"),
            "callers": self.callers,
            "argument_bytes": self.argument_bytes,
            "rate": self.rate / 5 if quick and not self.callers else self.rate,
            "ports": self.ports,
            "count": self.count // 20 if quick else self.count,
            "keys": self.keys,
        }
        return Orders(**{**common, **own})  # type: ignore[arg-type]


CHAINCODES = (
    Disturbance(behaviour="behaves", callers=4, answers=["value of 4 bytes"]),
    Disturbance(behaviour="never answers", callers=50, answers=[TIMED_OUT]),
    Disturbance(
        behaviour="never reads", heavy=True, callers=8, argument_bytes=MEGABYTE, answers=[TIMED_OUT]
    ),
    Disturbance(
        behaviour="answers twice", callers=4, answers=["value of 1 bytes"], dose=("answers", 30)
    ),
    Disturbance(behaviour="answers late", callers=20, answers=[TIMED_OUT]),
    Disturbance(
        behaviour="answers for others",
        callers=4,
        answers=["value of 4 bytes"],
        dose=("strange answers", 20),
    ),
    Disturbance(
        behaviour="leaks iterators",
        heavy=True,
        callers=1,
        keys=150,
        answers=["value of 6 bytes", TIMED_OUT],
        dose=("iterators", 1000),
    ),
    Disturbance(
        behaviour="floods requests",
        heavy=True,
        callers=2,
        answers=[TIMED_OUT],
        dose=("requests", 500),
    ),
    Disturbance(
        behaviour="floods and never reads",
        heavy=True,
        callers=2,
        answers=[TIMED_OUT],
        dose=("requests", 500),
    ),
    Disturbance(behaviour="speaks in tongues", callers=4, rate=20, answers=[TERMINATED, NOBODY]),
    Disturbance(
        behaviour="sends 100 MB in a row",
        heavy=True,
        callers=1,
        rate=2,
        answers=[WRITES_TOO_MUCH, TIMED_OUT],
        dose=("megabytes written", 100),
    ),
    Disturbance(
        behaviour="sends more than a message may hold",
        heavy=True,
        callers=1,
        rate=2,
        answers=[TERMINATED, NOBODY],
    ),
    Disturbance(
        behaviour="writes gigabytes",
        heavy=True,
        callers=1,
        rate=10,
        answers=[WRITES_TOO_MUCH, TIMED_OUT],
        dose=("megabytes written", 32),
    ),
    Disturbance(
        behaviour="calls itself",
        callers=2,
        answers=["value of 8 bytes"],
        dose=("refused calls", 50),
    ),
    Disturbance(
        behaviour="calls a long chain",
        callers=1,
        rate=2,
        count=40,
        answers=["value of 4 bytes"],
        dose=("reached the end", 2),
    ),
    Disturbance(
        behaviour="floods events",
        heavy=True,
        callers=2,
        rate=20,
        answers=["value of 4 bytes"],
        dose=("events", 10),
    ),
    Disturbance(
        behaviour="answers with 64 MB",
        heavy=True,
        callers=1,
        rate=2,
        answers=["larger than max", TIMED_OUT],
        dose=("large answers", 1),
    ),
    Disturbance(behaviour="registers and leaves", rate=300, dose=("registrations", 100)),
    Disturbance(
        behaviour="registers strange names",
        rate=100,
        ports=("chaincode",),
        count=200,
        dose=("registrations", 100),
    ),
)

PORTS = (
    Disturbance(behaviour="sends garbage", with_tls=True, ports=EVERY, dose=("connections", 50)),
    Disturbance(
        behaviour="connects and says nothing",
        with_tls=True,
        ports=EVERY,
        rate=400,
        count=1000,
        dose=("connections", 1000),
    ),
    Disturbance(
        behaviour="begins TLS and stops",
        with_tls=True,
        ports=EVERY,
        rate=400,
        count=1000,
        dose=("connections", 1000),
    ),
    Disturbance(
        behaviour="begins HTTP/2 and stops",
        ports=GRPC,
        rate=400,
        count=1000,
        dose=("connections", 1000),
    ),
    Disturbance(
        behaviour="begins headers and stops",
        ports=GRPC,
        rate=400,
        count=1000,
        dose=("connections", 1000),
    ),
    Disturbance(
        behaviour="sends a byte per second",
        with_tls=True,
        ports=EVERY,
        rate=400,
        count=500,
        dose=("bytes", 500),
    ),
    Disturbance(behaviour="sends headers without end", ports=GRPC, dose=("turns", 50)),
    Disturbance(
        behaviour="resets calls at once", with_tls=True, ports=GRPC, rate=20, dose=("turns", 20)
    ),
    Disturbance(behaviour="floods pings", ports=GRPC, rate=50, dose=("turns", 50)),
    Disturbance(behaviour="floods settings", ports=GRPC, rate=50, dose=("turns", 50)),
    Disturbance(
        behaviour="claims lengths it does not send", with_tls=True, ports=GRPC, dose=("turns", 50)
    ),
    Disturbance(
        behaviour="reads no blocks", with_tls=True, megabytes=50, count=20, dose=("streams", 20)
    ),
    Disturbance(
        behaviour="opens thousands of streams",
        with_tls=True,
        count=3000,
        rate=1000,
        dose=("streams", 2400),
    ),
    Disturbance(behaviour="sends too large messages", rate=4, dose=("proposals", 2)),
    Disturbance(behaviour="proposes garbage", rate=200, dose=("proposals", 100)),
    Disturbance(behaviour="asks for what is not there", rate=100, dose=("requests", 50)),
    Disturbance(behaviour="sends huge headers", dose=("fields", 50)),
    Disturbance(behaviour="sends headers slowly", count=500, dose=("connections", 500)),
    Disturbance(behaviour="sends bodies of a GiB", rate=300, dose=("chunks", 100)),
)

# Without TLS a development port admits whoever comes, and the newer replaces the older one.
IMPOSTOR = Disturbance(
    behaviour="registers a running name",
    name=HONEST,
    rate=50,
    ports=("chaincode",),
    dose=("registrations", 50),
)
