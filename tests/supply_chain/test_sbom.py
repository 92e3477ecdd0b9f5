"""The bill of materials follows CycloneDX's own schema and lists what the lock file does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.validation.json import JsonStrictValidator

from tests.docs.pages import ROOT, read
from tests.supply_chain.sbom import VERSION, bill, locked, main, text_of


@pytest.fixture(scope="module")
def bom() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text_of(bill()))
    return made


def test_it_follows_the_schema(bom: dict[str, Any]) -> None:
    validator = JsonStrictValidator(VERSION)
    assert validator.validate_str(json.dumps(bom)) is None
    assert validator.validate_str(json.dumps(bom | {"madeUp": 1})) is not None
    assert bom["specVersion"] == "1.6"


def test_it_lists_what_is_locked_with_every_hash(bom: dict[str, Any]) -> None:
    lock = read(ROOT / "requirements.txt")
    pins = re.findall(r"^([a-z0-9-]+)==([\w.]+)", lock, re.MULTILINE)
    assert sorted((one["name"], one["version"]) for one in bom["components"]) == sorted(pins)
    hashes = {one["content"] for component in bom["components"] for one in component["hashes"]}
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))
    assert {one["purl"] for one in bom["components"]} == {f"pkg:pypi/{name}@{version}" for name, version in pins}


def test_it_says_what_needs_what(bom: dict[str, Any]) -> None:
    needs = {one["ref"].partition("@")[0]: one.get("dependsOn", []) for one in bom["dependencies"]}
    assert len(needs["genai-roles-bot"]) >= 21
    assert {name.partition("@")[0] for name in needs["slack-bolt"]} == {"slack-sdk"}
    reached, waiting = set(), ["genai-roles-bot"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [need.partition("@")[0] for need in needs[name]]
    # What another machine needs alone is not installed here, so nobody says who needs it.
    elsewhere = {"colorama", "tzdata"}
    assert {one["name"] for one in bom["components"]} - reached <= elsewhere


def test_every_package_that_is_installed_here_has_a_permissive_licence(bom: dict[str, Any]) -> None:
    told = {
        one["name"]: [choice.get("expression") or choice["license"].get("id") or choice["license"]["name"]]
        for one in bom["components"]
        for choice in one.get("licenses", [])
    }
    strict = {name: each for name, each in told.items() if re.search(r"GPL|SSPL|BUSL|Commons Clause", " ".join(each))}
    assert strict == {}
    assert len(told) >= 40


def test_the_same_lock_file_makes_the_same_bill(bom: dict[str, Any]) -> None:
    again = json.loads(text_of(bill()))
    for each in (bom, again):
        each["metadata"].pop("timestamp", None)
    assert again == bom


def test_it_is_written_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path / "dist" / "sbom.json")
    assert json.loads((tmp_path / "dist" / "sbom.json").read_text("utf-8"))["bomFormat"] == "CycloneDX"
    assert f"{len(list(locked(read(ROOT / 'requirements.txt'))))} packages" in capsys.readouterr().out
