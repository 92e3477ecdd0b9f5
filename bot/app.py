"""Build the bot: the only place that chooses real parts."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bot import install
from bot.authorize import Authorizing
from bot.headers import with_headers
from bot.install import Install
from bot.intake import Intake
from bot.lock import FileLock
from bot.metrics import Metrics, MetricsSite
from bot.migrations import UNUSABLE, unusable
from bot.server import MOST_BYTES, FrontDoor
from bot.settings import Settings, SettingsError, check_certificates, credentials_for
from bot.slack import Sleep, open_session, slack_client
from bot.socket import SocketMode
from bot.tasks import Tasks
from bot.timers import Job, Timers
from bot.tokens import tokens_for
from bot.worker import POLL_SECONDS, SWEEP_SECONDS, Every, Worker, every
from handlers import register
from handlers.courier import RUN_SECONDS as COURIER_SECONDS
from handlers.courier import Courier
from handlers.freshness import RUN_SECONDS, Rounds
from handlers.looking_up import RUN_SECONDS as LOOK_UP_SECONDS
from handlers.looking_up import Patrol
from handlers.pace import Monotonic
from handlers.permissions import CATCH_UP_SECONDS, Standings
from handlers.vacancies import Notices
from handlers.verifying import RUN_SECONDS as VERIFY_SECONDS
from handlers.verifying import Verifier
from knowledge.desk import Desk
from knowledge.guide import Guide, load_guide
from knowledge.ports import People, TeamKnowledge, Threads
from storage.ask_deliveries import SqlDeliveries
from storage.asks import SqlAsks
from storage.bulk import SqlPeopleInBulk
from storage.database import head_version, migrate, open_engine, schema_version, sqlite_file
from storage.directory import SqlDirectory
from storage.feedback import SqlFeedback
from storage.freshness import SqlFreshness
from storage.inbox import SqlInbox
from storage.keeping import SqlKeepings
from storage.keys import MAKE_KEY, Keys, KeysError, keys_beside, new_key
from storage.looking_up import SqlToLookUp
from storage.namings import prune_namings
from storage.people import SqlPeople
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from storage.underway import prune_forgettings
from storage.vacated import SqlVacancies
from storage.verifying import SqlVerifications
from storage.workspaces import SqlWorkspaces

logger = logging.getLogger(__name__)
DRAIN_SECONDS = 8.0
SOCKET_SECONDS = 3.0
"""What was taken over the socket has its answer by then: Slack waits no longer."""
PRUNE_SECONDS = 3600.0
"""How often is looked for what was kept long enough: entries of the audit log, and what is known of leavers."""
WEEK_SECONDS = 60.0
"""How often those are looked for who reached their weekly cap in a week that is over; 500 at a time."""
READY_SECONDS = 2.0
"""How long /readyz waits for the database."""
Work = Literal["all", "web", "worker"]
"""What a process does: take requests, work the inbox off, or both."""
MakeGuide = Callable[[People, Threads, Callable[[], datetime], TeamKnowledge], Guide]


@dataclass
class Bot:
    """Hold the parts of a running bot."""

    engine: AsyncEngine
    guide: Guide
    people: SqlPeople
    team: SqlTeamEntries
    feedback: SqlFeedback
    workspaces: SqlWorkspaces
    inbox: SqlInbox
    worker: Worker
    rounds: Rounds
    patrol: Patrol
    courier: Courier
    verifier: Verifier
    notices: Notices
    standings: Standings
    timers: Timers
    """What one process is enough for."""
    everywhere: Timers
    """What every process does."""
    tasks: Tasks
    authorize: Authorizing
    intake: Intake
    front_door: FrontDoor | None
    install: Install | None
    socket_mode: SocketMode | None
    clients: tuple[AsyncWebClient, ...]
    sleep: Sleep
    work: Work
    metrics: Metrics
    metrics_site: MetricsSite
    lock: FileLock | None

    async def start(self) -> None:
        """Bring the schema up to date, take up waiting events, and ask Slack who the bot is.

        Raises SettingsError where the database can't be used, another process uses its file, or the metrics' port is
        taken.
        """
        if self.lock is not None:
            try:
                self.lock.take()
            except OSError as error:
                raise unusable(self.engine.url.render_as_string(), error) from error
        await self._prepare_database()
        await self.metrics_site.start()
        session = open_session(self.metrics.trace(self.clients[0].base_url))
        for client in self.clients:
            client.session = session
        self.everywhere.start()
        if self.work != "web":
            await self.worker.start()
            self.timers.start()
        self.tasks.start(self.authorize.identify(self.sleep), needless_at_end=True)

    async def _prepare_database(self) -> None:
        try:
            async with self.engine.connect() as connection:
                current = await schema_version(connection)
            if current != head_version():
                if self.engine.dialect.name != "sqlite":
                    raise SettingsError("The database's schema is not current. Run: python -m bot migrate")
                await migrate(self.engine)
        except UNUSABLE as error:
            raise unusable(self.engine.url.render_as_string(), error) from error

    async def stop(self) -> None:
        """Finish what is under way within a deadline, and close the database; no step depends on the one before."""
        if self.socket_mode is not None:
            await _whatever_happens("the socket", self.socket_mode.stop(SOCKET_SECONDS))
        self.tasks.drop_needless()
        await _whatever_happens("regular jobs", self.timers.stop())
        await _whatever_happens("regular jobs", self.everywhere.stop())
        await asyncio.gather(
            _whatever_happens("the worker", self.worker.stop(DRAIN_SECONDS)),
            _whatever_happens("late answers", self.tasks.finish(DRAIN_SECONDS)),
        )
        # What the last events have begun.
        await _whatever_happens("work after answers", self.tasks.finish(1.0))
        for client in self.clients:
            if client.session is not None:
                await _whatever_happens("connections to Slack", client.session.close())
        await _whatever_happens("metrics", self.metrics_site.stop())
        await _whatever_happens("the database", self.engine.dispose())
        if self.lock is not None:
            self.lock.release()

    def site(self) -> web.Application:
        """Return the web application: health, and the front door where Slack comes over HTTP."""
        site = with_headers(web.Application(client_max_size=MOST_BYTES))
        if self.front_door is not None:
            site.router.add_post("/slack/events", self.front_door.receive)
        if self.front_door is not None and self.install is not None:
            site.router.add_get(install.PAGE, self.install.show)
            site.router.add_get(install.BACK, self.install.back)
        site.router.add_get("/healthz", self._alive)
        site.router.add_get("/readyz", self._ready)
        return site

    async def _alive(self, _request: web.Request) -> web.Response:
        if self.worker.stands_still:
            return web.json_response({"status": "the worker stands still"}, status=503)
        return web.json_response({"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READY_SECONDS), self.engine.connect() as connection:
                current = await schema_version(connection)
        except Exception:
            logger.exception("readyz: the database does not answer")
            return web.json_response({"database": "unreachable", **self._slack_state()}, status=503)
        ready = current == head_version()
        state = {"database": "ok" if ready else "migrations missing", **self._slack_state()}
        return web.json_response(state, status=200 if ready else 503)

    def _slack_state(self) -> dict[str, str]:
        state = {"slack": self.authorize.state}
        return state if self.socket_mode is None else state | {"socket": self.socket_mode.state}


async def _whatever_happens(part: str, stopping: Awaitable[None]) -> None:
    """Log that a part could not be stopped, instead of leaving the parts after it running."""
    try:
        await stopping
    except Exception:
        logger.exception("stopping: %s failed", part)


def build_app(
    settings: Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    monotonic: Monotonic = time.monotonic,
    rng: random.Random | None = None,
    sleep: Sleep = asyncio.sleep,
    make_guide: MakeGuide = load_guide,
    work: Work = "all",
    over_socket: bool = False,
    regularly: Every = every,
) -> Bot:
    """Make every part for these settings; time, chance, waiting and a guide read before can be given by tests.

    Raises SettingsError where credentials, certificates or the database address can't work.
    """
    given = credentials_for(settings, "socket" if over_socket else "worker" if work == "worker" else "http")
    check_certificates(settings)
    engine = open_database(settings, mapped=True)
    file = sqlite_file(settings.database)
    alone = engine.dialect.name == "sqlite"
    if alone and work != "all":
        raise SettingsError("Separate web and worker processes need PostgreSQL: set DATABASE_URL, or use serve alone.")
    metrics = Metrics()
    # Without a token: Bolt makes a client with the authorized one for each request.
    per_request = slack_client(settings, None, sleep, metrics.waited)
    people = SqlPeople(engine, rng or random.SystemRandom(), now=now)
    threads = SqlThreads(engine)
    freshness = SqlFreshness(engine)
    feedback = SqlFeedback(engine)
    workspaces = SqlWorkspaces(engine, now)
    team = SqlTeamEntries(engine)
    guide = make_guide(people, threads, now, team)
    vacancies = SqlVacancies(engine)
    guide.on_answer = metrics.answered
    guide.settings_of = workspaces.settings
    tasks = Tasks()
    tokens = tokens_for(given, engine, people, per_request, tasks.start, now, sleep, monotonic)
    authorize = tokens.authorize
    bolt = AsyncApp(
        # Without a name Bolt walks the whole stack, source files included, to find one.
        name="genai-roles-bot",
        client=per_request,
        authorize=authorize.authorize,
        # The listener runs before the response; Bolt's own runner would poll for the ack every 10 ms.
        process_before_response=True,
        # The front door has done all three.
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        # What no listener here takes: tokens for workflow steps, and helpers for assistant threads.
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    asks, deliveries = SqlAsks(engine), SqlDeliveries(engine)
    desk = Desk(asks, people, guide, workspaces.settings, now)
    keepings = SqlKeepings(engine, team)
    verifications = SqlVerifications(engine)
    courier = Courier(
        deliveries,
        asks,
        desk,
        keepings,
        people,
        workspaces.settings,
        guide.catalog.roles,
        authorize.client_of,
        now,
        sleep,
    )
    standings = Standings(people, workspaces, now, monotonic)
    register(
        bolt,
        guide=guide,
        people=people,
        directory=SqlDirectory(engine),
        fresh=freshness,
        feedback=feedback,
        workspaces=workspaces,
        standings=standings,
        vacancies=vacancies,
        count_vote=metrics.voted,
        later=tasks.start,
        team=team,
        bulk=SqlPeopleInBulk(engine, rng or random.SystemRandom()),
        desk=desk,
        asks=asks,
        courier=courier,
        removed=tokens.removed,
        keepings=keepings,
        verifications=verifications,
        now=now,
        monotonic=monotonic,
        support=settings.support_contact,
    )
    inbox = SqlInbox(engine, owner=f"{socket.gethostname()[:40]}/{secrets.token_hex(8)}")
    worker = Worker(
        inbox,
        threads,
        feedback,
        bolt,
        authorize.client_of,
        authorize.is_gone,
        now,
        metrics,
        alone=alone,
        poll_seconds=POLL_SECONDS if work == "worker" else SWEEP_SECONDS,
        sleep=sleep,
        regularly=regularly,
        monotonic=monotonic,
    )
    intake = Intake(
        bolt,
        inbox,
        None if work == "web" else worker,
        tasks,
        per_request,
        authorize.client_of,
        now,
        metrics,
        people=people,
        monotonic=monotonic,
    )
    rounds = Rounds(
        freshness,
        people,
        desk.left,
        workspaces,
        guide.catalog.roles,
        authorize.client_of,
        lambda: authorize.is_known,
        now,
    )
    patrol = Patrol(SqlToLookUp(engine), people, desk.left, authorize.client_of, lambda: authorize.is_known, now)
    notices = Notices(vacancies, workspaces, guide.catalog.roles, authorize.client_of, now)
    verifier = Verifier(verifications, team, workspaces, authorize.client_of, now)
    jobs: list[Job] = [
        (RUN_SECONDS, rounds.run),
        (LOOK_UP_SECONDS, patrol.run),
        (VERIFY_SECONDS, verifier.run),
        (COURIER_SECONDS, courier.run),
        (RUN_SECONDS, notices.run),
        *tokens.jobs,
        (WEEK_SECONDS, partial(_begin_week, people, now)),
        (PRUNE_SECONDS, lambda: _prune(engine, workspaces, keepings, people, now)),
    ]
    front_door = FrontDoor(intake, given.signing_secret, metrics) if given.signing_secret else None
    opener = slack_client(settings)
    socket_mode = SocketMode(intake.take, opener, given.app_token, sleep) if given.app_token else None
    return Bot(
        engine,
        guide,
        people,
        team,
        feedback,
        workspaces,
        inbox,
        worker,
        rounds,
        patrol,
        courier,
        verifier,
        notices,
        standings,
        Timers(jobs, regularly, now),
        Timers([*authorize.jobs, (CATCH_UP_SECONDS, standings.catch_up)], regularly, now),
        tasks,
        authorize,
        intake,
        front_door,
        tokens.install,
        socket_mode,
        (*tokens.clients, per_request, opener),
        sleep,
        work,
        metrics,
        MetricsSite(metrics, lambda: inbox.depth(now()), asks.counts, settings.metrics_port, settings.metrics_host),
        FileLock(file) if file is not None else None,
    )


async def _begin_week(people: SqlPeople, now: Callable[[], datetime]) -> None:
    await people.begin_week(now())


async def _prune(
    engine: AsyncEngine,
    workspaces: SqlWorkspaces,
    keepings: SqlKeepings,
    people: SqlPeople,
    now: Callable[[], datetime],
) -> None:
    await workspaces.prune(now())
    while await people.erase_left(now()):
        pass
    await keepings.prune(now())
    await prune_forgettings(engine, now())
    await prune_namings(engine, now())


def open_database(settings: Settings, *, mapped: bool = False) -> AsyncEngine:
    """Open the database with the keys for what is encrypted in it; see ``open_engine``.

    Raises SettingsError where the address or the keys can't work.
    """
    try:
        file = sqlite_file(settings.database)
        if settings.encryption_keys is not None:
            keys = Keys(settings.encryption_keys.get_secret_value().split(","))
        elif file is not None:
            keys = keys_beside(file)
        elif settings.database.startswith("sqlite"):
            keys = Keys([new_key()])
        else:
            raise SettingsError(
                "With PostgreSQL, ENCRYPTION_KEYS is needed: it encrypts what people write while it waits. "
                f"Make a key with: {MAKE_KEY}"
            )
        return open_engine(settings.database, keys, mapped=mapped)
    except (ValueError, KeysError) as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise unusable(settings.database, error) from error
