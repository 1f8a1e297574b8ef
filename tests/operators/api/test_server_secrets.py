"""What is shown to a chaincode server elsewhere is meant for that, whatever a package names."""

from __future__ import annotations

import pytest
from harness.operating.fixtures import Cluster
from harness.operating.runtimes import SERVER
from harness.operating.world import Namespace
from treadle_operator.errors import Blocked
from treadle_operator.kube import connect
from treadle_operator.model import ChaincodeServer, Ref
from treadle_operator.reconcile.runtime_objects import READABLE, check_server_secret

pytestmark = pytest.mark.kubernetes

KEYS = {"ca.crt": "Y2E=", "tls.crt": "Y2VydA==", "tls.key": "a2V5"}
LABELLED = {READABLE: "true"}


@pytest.mark.parametrize(
    ("data", "labels", "reason"),
    [
        (KEYS, LABELLED, ""),
        (KEYS, {}, "SecretNotReadable"),
        (KEYS, {READABLE: "false"}, "SecretNotReadable"),
        ({"tls.crt": "Y2VydA=="}, LABELLED, "SecretMissing"),
    ],
)
async def test_only_a_secret_that_is_for_chaincode_is_shown_to_a_server(
    cluster: Cluster, space: Namespace, data: dict[str, str], labels: dict[str, str], reason: str
) -> None:
    assert SERVER.secret is not None
    name = SERVER.secret.name
    manifest = {"metadata": {"name": name, "labels": labels}, "data": data}
    space.api.create(space.path("Secret"), manifest).expect()
    assert await refused(cluster, space, SERVER) == reason


async def test_a_secret_that_is_not_there_is_said_and_without_one_nothing_is_asked(
    cluster: Cluster, space: Namespace
) -> None:
    missing = ChaincodeServer(SERVER.address, True, Ref("nowhere"))
    assert await refused(cluster, space, missing) == "SecretMissing"
    assert await refused(cluster, space, ChaincodeServer(SERVER.address, False, None)) == ""


async def refused(cluster: Cluster, space: Namespace, server: ChaincodeServer) -> str:
    """The reason why a pod may not show it, or empty."""
    async with await connect(str(cluster.plane.kubeconfig)) as kube:
        try:
            await check_server_secret(kube, space.name, server)
        except Blocked as error:
            return error.reason
    return ""
