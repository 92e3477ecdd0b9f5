"""A small workspace, and the whole bot served to it over loopback; what people see is checked after every test."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy import text

from bot.app import Bot, build_app
from bot.app import MakeGuide as MakeGuide
from bot.local import LocalSlack, Member, Message, View
from bot.serve import start_site
from bot.settings import Settings
from knowledge.people import Level
from knowledge.people import Member as Profile
from storage import database as database_of_bot
from storage.database import migrate, open_engine

from . import bundled
from .databases import KEY, Emptied, make_engine, postgres_database
from .routing import deaf
from .schemas.block_kit import problems, view_problems

# No test fails because the machine is busy. Fixtures that last one test are shared by all examples of a property on
# purpose: a bot that has met one odd body must live through the next.
hypothesis_settings.register_profile(
    "project", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("project")

TEAM = "T0LOCAL0001"
ANN, BEN, CAI, DEE, EVA = "U0ANN000001", "U0BEN000001", "U0CAI000001", "U0DEE000001", "U0EVA000001"
GUS, ROB, OLD = "U0GUS000001", "U0ROB000001", "U0OLD000001"
MEMBERS = (
    Member(ANN, "Ann Archer", title="Engineer", tz="Europe/Berlin"),
    Member(BEN, "Ben Book", title="MLOps lead", tz="Asia/Tokyo"),
    Member(CAI, "Cai Chen", title="", tz="America/Lima"),
    Member(DEE, "Dee Dorsey", presence="away"),
    Member(EVA, "Eva Ek", status_text="Out of office until Monday", status_emoji=":palm_tree:"),
    Member(GUS, "Gus Guest", guest=True),
    Member(ROB, "Rob Robot", is_bot=True),
    Member(OLD, "Olly Oldtimer", deleted=True),
)
BUSY_SECONDS = 30.0
"""How long a test waits for what takes no time on an idle machine."""
BOUNDS = (
    "bot.app.READY_SECONDS",
    "bot.intake.PATIENCE",
    "bot.intake.WRITING_SECONDS",
    "bot.metrics.SCRAPE_SECONDS",
    "handlers.asks.LOOK_SECONDS",
    "handlers.curating.NAME_SECONDS",
    "handlers.keeping.NAME_SECONDS",
    "handlers.late.FAREWELL_SECONDS",
    "handlers.members.PROFILE_SECONDS",
    "handlers.permissions.LOOK_UP_SECONDS",
    "handlers.proposals.TITLE_SECONDS",
    "handlers.replies.MODAL_SECONDS",
    "handlers.settings.ASKED_SECONDS",
    "storage.database.POSTGRES_SECONDS",
    "storage.database.SQLITE_BUSY_SECONDS",
)
"""How many seconds of the wall clock the bot waits for something before it goes on without."""
LATE_SECONDS = 0.02
"""Such a bound where a test is about what is late."""
FORM_CODES = {
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_arguments",
    "msg_too_long",
    "no_text",
    "view_too_large",
}
"""What Slack answers to a message or view that is not well formed."""


class Clock:
    """A clock that tests move; the workspace and the bot go by it."""

    def __init__(self) -> None:
        self.at = self._seen = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
        self._passed = 0.0

    def now(self) -> datetime:
        return self.at

    def seconds(self) -> float:
        return self.at.timestamp()

    def monotonic(self) -> float:
        """Return seconds that go on, also where the clock was set back."""
        self._passed += max(0.0, (self.at - self._seen).total_seconds())
        self._seen = self.at
        return self._passed

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)
        self.monotonic()


@dataclass
class Sleeper:
    """Note the pauses instead of making them."""

    slept: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


async def when_asked(_seconds: float, _job: Callable[[], Awaitable[None]]) -> None:
    """Run no job by the clock: a test runs those that it is about, and none comes in between where it takes long."""
    await asyncio.Event().wait()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help="draw the pictures of docs/images anew")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_proxy() -> Iterator[None]:
    """Slack's SDK takes a proxy from the environment: that of whoever runs the tests must not come in between."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
            environment.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_power_cuts() -> Iterator[None]:
    """Nothing that a test writes has to survive a power cut, and most of the waiting would be for that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_of_bot, "SQLITE_SYNCHRONOUS", "OFF")
        yield


@pytest.fixture(scope="session", autouse=True)
def no_hurry() -> Iterator[None]:
    """Nothing is late because the machine is busy; tests of what is late set a bound of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for bound in BOUNDS:
            patch.setattr(bound, BUSY_SECONDS)
        yield


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Each test opens an engine, and for each its statements were compiled anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database_of_bot, "create_async_engine", make_engine)
        yield


