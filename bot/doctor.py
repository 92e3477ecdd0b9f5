"""`python -m bot doctor`: what is wrong with settings, Slack, clock, database and inbox, and how to mend it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Literal

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.scopes import OPTIONAL_SCOPES, SCOPES, missing_scopes
from bot.settings import Settings, SettingsError, check_certificates, mode_of
from bot.slack import single_client
from storage.database import head_version, open_engine, schema_version, sqlite_file
from storage.inbox import DeadLetter, SqlInbox
from storage.installations import SqlInstallations
from storage.keys import MAKE_KEY, Keys, KeysError

MOST_SKEW = 60
"""Seconds that this machine's clock may be off; beyond 300 every request of Slack is refused."""
MOST_WAITING = 60
"""Seconds after which an event should have its answer, unless Slack is out of reach."""
SLACK_SECONDS = 10
UNREACHABLE = (ClientError, TimeoutError, OSError)
Status = Literal["ok", "wrong", "skipped"]
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Finding:
    """Say of one thing whether it is all right, and how to mend it where it is not."""

    name: str
    status: Status
    message: str
    mend: str = ""


@dataclass(frozen=True)
class Report:
    """Hold all findings, and the events that were given up."""

    findings: Sequence[Finding]
    dead_letters: Sequence[DeadLetter] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return all(finding.status != "wrong" for finding in self.findings)


async def examine(settings: Settings, now: Clock = lambda: datetime.now(UTC)) -> Report:
    """Look at everything; nothing is changed, and no database is made."""
    database, dead = await _database(settings, now)
    return Report([_settings(settings), *await _slack(settings, now), *database], dead)


async def replay(settings: Settings, event_id: str | None, now: Clock = lambda: datetime.now(UTC)) -> int:
    """Let an event that was given up, or all of them, be worked off again; return how many.

    Raises SettingsError where the database can't be used.
    """
    try:
        file = sqlite_file(settings.database)
        if file is not None and not file.exists():
            return 0
        async with _opened(settings, None) as engine:
            return await SqlInbox(engine, "doctor").replay(event_id, now())
    except ValueError as error:
        raise SettingsError(str(error)) from error
    except Exception as error:
        raise SettingsError(f"The database can't be used: {_first_line(error)}. See: python -m bot doctor") from error


# Settings


def _settings(settings: Settings) -> Finding:
    try:
        mode = mode_of(settings)
    except SettingsError as error:
        return Finding("settings", "wrong", str(error), "See docs/connecting-slack.md.")
    try:
        check_certificates(settings)
    except SettingsError as error:
        said, _, mend = str(error).rpartition(". ")
        return Finding("settings", "wrong", said, mend)
    says = {
        "local": "the local workspace, as no Slack credentials are set",
        "http": "Slack over HTTP" + (", for many workspaces" if settings.slack_client_id else ""),
        "socket": "Slack over Socket Mode",
    }
    return Finding("settings", "ok", f"python -m bot starts {says[mode]}")


# Slack


async def _slack(settings: Settings, now: Clock) -> list[Finding]:
    if settings.slack_bot_token is None and not settings.slack_client_id:
        return [Finding(name, "skipped", "SLACK_BOT_TOKEN is not set") for name in ("token", "scopes", "clock")]
    try:
        check_certificates(settings)
    except SettingsError:
        return [Finding(name, "skipped", "SSL_CERT_FILE can't be used") for name in ("token", "scopes", "clock")]
    if settings.slack_bot_token is None:
        own = "each workspace has its own: see installations"
        clock = _clock(await _asked_nothing(settings), now())
        return [Finding("token", "skipped", own), Finding("scopes", "skipped", own), clock]
    answer: AsyncSlackResponse | None
    try:
        async with single_client(
            settings, settings.slack_bot_token.get_secret_value(), seconds=SLACK_SECONDS
        ) as client:
            answer = await _impatient(client).auth_test()
        where = f"{answer.get('team')} ({answer.get('url')})"
        token = Finding("token", "ok", f"valid, as {answer.get('user')} in {where}")
        scopes = _scopes(answer)
    except SlackApiError as error:
        answer = error.response if isinstance(error.response, AsyncSlackResponse) else None
        token = _refused("token", "SLACK_BOT_TOKEN", answer)
        scopes = Finding("scopes", "skipped", "the token is not valid")
    except UNREACHABLE as error:
        answer = None
        token = _unreachable("token", settings, error)
        scopes = Finding("scopes", "skipped", "Slack can't be reached")
    findings = [token, scopes, _clock(answer, now())]
    if settings.slack_app_token is not None:
        findings.insert(1, await _app_token(settings, settings.slack_app_token.get_secret_value()))
    return findings


async def _asked_nothing(settings: Settings) -> AsyncSlackResponse | None:
    """Ask Slack for nothing but its time; it needs no token for that."""
    try:
        async with single_client(settings, seconds=SLACK_SECONDS) as client:
            return await _impatient(client).api_test()
    except SlackApiError as error:
        return error.response if isinstance(error.response, AsyncSlackResponse) else None
    except UNREACHABLE:
        return None


