"""Running what was built: a Deployment, and a certificate that is replaced before it ends."""

from __future__ import annotations

from treadle_operator.errors import Blocked
from treadle_operator.model import ChaincodeServer, Manifest, text_at
from treadle_operator.model.peering import Purpose
from treadle_operator.reconcile.runtime_objects import (
    NOT_READABLE,
    Task,
    check_readable,
    check_server_secret,
    ensure,
    is_leaving,
    remove,
)
from treadle_operator.reconcile.runtime_observing import (
    Finding,
    is_complete,
    is_failed,
    is_rolled_out,
    running_finding,
)
from treadle_operator.reconcile.targets import servers_not_allowed
from treadle_operator.resources import secret_data
from treadle_operator.resources.runtime_deployment import runtime_deployment, runtime_image
from treadle_operator.resources.runtime_parts import CHAINCODE, is_of_runtime
from treadle_operator.resources.runtime_secret import (
    CERTIFICATE,
    held,
    kept_secret,
    runtime_secret,
)
from treadle_operator.resources.runtime_values import noting_values

_KEYS = ("client.crt", "client.key", "ca.crt", "client.crt.b64", "client.key.b64")


async def run(task: Task) -> Finding:
    """Keep it running. Raises Blocked, KubeError, PeerUnavailable and PeerRefused."""
    kube, live = task.world.kube, task.live
    if live.job is None or is_complete(live.job) or is_failed(live.job):
        await remove(kube, live, "build")
    image = runtime_image(task.of, task.world.images)
    if image is None:
        language = task.runtime.language
        raise Blocked(
            "NoRuntime",
            f"no image runs {language}: give the operator --runtime-image {language}=...",
        )
    values = await check_readable(kube, task.key.namespace, task.settings.env)
    if isinstance(task.of.prebuilt, ChaincodeServer):
        await _check_server(task, task.of.prebuilt)
    secret = await _certificate(task)
    wanted = runtime_deployment(
        task.of,
        images=task.world.images,
        image=image,
        settings=noting_values(task.settings, values, key=secret_data(secret)["client.key"]),
        output_sha256=task.runtime.output_sha256,
        certificate=held(secret).fingerprint,
    )
    stored = await ensure(kube, wanted, live.deployment, runtime=live.name)
    await _retire(task, secret, stored)
    return running_finding(stored, live.running)


async def _check_server(task: Task, server: ChaincodeServer) -> None:
    """Raise Blocked unless the peer allows it and its TLS is there; what may not be, goes."""
    peer, namespace = task.of.peer, task.key.namespace
    if not peer.spec.chaincode.external_servers:
        await remove(task.world.kube, task.live, "run")
        raise Blocked("ServersNotAllowed", servers_not_allowed(peer.meta.name))
    try:
        await check_server_secret(task.world.kube, namespace, server)
    except Blocked as error:
        if error.reason == NOT_READABLE:
            await remove(task.world.kube, task.live, "run")
        raise


async def _certificate(task: Task) -> Manifest:
    """The Secret: kept, or with a new certificate when there is none or it is time."""
    live = task.live.secret
    known = held(live)
    data = secret_data(live or {})
    usable = bool(known.fingerprint) and all(data.get(key) for key in _KEYS)
    if live is not None and usable and not known.is_due(task.now) and not is_leaving(live):
        wanted = kept_secret(task.of, live, component=CHAINCODE, retiring=known.retiring)
        return await ensure(task.world.kube, wanted, live, runtime=task.live.name)
    if live is not None and not is_of_runtime(live, task.live.name):
        raise Blocked("NameTaken", f"Secret {task.live.name} is not the operator's; delete it")
    issued = await task.link.issue(
        task.runtime.ccid, Purpose.RUNTIME, task.world.certificate_lifetime
    )
    # Pods may have the one that is replaced, also if its Secret is gone.
    template = ("spec", "template", "metadata", "annotations", CERTIFICATE)
    used = {*known.retiring, known.fingerprint, text_at(task.live.deployment, *template)} - {""}
    wanted = runtime_secret(
        task.of,
        name=task.live.name,
        component=CHAINCODE,
        certificate=issued,
        now=task.now,
        retiring=sorted(used),
    )
    return await ensure(task.world.kube, wanted, live, runtime=task.live.name)


async def _retire(task: Task, secret: Manifest, deployment: Manifest) -> None:
    """End what was replaced, once no pod has it any more."""
    known = held(secret)
    if not known.retiring or not is_rolled_out(deployment, task.live.running, known.fingerprint):
        return
    for fingerprint in known.retiring:
        await task.link.retire(fingerprint)
    wanted = kept_secret(task.of, secret, component=CHAINCODE, retiring=())
    await ensure(task.world.kube, wanted, secret, runtime=task.live.name)
