"""Make kubernetes.schema.json of Kubernetes' own: `python -m tests.schemas.renew_kubernetes FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.schemas.renew import used, without_prose

SCHEMA = Path(__file__).with_name("kubernetes.schema.json")
KINDS = {
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "Service": "io.k8s.api.core.v1.Service",
    "NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
}
"""What docs/deploy/kubernetes.yaml holds."""


def main(folder: Path) -> None:
    """Read _definitions.json and write what the kinds need of it, without what only the server writes."""
    text = (folder / "_definitions.json").read_text("utf-8").replace("#/$defs/", "#/definitions/")
    definitions = json.loads(text)["$defs"]
    for name in KINDS.values():
        definitions[name]["properties"].pop("status", None)
        definitions[name]["additionalProperties"] = False
    kinds = {kind: {"$ref": f"#/definitions/{name}"} for kind, name in KINDS.items()}
    names = used(kinds, definitions)
    kept = {name: part for name, part in sorted(definitions.items()) if name in names}
    made = without_prose({"properties": kinds, "definitions": kept})
    SCHEMA.write_text(json.dumps(made, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
