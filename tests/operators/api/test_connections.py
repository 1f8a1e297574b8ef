"""One link to each Peer, whoever asks for it and whenever."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

import pytest
from harness.operating.fixtures import Cluster
from harness.operating.world import Namespace
from treadle_operator import identities
from treadle_operator.kube import Kube, connect
from treadle_operator.names import peer_names
from treadle_operator.peers import connections
from treadle_operator.peers.access import Access, read_access
from treadle_operator.peers.connections import Connections
from treadle_operator.peers.link import Link

pytestmark = pytest.mark.kubernetes


@pytest.fixture
def open_links(monkeypatch: pytest.MonkeyPatch) -> list[Link]:
    """The links that are open now."""
    found: list[Link] = []

    class Counted(Link):
        def __init__(
            self,
            access: Access,
            *,
            told: Callable[[str], object],
            epoch: Callable[[], int],
            refused: Callable[[], object],
        ) -> None:
            super().__init__(access, told=told, epoch=epoch, refused=refused)
            found.append(self)

        async def close(self) -> None:
            found.remove(self)
            await super().close()

    monkeypatch.setattr(connections, "Link", Counted)
    return found


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many looked at a Peer's Secrets at the same time, at each look."""
    found: list[int] = []
    now: set[object] = set()

    async def counted(kube: Kube, namespace: str, name: str) -> Access:
        look = object()
        now.add(look)
        found.append(len(now))
        try:
            return await read_access(kube, namespace, name)
        finally:
            now.remove(look)

    monkeypatch.setattr(connections, "read_access", counted)
    return found


@pytest.fixture
def peer0(space: Namespace) -> None:
    """A Peer without TLS, and its administrator's Secret."""
    space.create_peer(mode="Development", tls={"enabled": False})
    authority = identities.new_authority("Org1MSP", space.name)
    organization = identities.open_authority("Org1MSP", "authority", authority)
    data = identities.new_member(organization, "admin", "peer0")
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    name = peer_names("peer0", "Org1MSP").admin_secret
    manifest = {"metadata": {"name": name}, "data": encoded}
    space.api.create(space.path("Secret"), manifest).expect()


@pytest.mark.usefixtures("peer0")
async def test_a_peer_that_goes_while_others_ask_for_it_is_looked_at_by_one_at_a_time(
    cluster: Cluster, space: Namespace, open_links: list[Link], at_once: list[int]
) -> None:
    place = space.name, "peer0"
    async with (
        await connect(str(cluster.plane.kubeconfig)) as kube,
        Connections(kube, lambda namespace: 1) as made,
    ):

        async def gone_and_back() -> Link:
            await made.drop(*place)
            return await made.refresh(*place)

        works = [made.refresh(*place), gone_and_back(), made.refresh(*place)]
        _, second, third = await asyncio.gather(*works)
        assert second is third
        # Of two at once the one that read older Secrets could win.
        assert at_once == [1, 1, 1]
        assert open_links == [second]
    assert not open_links
