"""A runtime of each language, and the objects that are made for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from harness.operating.chaincodes import instantiation
from harness.operating.stored import peer
from treadle_operator.model import ChaincodeServer, Manifest, Peer, Prebuilt, PrebuiltImage, Ref
from treadle_operator.model.peering import Certificate, Origin, Runtime, State
from treadle_operator.resources.images import Images
from treadle_operator.resources.runtime_deployment import runtime_deployment, runtime_image
from treadle_operator.resources.runtime_job import builder_image, builder_job
from treadle_operator.resources.runtime_parts import CHAINCODE, RuntimeOf
from treadle_operator.resources.runtime_secret import runtime_secret

LANGUAGES = ("golang", "node", "java", "python")
IMAGE = PrebuiltImage("registry.example.com/own/asset@sha256:" + "ab" * 32)
SERVER = ChaincodeServer("asset.example.com:9999", True, Ref("asset-tls"))
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SHA256 = "ab" * 32
IMAGES = Images(
    peer="registry.example.com/treadle/peer:0.1.0",
    builders={one: f"registry.example.com/{one}-builder:1" for one in LANGUAGES},
    runtimes={one: f"registry.example.com/{one}:1" for one in LANGUAGES},
)
DEMANDING: dict[str, object] = {
    "mspID": "Org2MSP",
    "image": "registry.example.com/own/peer:2",
    "chaincode": {
        "buildTimeout": "1m30s",
        "builders": {
            "node": {
                "image": "registry.example.com/own/node:20",
                "env": [
                    {"name": "npm_config_registry", "value": "https://npm.example.com"},
                    {
                        "name": "NPM_TOKEN",
                        "valueFrom": {"secretKeyRef": {"name": "npm", "key": "token"}},
                    },
                ],
                "caBundleRef": {"name": "roots"},
            }
        },
        "runtimeDefaults": {
            "nodeSelector": {"disk": "fast"},
            "imagePullSecrets": [{"name": "registry"}],
        },
    },
}
RUN_SO: dict[str, object] = {
    "replicas": 3,
    "env": [{"name": "LEVEL", "value": "debug"}],
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "2Gi"}},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "podAnnotations": {"example.com/scrape": "true"},
}


def runtime_of(language: str = "golang", *, of: Peer | None = None) -> RuntimeOf:
    """Nobody claims it."""
    return RuntimeOf(peer=of or peer(), ccid="asset:1.0", language=language, claimed_by=())


def prebuilt_of(prebuilt: Prebuilt) -> RuntimeOf:
    """Of a package that only names what runs, for one instantiation with settings."""
    language = "k8s" if isinstance(prebuilt, PrebuiltImage) else "ccaas"
    claims = (instantiation("asset", runtime=RUN_SO),)
    return RuntimeOf(
        peer=peer(), ccid="asset:1.0", language=language, claimed_by=claims, prebuilt=prebuilt
    )


def demanding() -> RuntimeOf:
    """A peer, and two instantiations, that say everything there is to say."""
    claims = (instantiation("asset", runtime=RUN_SO), instantiation("asset-2"))
    of = peer("peer1", **DEMANDING)
    return RuntimeOf(peer=of, ccid="asset:1.0", language="node", claimed_by=claims)


def certificate(lifetime: timedelta = timedelta(days=90)) -> Certificate:
    """As a peer issues it at NOW."""
    return Certificate(
        certificate=b"-----BEGIN CERTIFICATE-----\nleaf\n",
        private_key=b"-----BEGIN PRIVATE KEY-----\nkey\n",
        authority=b"-----BEGIN CERTIFICATE-----\nroot\n",
        fingerprint="cd" * 32,
        not_after=NOW + lifetime,
        peer_address="peer0-internal.trade.svc:7053",
        msp_id="Org1MSP",
    )


def job(runtime: RuntimeOf, attempt: int = 1) -> Manifest:
    """With the operator's images."""
    image = builder_image(runtime, IMAGES)
    assert image is not None
    return builder_job(runtime, images=IMAGES, image=image, attempt=attempt)


def deployment(runtime: RuntimeOf, fingerprint: str = "cd" * 32) -> Manifest:
    """With the operator's images and the settings of the first claim."""
    image = runtime_image(runtime, IMAGES)
    assert image is not None
    defaults = runtime.peer.spec.chaincode.runtime_defaults
    settings = runtime.claimed_by[0].spec.runtime.over(defaults) if runtime.claimed_by else defaults
    return runtime_deployment(
        runtime,
        images=IMAGES,
        image=image,
        settings=settings,
        output_sha256=SHA256,
        certificate=fingerprint,
    )


def objects(runtime: RuntimeOf) -> list[Manifest]:
    """Everything that a runtime has."""
    secret = runtime_secret(
        runtime, name=runtime.name, component=CHAINCODE, certificate=certificate(), now=NOW
    )
    jobs = [] if runtime.prebuilt else [job(runtime)]
    return [*jobs, secret, deployment(runtime)]


def told(state: State, message: str = "") -> Runtime:
    """As the peer's watch tells it."""
    return Runtime(
        ccid="asset:1.0",
        name="asset",
        version="1.0",
        language="golang",
        package_sha256="ab",
        origin=Origin.OPERATOR,
        state=state,
        message=message,
        instances=int(state is State.REGISTERED),
        output_sha256="",
        attempt=1,
        since=NOW,
    )
