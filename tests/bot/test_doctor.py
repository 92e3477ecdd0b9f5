"""`python -m bot doctor` finds what is wrong, says how to mend it, and changes nothing."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text

from bot.__main__ import main
from bot.doctor import Finding, Report, as_json, as_lines, examine, replay, show
from bot.local import GENERAL, LocalSlack
from bot.scopes import OPTIONAL_SCOPES, SCOPES
from bot.settings import Settings, SettingsError
from storage.database import migrate, open_engine
from tests.conftest import ANN, Clock, Start, rows, settled
from tests.databases import KEY
from tests.docs.pages import ROOT, read

WORD = "zebracorn"
NAMES = ("settings", "token", "scopes", "clock", "database", "keys", "schema", "inbox", "dead letters")


def wall() -> datetime:
    return datetime.now(UTC)


def configured(slack: LocalSlack, database: str, **changed: Any) -> Settings:
    values = {
        "slack_bot_token": SecretStr(slack.bot_token),
        "slack_signing_secret": SecretStr(slack.signing_secret),
        "slack_api_url": slack.api_url,
        "database_url": database,
        "encryption_keys": SecretStr(KEY),
        "https_proxy": None,
        "ssl_cert_file": None,
        **changed,
    }
    return Settings(_env_file=None, **values)  # type: ignore[call-arg]


async def findings(slack: LocalSlack, database: str, **changed: Any) -> dict[str, Finding]:
    report = await examine(configured(slack, database, **changed), wall)
    return {found.name: found for found in report.findings}


def wrong(found: dict[str, Finding]) -> list[str]:
    """Return the names of what is wrong; all of it says how to mend it."""
    assert all(finding.mend for finding in found.values() if finding.status == "wrong")
    assert all("\n" not in finding.message + finding.mend for finding in found.values())
    return [finding.name for finding in found.values() if finding.status == "wrong"]


async def test_all_is_well(slack: LocalSlack, database: str) -> None:
    found = await findings(slack, database)
    assert {finding.status for finding in found.values()} == {"ok"}, found
    assert tuple(found) == NAMES
    assert "Slack over HTTP" in found["settings"].message


@pytest.mark.parametrize(
    ("unset", "said"),
    [
        ("slack_signing_secret", "SLACK_BOT_TOKEN is set without SLACK_SIGNING_SECRET"),
        ("slack_bot_token", "SLACK_BOT_TOKEN is missing"),
    ],
)
async def test_incomplete_settings(slack: LocalSlack, database: str, unset: str, said: str) -> None:
    found = await findings(slack, database, **{unset: None})
    assert wrong(found) == ["settings"]
    assert found["settings"].message.startswith(said)


async def test_without_credentials_slack_is_left_out(slack: LocalSlack, database: str) -> None:
    found = await findings(slack, database, slack_bot_token=None, slack_signing_secret=None)
    assert wrong(found) == []
    assert "local workspace" in found["settings"].message
    assert [found[name].status for name in ("token", "scopes", "clock")] == ["skipped"] * 3
    assert slack.calls == []


# Slack


@pytest.mark.parametrize("error", ["invalid_auth", "account_inactive", "token_revoked"])
async def test_a_void_token(slack: LocalSlack, database: str, error: str) -> None:
    slack.revoke_token(error)
    found = await findings(slack, database)
    assert wrong(found) == ["token"]
    assert found["token"].message == f"Slack refuses SLACK_BOT_TOKEN: {error}"
    assert found["scopes"].status == "skipped"


@pytest.mark.parametrize(("status", "said"), [(500, "HTTP 500"), (429, "ratelimited")])
async def test_slack_in_trouble(slack: LocalSlack, database: str, status: int, said: str) -> None:
    slack.fail("auth.test", status=status)
    found = await findings(slack, database)
    assert wrong(found) == ["token"]
    assert found["token"].message == f"Slack answered with {said}"
    assert len(slack.called("auth.test")) == 1


async def test_slack_out_of_reach(slack: LocalSlack, database: str) -> None:
    found = await findings(slack, database, slack_api_url="http://127.0.0.1:9/api/")
    assert wrong(found) == ["token"]
    assert "can't be reached" in found["token"].message
    assert found["clock"].status == "skipped"


async def test_missing_scopes(slack: LocalSlack, database: str) -> None:
    slack.api.scopes = ("commands", "chat:write", "dnd:read")
    found = await findings(slack, database)
    assert wrong(found) == ["scopes"]
    assert found["scopes"].message == "not granted: app_mentions:read, im:history, users:read"


async def test_optional_scopes_may_be_missing(slack: LocalSlack, database: str) -> None:
    slack.api.scopes = SCOPES
    found = await findings(slack, database)
    assert found["scopes"] == Finding("scopes", "ok", "all granted, but not the optional dnd:read")


@pytest.mark.parametrize("manifest", sorted(path.name for path in ROOT.glob("manifest.*.json")))
def test_the_scopes_are_those_of_the_manifest(manifest: str) -> None:
    asked = json.loads(read(ROOT / manifest))["oauth_config"]["scopes"]
    assert (asked["bot"], asked["bot_optional"]) == (list(SCOPES), list(OPTIONAL_SCOPES))


@pytest.mark.parametrize(("off", "said"), [(400, "400 s ahead of"), (-400, "400 s behind")])
async def test_a_clock_that_is_off(slack: LocalSlack, database: str, off: int, said: str) -> None:
    report = await examine(configured(slack, database), lambda: wall() + timedelta(seconds=off))
    (clock,) = [found for found in report.findings if found.name == "clock"]
    assert clock.status == "wrong"
    # Slack's clock is told in whole seconds.
    assert said[4:] in clock.message and abs(int(clock.message.split()[0]) - 400) <= 1
    assert "NTP" in clock.mend


async def test_socket_mode(database: str) -> None:
    async with LocalSlack(socket_mode=True) as slack:
        given = {"slack_signing_secret": None, "slack_app_token": SecretStr(slack.app_token)}
        found = await findings(slack, database, **given)
        assert wrong(found) == []
        assert "Socket Mode" in found["settings"].message
        assert found["app token"] == Finding("app token", "ok", "valid, Socket Mode is on")
        found = await findings(slack, database, **given | {"slack_app_token": SecretStr("xapp-old")})
        assert wrong(found) == ["app token"]
        assert found["app token"].message == "Slack refuses SLACK_APP_TOKEN: invalid_auth"


# The database


async def test_postgresql(slack: LocalSlack, postgres: str) -> None:
    assert wrong(await findings(slack, postgres)) == []


async def test_no_database_is_made(slack: LocalSlack, tmp_path: Path) -> None:
    found = await findings(slack, f"sqlite+aiosqlite:///{tmp_path}/deep/bot.sqlite3", encryption_keys=None)
    assert wrong(found) == []
    assert "made at the first start" in found["database"].message
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - an asynchronous test


async def test_an_address_that_cannot_be(slack: LocalSlack) -> None:
    found = await findings(slack, "mysql://nowhere/bot")
    assert wrong(found) == ["database"]
    assert [found[name].status for name in NAMES[5:]] == ["skipped"] * 4


async def test_a_server_that_does_not_answer(slack: LocalSlack) -> None:
    found = await findings(slack, "postgresql://bot:hunter22@127.0.0.1:9/bot")
    assert wrong(found) == ["database"]
    assert "hunter22" not in str(found)


async def test_a_file_that_is_no_database(slack: LocalSlack, tmp_path: Path) -> None:
    file = tmp_path / "bot.sqlite3"
    file.write_bytes(b"not a database " * 100)
    found = await findings(slack, f"sqlite+aiosqlite:///{file}")
    assert wrong(found) == ["database"]
    assert "not a database" in found["database"].message


async def test_postgresql_needs_keys(slack: LocalSlack) -> None:
    found = await findings(slack, "postgresql://bot@127.0.0.1:9/bot", encryption_keys=None)
    assert found["keys"].message == "with PostgreSQL, ENCRYPTION_KEYS is needed"
    assert "Fernet.generate_key" in found["keys"].mend


async def test_an_old_schema(slack: LocalSlack, tmp_path: Path) -> None:
    address = f"sqlite+aiosqlite:///{tmp_path}/bot.sqlite3"
    engine = open_engine(address)
    await migrate(engine, "0001")
    await engine.dispose()
    found = await findings(slack, address)
    assert wrong(found) == ["schema"]
    assert found["schema"].mend == "Run: python -m bot migrate"
    assert found["inbox"].status == "skipped"


async def test_a_schema_of_a_newer_bot(slack: LocalSlack, database: str) -> None:
    engine = open_engine(database)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await engine.dispose()
    found = await findings(slack, database)
    assert (wrong(found), found["schema"].mend) == (["schema"], "Update the bot.")


async def test_what_is_no_key(slack: LocalSlack, database: str) -> None:
    found = await findings(slack, database, encryption_keys=SecretStr(f"{KEY},my-dear-key"))
    assert wrong(found) == ["keys"]
    assert KEY not in str(found) and "my-dear-key" not in str(found)


def write(file: str, content: str, mode: int) -> None:
    Path(file).write_text(content)
    Path(file).chmod(mode)


async def test_the_key_file(slack: LocalSlack, database: str) -> None:
    file = f"{database.removeprefix('sqlite+aiosqlite:///')}.key"
    found = await findings(slack, database, encryption_keys=None)
    assert found["keys"] == Finding("keys", "ok", f"{file} is made at the next start")
    write(file, Fernet.generate_key().decode(), 0o600)
    found = await findings(slack, database, encryption_keys=None)
    assert found["keys"] == Finding("keys", "ok", f"{file} holds one")
    write(file, f"{Fernet.generate_key().decode()},{Fernet.generate_key().decode()}", 0o600)
    found = await findings(slack, database, encryption_keys=None)
    assert found["keys"] == Finding("keys", "ok", f"{file} holds 2")
    write(file, Fernet.generate_key().decode(), 0o644)
    found = await findings(slack, database, encryption_keys=None)
    assert (wrong(found), found["keys"].mend) == (["keys"], f"Run: chmod 600 {file}")
    write(file, "scribble", 0o600)
    assert wrong(await findings(slack, database, encryption_keys=None)) == ["keys"]


# The inbox


async def given_up(slack: LocalSlack, start: Start) -> str:
    """Let a question fail for good; return the id of its event."""
    async with start() as bot:
        slack.fail("chat.postMessage", error="fatal_error", times=9)
        event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100"}
        await slack.send_event(event | {"text": f"<@BOT> mlops {WORD}"}, event_id="Ev0DEAD")
        await settled(bot)
        slack.api.faults.clear()
    return "Ev0DEAD"


@pytest.mark.usefixtures("faults")
async def test_dead_letters_are_listed_without_their_words(
    slack: LocalSlack, start: Start, database: str, clock: Clock
) -> None:
    event = await given_up(slack, start)
    report = await examine(configured(slack, database), wall)
    assert not report.ok
    (letter,) = report.dead_letters
    assert (letter.event_id, letter.kind, letter.attempts, letter.received) == (event, "question", 3, clock.now())
    shown = "\n".join([*as_lines(report), as_json(report)])
    assert event in shown
    assert WORD not in shown


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("which", ["Ev0DEAD", None])
async def test_a_dead_letter_is_answered_after_a_replay(
    slack: LocalSlack, start: Start, database: str, which: str | None
) -> None:
    await given_up(slack, start)
    assert await replay(configured(slack, database), which, wall) == 1
    before = len(slack.messages(GENERAL))
    async with start() as bot:
        await settled(bot)
        (row,) = await rows(bot, "inbox")
        assert row["state"] == "done"
    assert len(slack.messages(GENERAL)) == before + 1
    assert wrong(await findings(slack, database)) == []


async def test_there_is_not_always_something_to_replay(slack: LocalSlack, database: str, tmp_path: Path) -> None:
    assert await replay(configured(slack, database), "Ev0NONE", wall) == 0
    assert await replay(configured(slack, f"sqlite+aiosqlite:///{tmp_path}/none.sqlite3"), None, wall) == 0
    with pytest.raises(SettingsError, match="The database can't be used"):
        await replay(configured(slack, "postgresql://bot@127.0.0.1:9/bot"), None, wall)


@pytest.mark.usefixtures("faults")
async def test_a_lost_key(slack: LocalSlack, start: Start, database: str) -> None:
    await given_up(slack, start)
    found = await findings(slack, database, encryption_keys=SecretStr(Fernet.generate_key().decode()))
    assert wrong(found) == ["keys", "dead letters"]
    assert found["keys"].message == "stored text can't be opened"


async def test_an_inbox_that_nobody_works_off(slack: LocalSlack, start: Start, database: str, clock: Clock) -> None:
    async with start() as bot:
        await bot.worker.stop(0)
        await slack.say(ANN, "<@BOT> mlops", GENERAL)
        clock.at = clock.now()
        report = await examine(configured(slack, database), lambda: clock.now() + timedelta(seconds=30))
        (inbox,) = [found for found in report.findings if found.name == "inbox"]
        assert inbox == Finding("inbox", "ok", "1 waiting, the oldest for 30 s")
        report = await examine(configured(slack, database), lambda: clock.now() + timedelta(minutes=5))
        (inbox,) = [found for found in report.findings if found.name == "inbox"]
        assert inbox.status == "wrong"
        assert inbox.message.startswith("1 waiting, the oldest for 300 s: nobody works them off")


# The command


def test_each_finding_is_a_line(environment: dict[str, str]) -> None:
    result = CliRunner().invoke(main, ["doctor"], env=environment)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert [line[9:22].strip() for line in lines] == list(NAMES)
    assert {line.split()[0] for line in lines} == {"ok", "skipped"}


def test_something_wrong_ends_with_1(environment: dict[str, str]) -> None:
    result = CliRunner().invoke(main, ["doctor", "--json"], env=environment | {"SLACK_SIGNING_SECRET": "x"})
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert not report["ok"]
    assert report["findings"][0] == {
        "name": "settings",
        "status": "wrong",
        "message": report["findings"][0]["message"],
        "mend": "See docs/connecting-slack.md.",
    }
    assert report["dead_letters"] == []


def test_settings_that_cannot_be_read(environment: dict[str, str]) -> None:
    result = CliRunner().invoke(main, ["doctor"], env=environment | {"PORT": "harbour", "LOG_LEVEL": "LOUD"})
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    assert line.startswith("wrong    settings") and "PORT" in line and "LOG_LEVEL" in line


def test_a_replay_says_how_many(environment: dict[str, str]) -> None:
    result = CliRunner().invoke(main, ["doctor", "--replay", "all"], env=environment)
    assert (result.exit_code, result.stdout) == (0, "Events that wait again: 0\n")
    result = CliRunner().invoke(main, ["doctor", "--replay", "Ev0NONE", "--json"], env=environment)
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"replayed": 0})


@pytest.mark.usefixtures("faults")
async def test_a_terminal_gets_a_table(
    slack: LocalSlack, start: Start, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    event = await given_up(slack, start)
    show(await examine(configured(slack, database), wall))
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*NAMES, event))


def test_nothing_wrong_is_all_right() -> None:
    assert Report([Finding("token", "skipped", "…"), Finding("clock", "ok", "…")]).ok
