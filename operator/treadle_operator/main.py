"""``treadle-operator``: run the operator until a signal ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click

from treadle_operator.app import Operator
from treadle_operator.errors import OperatorError
from treadle_operator.kube import connect
from treadle_operator.leading import Leading
from treadle_operator.logs import start_logging
from treadle_operator.options import by_language, duration
from treadle_operator.peers import Connections
from treadle_operator.reconcile import World
from treadle_operator.resources import Images
from treadle_operator.serving import Metrics, serve

_log: Final = logging.getLogger(__name__)
_OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line and the environment say."""

    namespaces: tuple[str, ...]
    images: Images
    certificate_lifetime: timedelta
    identity: str
    host: str
    port: int


@click.command(context_settings={"auto_envvar_prefix": "TREADLE_OPERATOR"})
@click.option(
    "--namespaces", default="", help="Namespaces to watch, with commas; default: its own."
)
@click.option("--peer-image", required=True, help="Image of peers whose spec names none.")
@click.option(
    "--builder-image",
    "builder_images",
    multiple=True,
    callback=by_language,
    envvar="TREADLE_OPERATOR_BUILDER_IMAGE",
    help="Image that builds chaincode of a language; repeat it for each language.",
)
@click.option(
    "--runtime-image",
    "runtime_images",
    multiple=True,
    callback=by_language,
    envvar="TREADLE_OPERATOR_RUNTIME_IMAGE",
    help="Image that runs chaincode of a language; repeat it for each language.",
)
@click.option(
    "--certificate-lifetime",
    default="90d",
    callback=duration,
    help="Of the certificates of chaincode pods; they are renewed at two thirds of it.",
)
@click.option(
    "--identity",
    default="",
    help="What it is called in its leases; default: the pod's name, elsewhere one for each start.",
)
@click.option("--listen", default="0.0.0.0:8080", help="Where to serve /healthz and /metrics.")
@click.option(
    "--log-level",
    default="INFO",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"], case_sensitive=False),
    help="How much to log.",
)
@click.version_option(package_name="treadle")
def main(
    *,
    namespaces: str,
    peer_image: str,
    builder_images: Mapping[str, str],
    runtime_images: Mapping[str, str],
    certificate_lifetime: timedelta,
    identity: str,
    listen: str,
    log_level: str,
) -> None:
    """Reconcile Treadle's custom resources.

    In a pod it uses the pod's service account; elsewhere the file that KUBECONFIG names. Every
    option can be given as TREADLE_OPERATOR_<OPTION>, what can be repeated with commas.
    """
    start_logging(log_level.upper())
    host, _, port = listen.rpartition(":")
    if not port.isdigit():
        raise click.BadParameter("write host:port", param_hint="--listen")
    options = Options(
        namespaces=_namespaces(namespaces),
        images=Images(peer_image, builder_images, runtime_images),
        certificate_lifetime=certificate_lifetime,
        identity=identity or _identity(),
        host=host,
        port=int(port),
    )
    try:
        asyncio.run(_run(options))
    except (OperatorError, OSError) as error:
        _log.error("ended: %s", error)
        sys.exit(1)


def _namespaces(text: str) -> tuple[str, ...]:
    given = tuple(name.strip() for name in text.split(",") if name.strip())
    if given:
        return given
    return (_OWN_NAMESPACE.read_text().strip() if _OWN_NAMESPACE.exists() else "default",)


def _identity() -> str:
    """A pod's name survives its containers: one that is started again has nobody to wait for."""
    host = socket.gethostname()
    return host if _OWN_NAMESPACE.exists() else f"{host}-{uuid.uuid4()}"


async def _run(options: Options) -> None:
    stop = _stop_on_signals()
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        in_pod = _OWN_NAMESPACE.exists()
        kube = await stack.enter_async_context(
            await connect(None if in_pod else os.environ.get("KUBECONFIG"))
        )
        kube.observe = metrics.called
        leading = Leading(kube, options.namespaces, options.identity)
        peers = await stack.enter_async_context(Connections(kube, leading.epoch))
        world = World(
            kube=kube,
            peers=peers,
            images=options.images,
            certificate_lifetime=options.certificate_lifetime,
            now=lambda: datetime.now(UTC),
        )
        kube.allow = leading.allowed
        operator = Operator(
            world=world, namespaces=options.namespaces, observer=metrics, leading=leading
        )
        peers.on_change = operator.told
        runner = await serve(options.host, options.port, metrics=metrics, health=operator.stuck)
        stack.push_async_callback(runner.cleanup)
        _log.info("watching %s", ", ".join(options.namespaces))
        await operator.run(stop)
        _log.info("stopped")


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
