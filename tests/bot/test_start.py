"""What an operator gets wrong is said in a sentence, with exit code 2 and without a traceback."""

from __future__ import annotations

import gc
import json
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydantic import SecretStr
from sqlalchemy import text

from bot.__main__ import main
from bot.app import Bot
from bot.demo import local_settings
from bot.lock import FileLock
from bot.loop import made_to_stay
from bot.offline import database_of
from bot.settings import Settings, SettingsError
from bot.slack import slack_client
from storage.database import SQLITE_MAPPED_BYTES, engine_url
from tests.databases import KEY, SERVER

HTTP = {"SLACK_BOT_TOKEN": "xoxb-none", "SLACK_SIGNING_SECRET": "s", "SLACK_API_URL": "http://127.0.0.1:9/api/"}
SOCKET = {"SLACK_BOT_TOKEN": "xoxb-none", "SLACK_APP_TOKEN": "xapp-none", "SLACK_API_URL": "http://127.0.0.1:9/api/"}


def configured(**changed: Any) -> Settings:
    return Settings(_env_file=None, **changed)  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy


def told(result: Result) -> str:
    """Return the one line that was said."""
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit)
    (line,) = result.stderr.splitlines()
    assert "Traceback" not in line
    assert result.stdout == ""
    return line


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize(("command", "credentials"), [("serve", HTTP), ("socket", SOCKET)])
def test_a_port_that_is_taken(
    environment: dict[str, str], taken: str, command: str, credentials: dict[str, str]
) -> None:
    said = told(CliRunner().invoke(main, [command], env=environment | credentials | {"PORT": taken}))
    assert said.startswith(f"HOST 127.0.0.1, PORT {taken} can't be listened on: Address already in use.")


def test_a_host_that_is_none(environment: dict[str, str]) -> None:
    said = told(CliRunner().invoke(main, ["serve"], env=environment | HTTP | {"HOST": "192.0.2.1", "PORT": "0"}))
    assert "HOST 192.0.2.1" in said


def test_a_port_for_metrics_that_is_taken(environment: dict[str, str], taken: str) -> None:
    said = told(CliRunner().invoke(main, ["serve"], env=environment | HTTP | {"METRICS_PORT": taken, "PORT": "0"}))
    assert said.startswith(f"METRICS_HOST 127.0.0.1, METRICS_PORT {taken} can't be listened on")


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_file_that_cannot_be_made(environment: dict[str, str], command: str) -> None:
    address = "sqlite:////proc/nope/a.db"
    said = told(CliRunner().invoke(main, [command], env=environment | HTTP | {"DATABASE_URL": address, "PORT": "0"}))
    assert said.startswith("The database sqlite")
    assert "/proc/nope" in said
    assert "Check DATABASE_URL" in said


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_file_that_is_no_database(environment: dict[str, str], tmp_path: Path, command: str) -> None:
    (tmp_path / "bot.sqlite3").write_text("No database at all. " * 100)
    said = told(CliRunner().invoke(main, [command], env=environment | HTTP | {"PORT": "0"}))
    assert "file is not a database" in said


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_server_that_does_not_answer(environment: dict[str, str], command: str) -> None:
    # Bound and closed again: nobody listens there.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    changed = {"DATABASE_URL": f"postgresql://ann:hidden@127.0.0.1:{port}/bot", "ENCRYPTION_KEYS": KEY, "PORT": "0"}
    said = told(CliRunner().invoke(main, [command], env=environment | HTTP | changed))
    assert "can't be used" in said
    assert "hidden" not in said


@pytest.mark.parametrize("command", ["serve", "migrate"])
@pytest.mark.parametrize("wrong", ["database", "username", "option"])
@pytest.mark.usefixtures("postgres")
def test_a_server_that_refuses(environment: dict[str, str], command: str, wrong: str) -> None:
    url = engine_url(SERVER)
    match wrong:
        case "database":
            url = url.set(database="nonsuch")
        case "username":
            url = url.set(username="nonsuch")
        case _:
            url = url.update_query_dict({"nonsuch": "1"})
    address = url.render_as_string(hide_password=False)
    changed = {"DATABASE_URL": address, "ENCRYPTION_KEYS": KEY, "PORT": "0"}
    said = told(CliRunner().invoke(main, [command], env=environment | HTTP | changed))
    assert "nonsuch" in said
    assert "can't be used" in said


def test_an_address_that_is_none(environment: dict[str, str]) -> None:
    for command in ("serve", "migrate"):
        changed = {"DATABASE_URL": "nonsense", "PORT": "0"}
        said = told(CliRunner().invoke(main, [command], env=environment | HTTP | changed))
        assert said.startswith("DATABASE_URL is not a database address")


def test_a_schema_version_that_is_none(environment: dict[str, str]) -> None:
    said = told(CliRunner().invoke(main, ["migrate", "--revision", "nonsense"], env=environment))
    assert said.startswith("There is no schema version 'nonsense'. There are: base, 0001, 0002")


