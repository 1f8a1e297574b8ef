"""The operations listener: /healthz, /metrics, /logspec, /version, /runtimes over HTTP."""

from __future__ import annotations

import json
import logging
import ssl

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from treadle_peer.config import join_address, split_address
from treadle_peer.logs import Repeats
from treadle_peer.server.listener import ListenError
from treadle_peer.server.tls import TLSMaterial, http_context
from treadle_peer.services.metrics import CONTENT_TYPE
from treadle_peer.services.operations import Operations

_log = logging.getLogger(__name__)

_LARGEST_BODY = 64 << 10


class OperationsListener:
    """An HTTP server around Operations. Writing needs a client certificate when TLS is on."""

    def __init__(self, operations: Operations, *, address: str, tls: TLSMaterial | None) -> None:
        self._operations = operations
        self._address = address
        self._tls = tls
        self._repeats = Repeats(_log)
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_get("/healthz", self._healthz)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/logspec", self._read_logspec)
        application.router.add_put("/logspec", self._write_logspec)
        application.router.add_get("/version", self._version)
        application.router.add_get("/runtimes", self._runtimes)
        logger = logging.getLogger(f"{__name__}.connections")
        logger.addFilter(_is_ours)
        self._runner = web.AppRunner(application, access_log=None, logger=logger)

    async def start(self) -> str:
        """Listen and return the real address; raises ListenError."""
        host, port = split_address(self._address)
        await self._runner.setup()
        context = http_context(self._tls) if self._tls else None
        site = web.TCPSite(self._runner, host or None, port, ssl_context=context)
        try:
            await site.start()
        except OSError as error:
            raise ListenError(
                f"cannot listen on {self._address}: {error.strerror or error}; "
                "change operations.listenAddress"
            ) from error
        bound = self._runner.addresses[0]
        return join_address(host or "0.0.0.0", int(bound[1]))

    async def stop(self) -> None:
        """Close the listener and its connections."""
        await self._runner.cleanup()

    async def _healthz(self, request: web.Request) -> web.Response:
        report = self._operations.health()
        return web.json_response(report.as_json(), status=200 if report.healthy else 503)

    async def _metrics(self, request: web.Request) -> web.Response:
        body = self._operations.metrics.render()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    async def _read_logspec(self, request: web.Request) -> web.Response:
        return web.json_response({"spec": self._operations.logs.spec})

    async def _write_logspec(self, request: web.Request) -> web.Response:
        if self._tls is not None and not _has_certificate(request):
            text = f"{request.method} {request.path} without a client certificate"
            self._repeats.warning(text)
            return web.Response(status=401)
        try:
            body = json.loads(await request.text())
            if not isinstance(body, dict) or not isinstance(body.get("spec", ""), str):
                raise ValueError("send a JSON object with one string, spec")
            self._operations.logs.activate(body.get("spec", ""))
        except (ValueError, RecursionError) as error:
            return web.json_response({"error": str(error)}, status=400)
        _log.info("log levels are now %r", self._operations.logs.spec)
        return web.Response(status=204)

    async def _version(self, request: web.Request) -> web.Response:
        return web.json_response(self._operations.version_info())

    async def _runtimes(self, request: web.Request) -> web.Response:
        return web.json_response({"runtimes": list(self._operations.runtimes())})


def _is_ours(record: logging.LogRecord) -> bool:
    """Keep bytes that are no HTTP out of the log: whoever finds the port may send them."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def _has_certificate(request: web.Request) -> bool:
    transport = request.transport
    tls = transport.get_extra_info("ssl_object") if transport else None
    return isinstance(tls, ssl.SSLObject) and bool(tls.getpeercert(binary_form=True))