@pytest.fixture(scope="session", autouse=True)
def content_read_once() -> Iterator[None]:
    with bundled.commands_read_it_once():
        yield


@pytest.fixture(scope="session")
def make_guide() -> MakeGuide:
    """The guide over the bundled content, which is read once."""
    return bundled.guide


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema at head; tests take copies."""
    file = tmp_path_factory.mktemp("database") / "empty.sqlite3"

    async def make() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{file}")
        await migrate(engine)
        async with engine.connect() as connection:
            await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        await engine.dispose()

    asyncio.run(make())
    return file


@pytest.fixture(scope="session")
def postgres_at_head() -> Iterator[Emptied]:
    """A database of this run's own on the server, at head; whoever calls it has it empty."""
    with postgres_database(at_head=True) as address, closing(Emptied(address)) as emptied:
        yield emptied


@pytest.fixture
def postgres(postgres_at_head: Emptied) -> str:
    """The address of that database, without a row."""
    return postgres_at_head()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


class Lines(logging.Handler):
    """Keep what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def refusals() -> None:
    """Ask for it where a message or view is meant that Slack refuses."""


@pytest.fixture(autouse=True)
def nothing_refused(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever workspace a test runs: no message and no view in it was refused."""
    found = Lines()
    log = logging.getLogger("bot.local.block_kit")
    log.addHandler(found)
    yield
    log.removeHandler(found)
    assert not found.lines or "refusals" in request.fixturenames, found.lines


@pytest.fixture
def faults() -> None:
    """Ask for it where a failure is meant: errors in the log are no surprise then."""


