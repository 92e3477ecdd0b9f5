"""Write the bill of materials, CycloneDX in JSON, from the lock file: `python -m tests.supply_chain.sbom FILE`."""

from __future__ import annotations

import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

ROOT = Path(__file__).parents[2]
VERSION = SchemaVersion.V1_6


@dataclass(frozen=True)
class Locked:
    """One package of the lock file."""

    name: str
    version: str
    hashes: tuple[str, ...]


def locked(text: str) -> Iterator[Locked]:
    for block in re.split(r"\n(?=\S)", text):
        if head := re.match(r"([a-z0-9._-]+)==([^\s;]+)", block):
            yield Locked(head[1], head[2], tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)))


def bill() -> Bom:
    """Return what the running bot is made of: each locked package, with its files' hashes, licence and needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lock = (ROOT / "requirements.txt").read_text("utf-8")
    # Named by its content: the same lock file makes the same bill.
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, sha256(lock.encode()).hexdigest()))
    licences = LicenseFactory()
    bom.metadata.component = root = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        licenses=[licences.make_from_string(project["license"])],
    )
    for package in locked(lock):
        bom.components.add(_component(package, licences))

    def named(requirements: list[str]) -> list[Component]:
        # Of some packages the lock file has a version for each Python.
        names = {_name(one) for one in requirements}
        return [component for component in bom.components if component.name in names]

    bom.register_dependency(root, named(project["dependencies"]))
    for component in bom.components:
        found = _installed(component.name)
        bom.register_dependency(component, named(found.requires or [] if found else []))
    return bom


def _component(package: Locked, licences: LicenseFactory) -> Component:
    found = _installed(package.name)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{package.name}@{package.version}",
        purl=PackageURL("pypi", None, package.name, package.version),
        # Of every file that may be installed under this version, for whichever machine.
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in package.hashes],
        licenses=[_licence(found, licences)] if found else (),
    )


def _licence(found: Distribution, licences: LicenseFactory) -> License:
    """Return what the package says of its licence: an SPDX expression, else its classifier, else its words."""
    told = found.metadata
    classified = [line.split(" :: ")[-1] for line in told.get_all("Classifier", []) if line.startswith("License ::")]
    return licences.make_from_string(told["License-Expression"] or next(iter(classified), None) or told["License"])


def _installed(name: str) -> Distribution | None:
    """Return the installed package; None for one that another machine needs."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[(<>=!~;]", requirement, maxsplit=1)[0]).lower()


def text_of(bom: Bom) -> str:
    return str(make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=1))


def main(file: Path) -> None:
    bom = bill()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text_of(bom) + "\n", encoding="utf-8")
    print(f"{file}: {len(bom.components)} packages, CycloneDX {VERSION.to_version()}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