async def _app_token(settings: Settings, token: str) -> Finding:
    try:
        # The address that comes back lets anybody in: it is not looked at. Unused it is void after half a minute.
        async with single_client(settings, seconds=SLACK_SECONDS) as client:
            await _impatient(client).apps_connections_open(app_token=token)
    except SlackApiError as error:
        answer = error.response if isinstance(error.response, AsyncSlackResponse) else None
        return _refused("app token", "SLACK_APP_TOKEN", answer)
    except UNREACHABLE as error:
        return _unreachable("app token", settings, error)
    return Finding("app token", "ok", "valid, Socket Mode is on")


def _refused(name: str, variable: str, answer: AsyncSlackResponse | None) -> Finding:
    code = answer.get("error") if answer is not None and isinstance(answer.data, dict) else None
    if not code or code == "ratelimited":
        status = f"HTTP {answer.status_code}" if answer is not None else "something that is not JSON"
        return Finding(name, "wrong", f"Slack answered with {code or status}", "Try again in a minute.")
    where = (
        "Basic Information, App-Level Tokens (scope connections:write), with Socket Mode switched on"
        if variable == "SLACK_APP_TOKEN"
        else "OAuth & Permissions, after installing the app again"
    )
    return Finding(name, "wrong", f"Slack refuses {variable}: {code}", f"Set {variable} anew from {where}.")


def _unreachable(name: str, settings: Settings, error: Exception) -> Finding:
    return Finding(
        name,
        "wrong",
        f"{settings.slack_api_url} can't be reached: {type(error).__name__}",
        "Check the network, SLACK_API_URL, HTTPS_PROXY and SSL_CERT_FILE.",
    )


def _scopes(answer: AsyncSlackResponse) -> Finding:
    granted = {scope.strip() for scope in str(answer.headers.get("x-oauth-scopes", "")).split(",")}
    missing = missing_scopes(granted)
    if missing:
        return Finding(
            "scopes",
            "wrong",
            f"not granted: {', '.join(missing)}",
            "Put the manifest into the settings of the Slack app, and install it again.",
        )
    without = [scope for scope in OPTIONAL_SCOPES if scope not in granted]
    return Finding("scopes", "ok", "all granted" + (f", but not the optional {', '.join(without)}" if without else ""))


def _clock(answer: AsyncSlackResponse | None, now: datetime) -> Finding:
    try:
        theirs = parsedate_to_datetime(str(answer.headers["Date"]) if answer is not None else "")
    except (KeyError, ValueError):
        return Finding("clock", "skipped", "Slack did not say what time it is")
    seconds = round((now - theirs).total_seconds())
    if abs(seconds) <= MOST_SKEW:
        return Finding("clock", "ok", "agrees with Slack's")
    return Finding(
        "clock",
        "wrong",
        f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} Slack's; beyond 300 s all requests are refused",
        "Switch on this machine's time synchronisation (NTP).",
    )


def _impatient(client: AsyncWebClient) -> AsyncWebClient:
    """Make the client say at once what is wrong, instead of trying again."""
    client.retry_handlers.clear()
    return client


# The database


async def _database(settings: Settings, now: Clock) -> tuple[list[Finding], Sequence[DeadLetter]]:
    try:
        file = sqlite_file(settings.database)
    except ValueError as error:
        return [
            Finding("database", "wrong", str(error), "Set DATABASE_URL, or unset it for a file."),
            *_unseen(settings),
        ], ()
    keys, finding = _keys(settings, file)
    if not (file.exists() if file else settings.database.startswith("postgres")):
        made = Finding(
            "database", "ok", f"{file} is made at the first start" if file else "in memory, made at each start"
        )
        return [made, finding, *_unseen(settings)[1:]], ()
    try:
        async with _opened(settings, keys) as engine:
            async with engine.connect() as connection:
                version = await schema_version(connection)
            reached = Finding("database", "ok", f"{engine.url.render_as_string()} answers")
            schema = _schema(version)
            if version != head_version():
                return [reached, finding, schema, *_unseen(settings)[2:]], ()
            inbox = SqlInbox(engine, "doctor")
            if finding.status == "ok" and not await inbox.opens():
                finding = Finding("keys", "wrong", "stored text can't be opened", "Put the lost key back.")
            depth = await inbox.depth(now())
            dead = await inbox.dead_letters()
            installed = await _installations(settings, engine)
    except Exception as error:
        mend = "Check DATABASE_URL, and that the database is running and may be written."
        return [Finding("database", "wrong", _first_line(error), mend), finding, *_unseen(settings)[1:]], ()
    waiting, given_up = _waiting(depth.waiting, depth.oldest_seconds), _given_up(len(dead))
    return [reached, finding, schema, waiting, given_up, *installed], dead


async def _installations(settings: Settings, engine: AsyncEngine) -> list[Finding]:
    if not settings.slack_client_id:
        return []
    installations = SqlInstallations(engine)
    count, lacking = await installations.count(), await installations.lacking(SCOPES)
    if lacking:
        named = "; ".join(f"{workspace}: {', '.join(missing)}" for workspace, missing in list(lacking.items())[:5])
        mend = "Somebody there has to install the app again; whoever installed it was told."
        return [Finding("installations", "wrong", f"not granted in {len(lacking)} of {count}: {named}", mend)]
    return [Finding("installations", "ok", f"{count}, all scopes granted")]


