"""Build the bot: the only place that chooses real parts."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.authorize import TokenAuthorize
from bot.intake import Intake
from bot.server import MOST_BYTES, FrontDoor
from bot.settings import Settings, SettingsError
from bot.tasks import Tasks
from bot.worker import Worker
from handlers import register
from knowledge.guide import Guide, load_guide
from knowledge.ports import People, Threads
from storage.database import head_version, migrate, open_engine, schema_version
from storage.inbox import SqlInbox
from storage.people import SqlPeople
from storage.threads import SqlThreads

logger = logging.getLogger(__name__)
SLACK_SECONDS = 10
DRAIN_SECONDS = 8.0
Sleep = Callable[[float], Awaitable[None]]


@dataclass
class Bot:
    """Hold the parts of a running bot."""

    engine: AsyncEngine
    guide: Guide
    people: SqlPeople
    inbox: SqlInbox
    worker: Worker
    tasks: Tasks
    authorize: TokenAuthorize
    intake: Intake
    front_door: FrontDoor
    sleep: Sleep

    async def start(self) -> None:
        """Bring the schema up to date, take up waiting events, and ask Slack who the bot is."""
        async with self.engine.connect() as connection:
            current = await schema_version(connection)
        if current != head_version():
            await migrate(self.engine)
        await self.worker.start()
        self.tasks.start(self.authorize.identify(self.sleep))

    async def stop(self) -> None:
        """Finish what is under way within a deadline, and close the database."""
        await self.worker.stop(DRAIN_SECONDS)
        await self.tasks.finish(1.0)
        await self.engine.dispose()

    def site(self) -> web.Application:
        """Return the web application."""
        site = web.Application(client_max_size=MOST_BYTES)
        site.router.add_post("/slack/events", self.front_door.receive)
        site.router.add_get("/healthz", self._alive)
        site.router.add_get("/readyz", self._ready)
        return site

    async def _alive(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        try:
            async with self.engine.connect() as connection:
                current = await schema_version(connection)
        except Exception:
            logger.exception("readyz: the database does not answer")
            return web.json_response({"database": "unreachable", "slack": self.authorize.state}, status=503)
        ready = current == head_version()
        state = {"database": "ok" if ready else "migrations missing", "slack": self.authorize.state}
        return web.json_response(state, status=200 if ready else 503)


def build_app(
    settings: Settings,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    rng: random.Random | None = None,
    sleep: Sleep = asyncio.sleep,
    make_guide: Callable[[People, Threads, Callable[[], datetime]], Guide] = load_guide,
) -> Bot:
    """Make every part for these settings; time, chance, waiting and a guide read before can be given by tests.

    Raises SettingsError where credentials or the database address can't work.
    """
    if settings.slack_bot_token is None or settings.slack_signing_secret is None:
        raise SettingsError("SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET are both needed to serve Slack over HTTP.")
    try:
        engine = open_engine(settings.database)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    token = settings.slack_bot_token.get_secret_value()
    client = slack_client(settings, token)
    authorize = TokenAuthorize(client, token)
    people = SqlPeople(engine, rng or random.SystemRandom())
    guide = make_guide(people, SqlThreads(engine), now)
    tasks = Tasks()
    bolt = AsyncApp(
        # Without a token: Bolt makes a client with the authorized one for each request.
        client=slack_client(settings),
        authorize=authorize.authorize,
        # The listener runs before the response; Bolt's own runner would poll for the ack every 10 ms.
        process_before_response=True,
        # The front door has done all three.
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
    )
    register(bolt, guide=guide, people=people, later=tasks.start, now=now)
    inbox = SqlInbox(engine)
    worker = Worker(inbox, bolt, client, sleep)
    intake = Intake(bolt, inbox, worker, tasks, client, now)
    front_door = FrontDoor(intake, settings.slack_signing_secret.get_secret_value())
    return Bot(engine, guide, people, inbox, worker, tasks, authorize, intake, front_door, sleep)


def slack_client(settings: Settings, token: str | None = None) -> AsyncWebClient:
    """Make a client for Slack's Web API."""
    url = settings.slack_api_url if settings.slack_api_url.endswith("/") else f"{settings.slack_api_url}/"
    trust = ssl.create_default_context(cafile=settings.ssl_cert_file) if settings.ssl_cert_file else None
    return AsyncWebClient(token=token, base_url=url, timeout=SLACK_SECONDS, proxy=settings.https_proxy, ssl=trust)
