"""The files for deploying fit the tools that read them, and the bot."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bot.__main__ import main
from bot.app import DRAIN_SECONDS
from bot.serve import SHUTDOWN_SECONDS
from bot.settings import Settings
from tests.docs.pages import ROOT, code, read, section

DEPLOYING = ROOT / "docs" / "deploying.md"
UNIT = ROOT / "docs" / "deploy" / "genai-roles.service"
KUBERNETES = ROOT / "docs" / "deploy" / "kubernetes.yaml"
DOCKERFILE = read(ROOT / "Dockerfile")
SETTINGS = {name.upper() for name in Settings.model_fields}
LAST_SECONDS = 1.0
"""What Bot.stop allows, after the rest, for work that the last events began."""


def longest_stop() -> float:
    return SHUTDOWN_SECONDS + DRAIN_SECONDS + LAST_SECONDS


# A Procfile host


def test_the_procfile_says_what_the_page_does() -> None:
    lines = dict(re.findall(r"^(\w+): (.*)$", read(ROOT / "Procfile"), re.MULTILINE))
    assert {name: line.rpartition("-m bot ")[2] for name, line in lines.items()} == {
        "release": "migrate",
        "web": "serve",
        "worker": "worker",
    }
    # Such a host sets PORT, and reaches the process from outside.
    assert "HOST=0.0.0.0" in lines["web"]
    assert set(lines) <= set(code(section(DEPLOYING, "A Procfile host")))


# systemd


def unit() -> list[tuple[str, str]]:
    return re.findall(r"^(\w+)=(.*)$", read(UNIT), re.MULTILINE)


def systemd_analyze(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603
        [str(shutil.which("systemd-analyze")), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not there")
def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    # What it starts must be there, or that alone is objected to.
    there = read(UNIT).replace("/opt/genai-roles/.venv/bin/python", "/bin/true").replace("/opt/genai-roles", "/")
    copy = tmp_path / UNIT.name
    copy.write_text(there, encoding="utf-8")
    assert systemd_analyze("verify", str(copy)) == (0, "")
    # 10 is a service without any limits; the threshold is in tenths.
    status, told = systemd_analyze("security", "--offline=true", "--threshold=20", str(copy))
    assert status == 0, told


def test_the_service_is_given_the_time_to_finish() -> None:
    assert int(dict(unit())["TimeoutStopSec"]) > longest_stop()


def test_the_service_writes_where_it_may() -> None:
    set_by_unit = dict(value.split("=", 1) for name, value in unit() if name == "Environment")
    folder = f"/var/lib/{dict(unit())['StateDirectory']}/"
    assert set_by_unit["DATABASE_URL"].startswith(f"sqlite+aiosqlite:///{folder}")
    assert set(set_by_unit) - {"PYTHONDONTWRITEBYTECODE"} <= SETTINGS


# The container


def instructions(kind: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return re.findall(rf"^{kind} (.*)$", joined, re.MULTILINE)


def test_the_image_installs_from_the_lock_file_alone() -> None:
    (installs,) = [line for line in instructions("RUN") if " install " in line and "pip" in line]
    assert {"--require-hashes", "--only-binary"} <= set(installs.split())
    assert "requirements.txt" in installs
    assert "ADD" not in {line.split()[0] for line in DOCKERFILE.splitlines() if line}


def test_the_image_holds_the_packages_and_no_secrets() -> None:
    copied = {line.split()[0] for line in instructions("COPY") if not line.startswith("--from")}
    assert copied == {"requirements.txt", "bot", "handlers", "knowledge", "storage"}
    allowed = re.findall(r"^!(.*)$", read(ROOT / ".dockerignore"), re.MULTILINE)
    assert set(allowed) == copied and "\n*\n" in read(ROOT / ".dockerignore")
    assert not [line for line in instructions("ENV") + instructions("ARG") if re.search("TOKEN|SECRET|KEY", line)]


def test_the_image_runs_as_nobody_in_particular_and_writes_to_the_volume() -> None:
    assert instructions("USER") == ["10001:10001"]
    assert instructions("VOLUME") == ["/data"]
    variables = dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))
    assert variables["DATABASE_URL"].startswith("sqlite+aiosqlite:////data/")
    # The user has no entry in /etc/passwd, and a library asks at import where its home is.
    assert variables["HOME"] == "/data"
    assert set(variables) - {"PATH", "HOME", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"} <= SETTINGS


def test_the_image_starts_and_is_asked_for_what_the_bot_has() -> None:
    assert json.loads(*instructions("CMD")) == ["serve"] and "serve" in main.commands
    (check,) = instructions("HEALTHCHECK")
    program = json.loads(check[check.index("[") :])[2]
    compile(program, "HEALTHCHECK", "exec")
    assert "/healthz" in program
    # Whatever the image runs is asked: what serves health only where PORT is set finds it set.
    assert "PORT=3000" in " ".join(instructions("ENV"))


def without_privileges() -> list[str]:
    """Return what takes from the user of the tests what a container's has not: root may write anywhere."""
    if os.geteuid():
        return []
    tool = shutil.which("setpriv")
    if tool is None:
        pytest.skip("root would write anywhere")
    return [tool, "--bounding-set=-all", "--inh-caps=-all"]


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Path]:
    """What the image holds of the bot, where nobody may write."""
    tree = tmp_path / "app"
    for line in instructions("COPY"):
        source, _, target = line.rpartition(" ")
        if target.startswith("/opt/app/") and not source.startswith("--from"):
            shutil.copytree(ROOT / source, tree / Path(target).name, ignore=shutil.ignore_patterns("__pycache__"))
    folders = [tree, *(path for path in tree.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield tree
    for folder in folders:
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="no such rights")
def test_the_image_serves_and_is_healthy_where_it_can_write_to_the_volume_alone(image: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    variables = dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV")).replace("/data", str(data))))
    given = {"SLACK_BOT_TOKEN": "none", "SLACK_SIGNING_SECRET": "none", "SLACK_API_URL": "http://127.0.0.1:9/api/"}
    environment = variables | given | {"HOST": "127.0.0.1", "PORT": "0"}
    (entry,), (command,) = instructions("ENTRYPOINT"), instructions("CMD")
    (check,) = instructions("HEALTHCHECK")
    python = [*without_privileges(), sys.executable]
    bot = subprocess.Popen(  # noqa: S603
        [*python, *json.loads(entry)[1:], *json.loads(command)],
        cwd=image,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    with bot:
        try:
            assert bot.stderr is not None
            said = ""
            while "\nServing" not in f"\n{said}" and (line := bot.stderr.readline()):
                said += line
            environment["PORT"] = said.rpartition(":")[2].partition("/")[0]
            healthy = subprocess.run(  # noqa: S603
                [*python, *json.loads(check[check.index("[") :])[1:]], env=environment, check=False
            )
            assert healthy.returncode == 0, said
        finally:
            bot.terminate()
        left = bot.stderr.read()
    assert bot.returncode == 0, left
    assert {file.name for file in tmp_path.iterdir()} == {"app", "data"}
    assert {"bot.sqlite3"} < {file.name for file in data.iterdir()}


# Kubernetes


def manifests() -> dict[str, Any]:
    return {one["kind"]: one for one in yaml.safe_load_all(read(KUBERNETES))}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifests()["Deployment"]["spec"]["template"]["spec"]
    return found


def containers() -> list[dict[str, Any]]:
    return [*pod()["initContainers"], *pod()["containers"]]


def test_kubernetes_takes_each_object() -> None:
    schema = json.loads(read(ROOT / "tests" / "schemas" / "kubernetes.schema.json"))
    found = manifests()
    assert set(found) == set(schema["properties"])
    for kind, one in found.items():
        only = {"$ref": schema["properties"][kind]["$ref"], "definitions": schema["definitions"]}
        problems = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(only).iter_errors(one)]
        assert problems == [], kind
        misspelt = one | {"spec": one["spec"] | {"replicsa": 2}}
        assert list(Draft202012Validator(only).iter_errors(misspelt)), "the schema takes anything"


def test_one_of_two_replicas_is_always_there() -> None:
    found = manifests()
    deployment = found["Deployment"]["spec"]
    assert deployment["replicas"] == 2 and deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert found["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels


def test_probes_ask_what_the_bot_answers() -> None:
    (bot,) = pod()["containers"]
    asked = {kind: bot[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    ports = {port["name"]: port["containerPort"] for port in bot["ports"]}
    image = dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))
    given = {one["name"]: one["value"] for one in bot["env"]}
    assert ports == {"http": int(image["PORT"]), "metrics": int(given["METRICS_PORT"])}
    assert manifests()["Service"]["spec"]["ports"][0]["targetPort"] == "http"
    assert set(given) <= SETTINGS


def test_a_pod_is_given_the_time_to_finish() -> None:
    (bot,) = pod()["containers"]
    waits = int(bot["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod()["terminationGracePeriodSeconds"] > waits + longest_stop()


def test_containers_can_do_no_more_than_they_need() -> None:
    assert pod()["securityContext"]["runAsNonRoot"]
    assert pod()["securityContext"]["runAsUser"] == 10001, "the image's"
    assert not pod()["automountServiceAccountToken"]
    for one in containers():
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert one["args"][0] in main.commands


def test_the_memory_is_what_was_measured() -> None:
    row = re.search(r"Resident memory after 1,000 commands *\| (\d+) MB", read(ROOT / "docs" / "performance.md"))
    assert row
    for one in containers():
        asked, most = (int(one["resources"][kind]["memory"].removesuffix("Mi")) for kind in ("requests", "limits"))
        assert int(row[1]) * 1.5 < asked < most


def test_secrets_come_from_a_secret_that_the_page_makes() -> None:
    assert {json.dumps(one["envFrom"]) for one in containers()} == {'[{"secretRef": {"name": "genai-roles"}}]'}
    named = set(re.findall(r"--from-literal=(\w+)=", section(DEPLOYING, "Kubernetes")))
    assert {"SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET", "DATABASE_URL", "ENCRYPTION_KEYS"} <= named <= SETTINGS