@pytest_asyncio.fixture
async def slack(
    clock: Clock, sleeper: Sleeper, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> AsyncIterator[LocalSlack]:
    """A workspace of eight; whatever the bot showed in it was well formed and notified nobody."""
    caplog.set_level(logging.INFO)
    members = [replace(member) for member in MEMBERS]
    enterprise = getattr(request, "param", None)
    async with LocalSlack(
        clock=clock.seconds,
        sleep=sleeper,
        members=members,
        enterprise_id=enterprise,
        # No test fails because the machine is busy; those that are about deadlines set their own.
        deadline=BUSY_SECONDS,
        timeout=BUSY_SECONDS,
    ) as slack:
        yield slack
        well_formed(slack)
        if "faults" not in request.fixturenames:
            errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
            assert not errors, [record.getMessage() for record in errors]


def well_formed(slack: LocalSlack) -> None:
    """Check all that the bot showed: Slack's types and limits, a listener for every button, and nobody notified."""
    misshapen = [call for call in slack.refused if call.error in FORM_CODES or call.method.endswith("response")]
    assert not misshapen, [str(call) for call in misshapen]
    for shown, where in shown_by(slack):
        found = (
            view_problems(shown)
            if shown.get("type") in ("modal", "home")
            else problems(shown["blocks"], "Blocks")
            if shown.get("blocks")
            else []
        )
        assert not found, (where, found)
        assert not deaf(shown), (where, deaf(shown))
        if "blocks" in shown and "text" in shown:
            assert 0 < len(shown["text"]) <= 4000, where
    for message in slack.workspace.messages:
        if message.from_bot:
            assert not slack.notified(message), message.text


def shown_by(slack: LocalSlack) -> Iterator[tuple[dict[str, Any], str]]:
    """Go through every message and view that the bot sent: in calls, and in the answers to commands and modals."""
    for call in slack.calls:
        sent = {name: decoded(value) for name, value in call.arguments.items()}
        if isinstance(sent.get("view"), dict):
            yield sent["view"], call.method
        elif "text" in sent:
            yield sent, call.method
    for attempt in slack.deliveries:
        answer = attempt.json()
        if isinstance(answer.get("view"), dict):
            yield answer["view"], attempt.kind
        elif "text" in answer:
            yield answer, attempt.kind


def decoded(value: object) -> Any:
    """Undo the JSON in which the Web API's form bodies carry blocks and views."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


@dataclass
class Start:
    """Start bots for the workspace: `async with start() as bot`."""

    slack: LocalSlack
    database: str
    clock: Clock
    sleeper: Sleeper
    make_guide: MakeGuide

    @asynccontextmanager
    async def __call__(self, encryption_keys: str | None = KEY, **changed: Any) -> AsyncIterator[Bot]:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
            slack_bot_token=SecretStr(self.slack.bot_token),
            slack_signing_secret=SecretStr(self.slack.signing_secret),
            slack_api_url=self.slack.api_url,
            database_url=self.database,
            encryption_keys=SecretStr(encryption_keys) if encryption_keys else None,
            # Said here, or the environment of whoever runs the tests would have its say.
            https_proxy=None,
            ssl_cert_file=None,
            **changed,
        )
        bot = build_app(
            settings,
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            rng=random.Random(7),
            sleep=self.sleeper,
            make_guide=self.make_guide,
            regularly=when_asked,
        )
        base, stop = await start_site(bot, "127.0.0.1", 0)
        self.slack.bot_url = f"{base}/slack/events"
        try:
            await settled(bot)
            yield bot
        finally:
            await stop()


@pytest.fixture
def database(request: pytest.FixtureRequest, empty_database: Path, tmp_path: Path) -> str:
    """The address of the bot's database: a file of the test's own, or, where ON_POSTGRES asks for it, this run's."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return f"sqlite+aiosqlite:///{shutil.copy(empty_database, tmp_path / 'bot.sqlite3')}"


@pytest.fixture
def start(slack: LocalSlack, database: str, clock: Clock, sleeper: Sleeper, make_guide: MakeGuide) -> Start:
    """Start the bot again and again over one database."""
    return Start(slack, database, clock, sleeper, make_guide)


@pytest_asyncio.fixture
async def bot(start: Start) -> AsyncIterator[Bot]:
    """The bot, as `python -m bot serve` runs it, on a free port and a file of its own."""
    async with start() as bot:
        yield bot


async def settled(bot: Bot) -> None:
    """Wait until the bot has nothing more to do: events worked off, background work ended."""
    await asyncio.wait_for(bot.worker.idle(), BUSY_SECONDS)
    await bot.tasks.finish(BUSY_SECONDS)


async def declares(
    bot: Bot,
    slack: LocalSlack,
    user: str,
    roles: Mapping[str, Level] | None = None,
    topics: tuple[str, ...] = (),
    workspace: str = TEAM,
) -> None:
    """Put a person's declaration and profile into the database, as the modal and the look-up after it do."""
    keys = {bot.guide.topic_key(topic): topic for topic in topics}
    now = datetime.fromtimestamp(slack.workspace.clock(), UTC)
    await bot.people.declare(workspace, user, roles or {}, keys, now)
    member = slack.workspace.members[user]
    away = "ooo" if member.status_emoji else "away" if member.presence == "away" else "active"
    profile = Profile(
        user,
        member.name,
        member.title,
        member.tz,
        "deactivated" if member.deleted else away,  # type: ignore[arg-type]
        member.is_bot,
        member.guest,
    )
    await bot.people.remember(workspace, profile, now)


async def rows(bot: Bot, table: str, where: str = "1 = 1", **values: object) -> list[Mapping[str, Any]]:
    """Look into the database."""
    async with bot.engine.connect() as connection:
        found = await connection.execute(text(f"SELECT * FROM {table} WHERE {where}"), values)  # noqa: S608
        return [dict(row) for row in found.mappings()]


TABLES = ("declarations", "members", "threads", "inbox")


def words(shown: Message | View) -> str:
    """Return everything that a message or view shows in its blocks, as one text."""
    found: list[str] = []

    def walk(thing: object) -> None:
        match thing:
            case {"text": str(said)}:
                found.append(said)
            case dict():
                for part in thing.values():
                    walk(part)
            case list():
                for part in thing:
                    walk(part)

    walk(shown.blocks)
    return "\n".join(found)


async def interact(slack: LocalSlack, payload: Mapping[str, Any]) -> int:
    """Send an interaction of any shape, signed; return the status."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    status, _ = await slack.post_raw(body, {"Content-Type": "application/x-www-form-urlencoded"}, signed=True)
    return status