def test_every_schema_version_can_be_gone_to(environment: dict[str, str]) -> None:
    for revision in ("head", "0001", "base"):
        result = CliRunner().invoke(main, ["migrate", "--revision", revision], env=environment)
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("not JSON", "team.json: Invalid JSON"),
        ("", "team.json: Invalid JSON"),
        ("{}", "team.json: Input should be a valid"),
        (json.dumps([{"id": "U1"}]), "team.json: 0.name: Field required"),
        (
            json.dumps([{"id": "U1", "name": "Ann", "declared": [{"role": "mlops-engineeer", "level": "lead"}]}]),
            "team.json: 0.declared.0.role: there is no role 'mlops-engineeer'",
        ),
    ],
)
@pytest.mark.parametrize("arguments", [["mlops"], ["--batch"]])
def test_a_team_file_that_does_not_fit(
    environment: dict[str, str], tmp_path: Path, written: str, expected: str, arguments: list[str]
) -> None:
    (tmp_path / "team.json").write_text(written)
    result = CliRunner().invoke(main, ["ask", "--team", str(tmp_path / "team.json"), *arguments], input="")
    assert told(result).startswith(expected)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN is missing; you find it under OAuth & Permissions"),
        ("SLACK_BOT_TOKEN", "You find it under Basic Information"),
        ("SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"),
    ],
)
def test_credentials_that_are_incomplete(environment: dict[str, str], given: str, missing: str) -> None:
    assert missing in told(CliRunner().invoke(main, [], env=environment | {given: "x"}))


@pytest.mark.parametrize(("command", "credentials"), [("serve", HTTP), ("socket", SOCKET)])
@pytest.mark.parametrize("there", [True, False])
def test_certificates_that_cannot_be_used(
    environment: dict[str, str], tmp_path: Path, command: str, credentials: dict[str, str], there: bool
) -> None:
    file = tmp_path / "certificates.pem"
    if there:
        file.write_text("none")
    given = environment | credentials | {"SSL_CERT_FILE": str(file), "PORT": "0"}
    assert told(CliRunner().invoke(main, [command], env=given)).startswith(f"SSL_CERT_FILE {file} can't be used: ")
    report = CliRunner().invoke(main, ["doctor"], env=given)
    assert isinstance(report.exception, SystemExit)
    assert (report.exit_code, report.stdout.count("SSL_CERT_FILE")) == (1, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
@pytest.mark.parametrize(("command", "credentials"), [("serve", HTTP), ("socket", SOCKET)])
def test_a_database_file_that_another_process_uses(
    environment: dict[str, str], tmp_path: Path, command: str, credentials: dict[str, str]
) -> None:
    first = FileLock(tmp_path / "bot.sqlite3")
    first.take()
    try:
        said = told(CliRunner().invoke(main, [command], env=environment | credentials | {"PORT": "0"}))
        assert "is in use by another bot process" in said
        said = told(CliRunner().invoke(main, ["local", "--database", environment["DATABASE_URL"]], env=environment))
        assert "is in use by another bot process" in said
        assert CliRunner().invoke(main, ["migrate"], env=environment).exit_code == 0
    finally:
        first.release()
    again = FileLock(tmp_path / "bot.sqlite3")
    again.take()
    again.release()


# What a start makes


@pytest.fixture
def no_garbage_kept() -> Iterator[None]:
    yield
    gc.unfreeze()
    # What was collected stays, as before.
    gc.collect()
    gc.freeze()


@pytest.mark.usefixtures("no_garbage_kept")
@pytest.mark.parametrize("fails", [False, True])
def test_garbage_is_looked_for_after_a_start_and_not_in_what_it_made(fails: bool) -> None:
    made: list[list[int]] = []
    with suppress(SettingsError), made_to_stay():
        assert not gc.isenabled()
        made.append([])
        if fails:
            raise SettingsError("nothing to serve")
    assert gc.isenabled()
    assert not any(one is made for one in gc.get_objects())


# The local workspace


def test_the_local_workspace_has_a_file_of_its_own(environment: dict[str, str]) -> None:
    settings = configured(database_url="postgresql://prod/bot", encryption_keys=SecretStr(KEY))
    own = local_settings(settings, None, "http://127.0.0.1:1/api/", "xoxb-local", "secret")
    assert own.database.endswith("/local.sqlite3")
    assert own.encryption_keys is None
    given = local_settings(settings, "postgresql://demo/bot", "http://127.0.0.1:1/api/", "xoxb-local", "secret")
    assert given.database == "postgresql://demo/bot"
    assert given.encryption_keys is not None


def test_the_local_workspace_leaves_the_database_alone(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails at a database that was named for it, and has not touched the one in the environment."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    sqlite3.connect(tmp_path / "bot.sqlite3").close()
    said = told(CliRunner().invoke(main, ["local", "--database", "sqlite:////proc/nope/a.db"], env=environment))
    assert "/proc/nope" in said
    assert (tmp_path / "bot.sqlite3").read_bytes() == b""


# Proxies


@pytest.mark.parametrize(
    ("base", "used"),
    [
        ("https://slack.com/api/", True),
        ("http://127.0.0.1:8000/api/", False),
        ("https://localhost/api", False),
        ("https://[::1]:8000/api", False),
        ("http://stand-in/api", False),
    ],
)
@pytest.mark.parametrize("in_environment", [True, False])
def test_a_proxy_is_for_slack_alone(
    monkeypatch: pytest.MonkeyPatch, base: str, used: bool, in_environment: bool
) -> None:
    if in_environment:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    settings = configured(slack_api_url=base, https_proxy="http://127.0.0.1:1")
    assert slack_client(settings).proxy == ("http://127.0.0.1:1" if used else None)


async def test_the_bot_maps_an_sqlite_file_and_a_command_that_goes_through_it_does_not(
    bot: Bot, empty_database: Path
) -> None:
    mapped = text("PRAGMA mmap_size")
    async with bot.engine.connect() as connection:
        assert await connection.scalar(mapped) == SQLITE_MAPPED_BYTES
    settings = configured(database_url=f"sqlite+aiosqlite:///{empty_database}", encryption_keys=SecretStr(KEY))
    async with database_of(settings) as engine, engine.connect() as connection:
        assert await connection.scalar(mapped) == 0
