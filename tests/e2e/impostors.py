"""Pods that run a real chaincode's program without being its Deployment's."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from e2e.kubectl import Kubectl
from e2e.organization import secret
from treadle_fabric.identity import CertificateAuthority
from treadle_operator.names import runtime_name

PAPERS = "/impostor"  # where the program looks for its certificate
TEMPLATE_HASH = "pod-template-hash"  # by which a ReplicaSet knows its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Impostor:
    """A pod of that name which registers as *ccid* at *port*.

    *papers* is the Secret whose certificate it presents; None: it speaks without TLS.
    """

    name: str
    ccid: str
    papers: str | None
    port: int = 7053

    def pod(self, like: Mapping[str, Any]) -> dict[str, Any]:
        """Its manifest: that of the Deployment *like* in all but papers, address and owner.

        The init container still has the right Secret, and fetches the program with it.
        """
        template = copy.deepcopy(dict(like["spec"]["template"]))
        spec = template["spec"] | {"restartPolicy": "Never"}
        (program,) = spec["containers"]
        program["command"] = ["/bin/sh", "/treadle/chaincode/output/run.sh"]
        program["env"] = [{"name": key, "value": text} for key, text in self._told(like).items()]
        if self.papers is not None:
            own = {"name": "papers", "secret": {"secretName": self.papers}}
            spec["volumes"].append(own)
            program["volumeMounts"].append({"name": "papers", "mountPath": PAPERS})
        labels = template["metadata"]["labels"]
        assert TEMPLATE_HASH not in labels
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.name, "labels": labels},
            "spec": spec,
        }

    def _told(self, like: Mapping[str, Any]) -> dict[str, str]:
        peer = f"{like['metadata']['labels']['treadle.dev/peer']}-internal"
        return {
            "CORE_CHAINCODE_ID_NAME": self.ccid,
            "CORE_PEER_ADDRESS": f"{peer}.{like['metadata']['namespace']}.svc:{self.port}",
            "CORE_PEER_TLS_ENABLED": str(self.papers is not None).lower(),
            "CORE_TLS_CLIENT_KEY_PATH": f"{PAPERS}/client.key.b64",
            "CORE_TLS_CLIENT_CERT_PATH": f"{PAPERS}/client.crt.b64",
            "CORE_PEER_TLS_ROOTCERT_FILE": f"{PAPERS}/ca.crt",
        }


def papers_of(there: Kubectl, ccid: str, peer: str = "peer0") -> dict[str, bytes]:
    """What the Secret of a running chaincode holds."""
    return secret(there, runtime_name(peer, ccid))


def foreign_papers(there: Kubectl, ccid: str) -> dict[str, bytes]:
    """As real ones, but the certificate is of an authority that the peer does not know."""
    authority = CertificateAuthority.create(common_name="foreign", organization="foreign")
    issued = authority.issue(common_name="runtime", organizational_units=(ccid,), client=True)
    return {
        "ca.crt": papers_of(there, ccid)["ca.crt"],
        "client.crt": issued.certificate_pem,
        "client.key": issued.key_pem,
        "client.crt.b64": base64.b64encode(issued.certificate_pem),
        "client.key.b64": base64.b64encode(issued.key_pem),
    }


def secret_of(name: str, content: Mapping[str, bytes]) -> dict[str, Any]:
    """The manifest of a Secret."""
    data = {key: base64.b64encode(value).decode() for key, value in content.items()}
    metadata = {"name": name}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}
