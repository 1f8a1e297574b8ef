"""What ``treadle dev env`` and ``treadle dev role`` print. Pure."""

from __future__ import annotations

from typing import Final

import yaml
from treadle_operator.resources.development import development_name

from treadle_cli.dev.instantiations import KIND
from treadle_cli.dev.secrets import Development
from treadle_cli.dev.starting import Told, settings

_GROUP: Final = "rbac.authorization.k8s.io"


def environment_file(found: Development, *, address: str) -> str:
    """Lines ``NAME=value`` for a launch configuration.

    *address* is where ``treadle dev connect`` listens, or where a server is to listen.
    """
    language = found.text("language")
    told = Told(
        ccid=found.text("ccid"),
        address=address,
        msp_id=found.text("msp_id"),
        language=language,
        serves=language == "python",
    )
    return "".join(f"{name}={value}\n" for name, value in settings(told).items())


def role(instantiation: str, found: Development, *, user: str) -> str:
    """Role and RoleBinding (YAML): what *user* needs for this one chaincode, and nothing else."""
    name = f"{instantiation}-dev"
    plural, _, group = KIND.partition(".")
    pods = sorted({peer.pod for peer in found.peers})
    metadata = {"name": name, "namespace": found.namespace}
    rules = [
        _rule(group, plural, [instantiation], ["get"]),
        _rule("", "secrets", [development_name(instantiation)], ["get"]),
        # WebSockets ask for get; from Kubernetes 1.35 on for create, too.
        _rule("", "pods/portforward", pods, ["get", "create"]),
    ]
    documents = [
        {"apiVersion": f"{_GROUP}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{_GROUP}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": _GROUP, "kind": "Role", "name": name},
            "subjects": [{"apiGroup": _GROUP, "kind": "User", "name": user}],
        },
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)


def _rule(group: str, resource: str, names: list[str], verbs: list[str]) -> dict[str, list[str]]:
    return {
        "apiGroups": [group],
        "resources": [resource],
        "resourceNames": names,
        "verbs": verbs,
    }