def _unseen(settings: Settings) -> list[Finding]:
    return [
        Finding(name, "skipped", "there is no database to look at")
        for name in (
            "keys",
            "schema",
            "inbox",
            "dead letters",
            *(["installations"] if settings.slack_client_id else []),
        )
    ]


def _keys(settings: Settings, file: Path | None) -> tuple[Keys | None, Finding]:
    try:
        if settings.encryption_keys is not None:
            given = settings.encryption_keys.get_secret_value().split(",")
            return Keys(given), Finding("keys", "ok", f"ENCRYPTION_KEYS holds {len(given)}")
        if file is None:
            if settings.database.startswith("sqlite"):
                return None, Finding("keys", "ok", "not needed for a database in memory")
            return None, Finding(
                "keys", "wrong", "with PostgreSQL, ENCRYPTION_KEYS is needed", f"Set it to what this prints: {MAKE_KEY}"
            )
        beside = file.with_name(f"{file.name}.key")
        if not beside.exists():
            return None, Finding("keys", "ok", f"{beside} is made at the next start")
        held = beside.read_text().split(",")
        if beside.stat().st_mode & 0o077:
            mend = f"Run: chmod 600 {beside}"
            return Keys(held), Finding("keys", "wrong", f"others may read {beside}", mend)
        return Keys(held), Finding("keys", "ok", f"{beside} holds {'one' if len(held) == 1 else len(held)}")
    except KeysError as error:
        return None, Finding("keys", "wrong", str(error).partition(". ")[0], f"A key is what this prints: {MAKE_KEY}")
    except OSError as error:
        mend = "It must belong to the user that the bot runs as."
        return None, Finding("keys", "wrong", f"the key file can't be read: {error.strerror}", mend)


def _schema(version: str | None) -> Finding:
    head = head_version()
    if version == head:
        return Finding("schema", "ok", f"version {head}, the newest")
    if version is not None and version > head:
        return Finding("schema", "wrong", f"version {version}, newer than this bot's {head}", "Update the bot.")
    return Finding("schema", "wrong", f"version {version or 'none'}, not {head}", "Run: python -m bot migrate")


def _waiting(count: int, oldest: float) -> Finding:
    if oldest <= MOST_WAITING:
        return Finding("inbox", "ok", f"{count} waiting" + (f", the oldest for {oldest:.0f} s" if count else ""))
    return Finding(
        "inbox",
        "wrong",
        f"{count} waiting, the oldest for {oldest:.0f} s: nobody works them off, or Slack is out of reach",
        "Start the bot (with PostgreSQL: serve or worker), and look at its log.",
    )


def _given_up(count: int) -> Finding:
    if not count:
        return Finding("dead letters", "ok", "none")
    mend = "The log says why, by event id. Then: python -m bot doctor --replay all, or one by its id."
    return Finding("dead letters", "wrong", f"{count} events were given up", mend)


@asynccontextmanager
async def _opened(settings: Settings, keys: Keys | None) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.database, keys)
    try:
        yield engine
    finally:
        await engine.dispose()


def _first_line(error: Exception) -> str:
    # What the driver says; SQLAlchemy adds the statement and a link below it.
    return (str(error).strip() or type(error).__name__).splitlines()[0]


# Showing


def as_json(report: Report) -> str:
    """Return the report as one line of JSON."""
    letters = [asdict(letter) | {"received": letter.received.isoformat()} for letter in report.dead_letters]
    return json.dumps({"ok": report.ok, "findings": [asdict(f) for f in report.findings], "dead_letters": letters})


def as_lines(report: Report) -> list[str]:
    """Return the report as lines for people, one a finding."""
    lines = [f"{found.status:<8} {found.name:<13} {_said(found)}" for found in report.findings]
    return [*lines, *(f"{'':<8} {' '.join(row)}" for row in _letters(report))]


def show(report: Report) -> None:
    """Show the report as a table on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "wrong": "bold red", "skipped": "dim"}
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for found in report.findings:
        table.add_row(Text(found.status, colours[found.status]), found.name, Text(_said(found)))
    console = Console(highlight=False)
    console.print(table)
    if report.dead_letters:
        letters = Table(*("event", "kind", "received", "attempts", "workspace"), box=None, padding=(0, 2, 0, 0))
        for row in _letters(report):
            letters.add_row(*map(Text, row))
        console.print(letters)


def _said(found: Finding) -> str:
    return f"{found.message.rstrip('.')}. {found.mend}" if found.mend else found.message


def _letters(report: Report) -> list[tuple[str, ...]]:
    return [
        (
            letter.event_id,
            letter.kind,
            f"{letter.received:%Y-%m-%d %H:%M} UTC",
            str(letter.attempts),
            letter.workspace,
        )
        for letter in report.dead_letters
    ]
