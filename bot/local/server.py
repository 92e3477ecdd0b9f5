"""The workspace as a server on loopback: starting, stopping, misbehaving on demand, and what was seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from . import payloads, shapes
from .delivery import DEADLINE_SECONDS, Attempt, Delivery, EventDelivery, Sleep
from .forms import NotOffered
from .manifest import SCOPES, SHORTCUTS, SLASH_COMMANDS
from .oauth import OAuth
from .slack_api import Call, Fault, SlackApi
from .socket_mode import SocketDelivery, Sockets, close, link
from .team import CHANNELS, demo_members
from .workspace import JSON, Channel, Clock, Member, Message, Workspace


class LocalServer:
    """Run a workspace on a free loopback port, and tell what happened in it; enter it with `async with`.

    The bot is pointed at `api_url`, and `bot_url` at the bot.
    """

    def __init__(
        self,
        *,
        signing_secret: str = "local-signing-secret",  # noqa: S107 - guards nothing but loopback
        bot_token: str = "xoxb-local-token",  # noqa: S107
        clock: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
        members: Sequence[Member] | None = None,
        channels: Sequence[Channel] = CHANNELS,
        scopes: Sequence[str] = SCOPES,
        slash_commands: Sequence[JSON] = SLASH_COMMANDS,
        shortcuts: Sequence[JSON] = SHORTCUTS,
        enterprise_id: str | None = None,
        deadline: float = DEADLINE_SECONDS,
        timeout: float = 5.0,
        port: int = 0,
        echo: bool = False,
        socket_mode: bool = False,
        validate: bool = True,
        app_token: str = "xapp-local-token",  # noqa: S107
    ) -> None:
        """Prepare the workspace.

        `clock` rules triggers, response urls and timestamps; `sleep` is what a retry waits with; `deadline` is how
        long the bot may take to answer; `timeout` how long the waiting methods wait. With `echo` the bot is sent
        its own direct messages as events, as Slack does. With `socket_mode` everything reaches the bot over the
        connections that it opens with `app_token`, and nothing is posted to it. `slash_commands` and `shortcuts` are
        what the page offers to a person, as a manifest has them. Without `validate` blocks and views are not looked
        at, for load.
        """
        self.signing_secret = signing_secret
        self.bot_token = bot_token
        self.app_token = app_token
        self.workspace = Workspace(clock=clock, enterprise_id=enterprise_id, validate=validate)
        self.slash_commands, self.shortcuts = slash_commands, shortcuts
        self._members = tuple(demo_members() if members is None else members)
        self.workspace.add_members(self._members)
        for channel in channels:
            # A copy: the default channels are shared by every workspace of the process.
            self.workspace.add_channel(Channel(channel.id, channel.name, channel.private, channel.archived))
            self.workspace.channels[channel.id].bot_member = channel.bot_member
        self.sockets = Sockets(self.workspace, enabled=socket_mode)
        self.api = SlackApi(self.workspace, bot_token, tuple(scopes), app_token, self._link)
        self.timeout = timeout
        self._sleep, self._deadline, self._port = sleep, deadline, port
        self._runner: web.AppRunner | None = None
        self._delivery: Delivery | None = None
        self._bot_url = ""
        self._origin = ""
        self._echoes: set[asyncio.Task[EventDelivery]] = set()
        self._parts: list[Callable[[web.Application], None]] = []
        if echo:
            self.workspace.on_bot_dm = self._echo

    async def __aenter__(self) -> Self:
        """Start listening."""
        app = self.api.app()
        link(self.sockets, app)
        for add_part in self._parts:
            add_part(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        host, port = runner.addresses[0][:2]
        self._origin = f"http://{host}:{port}"
        self._runner = runner
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        kind = partial(SocketDelivery, sockets=self.sockets) if self.sockets.enabled else Delivery
        self._delivery = kind(
            self.signing_secret,
            session,
            self._bot_url,
            deadline=self._deadline,
            sleep=self._sleep,
            on_attempt=self.workspace.changed,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop: end what hangs, drop pending retries, close the port."""
        self.api.closing.set()
        self.workspace.changed()
        if self._delivery is not None:
            pending = [*self._delivery.retries, *self._echoes]
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            await self._delivery.session.close()
        await close(self.sockets)
        if self._runner is not None:
            await self._runner.cleanup()

    def also_serve(self, add_part: Callable[[web.Application], None]) -> None:
        """Let `add_part` add addresses to the site, before it is entered."""
        self._parts.append(add_part)

    def reset(self) -> None:
        """Put the workspace back to its start: nothing said, nothing open, its first members, no requests seen."""
        self.calls.clear()
        self.deliveries.clear()
        self.workspace.members = {member.id: member for member in self._members}
        self.workspace.clear()

    # What the bot and the test need to know

    @property
    def page_url(self) -> str:
        """Return the address of the page."""
        return f"{self._origin}/"

    @property
    def api_url(self) -> str:
        """Return the base of the Web API, the bot's SLACK_API_URL."""
        return f"{self._origin}/api/"

    @property
    def bot_url(self) -> str:
        """Return the bot's request address."""
        return self._bot_url

    @bot_url.setter
    def bot_url(self, url: str) -> None:
        self._bot_url = url
        if self._delivery is not None:
            self._delivery.url = url

    def _link(self) -> str:
        return f"ws{self._origin.removeprefix('http')}{self.sockets.new_ticket()}"

    @property
    def deadline(self) -> float:
        """Return how many seconds the bot may take to answer."""
        return self._out.deadline

    @deadline.setter
    def deadline(self, seconds: float) -> None:
        self._out.deadline = seconds

    @property
    def bot_user(self) -> str:
        """Return the bot's user id."""
        return self.workspace.bot.id

    @property
    def calls(self) -> list[Call]:
        """Return every Web API call and response_url request of the bot, oldest first."""
        return self.api.calls

    @property
    def refused(self) -> list[Call]:
        """Return the calls that were answered with an error."""
        return [call for call in self.calls if call.error]

    @property
    def deliveries(self) -> list[Attempt]:
        """Return every request made to the bot."""
        return self._out.attempts

    @property
    def _out(self) -> Delivery:
        if self._delivery is None:
            raise RuntimeError("enter LocalSlack with `async with` first")
        return self._delivery

    def called(self, method: str) -> list[Call]:
        """Return the calls of one method."""
        return [call for call in self.calls if call.method == method]

    def fail(
        self,
        method: str,
        *,
        status: int | None = None,
        retry_after: int = 1,
        error: str | None = None,
        hang: float | None = None,
        lost: bool = False,
        times: int = 1,
    ) -> None:
        """Make the next `times` calls of `method` ("*": of any) fail: 429, a 5xx page, an error code, or slowness.

        ``lost``: the call is done, and its connection cut before the answer.
        """
        if hang is not None:
            fault = Fault(method, "hang", times, seconds=hang)
        elif lost:
            fault = Fault(method, "lost", times)
        elif error is not None:
            fault = Fault(method, "error", times, error=error)
        elif status == 429:
            fault = Fault(method, "ratelimited", times, retry_after=retry_after)
        elif status is not None and status >= 500:
            fault = Fault(method, "http_error", times, status=status)
        else:
            raise ValueError("name one of: status=429, status=5xx, error=..., hang=..., lost=True")
        self.api.faults.append(fault)

    def revoke_token(self, error: str = "token_revoked") -> None:
        """Make the bot's token, however it got it, answer `error` from now on (token_revoked, account_inactive, …)."""
        for token in (self.bot_token, *self.api.oauth.tokens):
            self.api.dead_tokens[token] = error

    @property
    def oauth(self) -> OAuth:
        """Return what installs the app: its client id and secret, and how it answers."""
        return self.api.oauth

    def channel(self, name: str) -> str:
        """Return the id of a channel by its name."""
        for channel in self.workspace.channels.values():
            if name.lstrip("#") in (channel.name, channel.id) and not channel.is_dm:
                return channel.id
        raise NotOffered(f"no channel {name!r}")

    def dm(self, user: str) -> str:
        """Return the id of a member's direct messages with the bot."""
        return self.workspace.dm(user).id

    def messages(self, channel: str, user: str | None = None) -> list[Message]:
        """Return what `user` sees in a channel (without one: everything that was not deleted)."""
        here = [m for m in self.workspace.messages if m.channel == channel and not m.deleted]
        return [m for m in here if user is None or m.visible_to(user)]

    def notified(self, message: Message) -> set[str]:
        """Return the ids of the people whom a message mentions, and so notifies."""
        return shapes.mentions([message.text, message.blocks])

    def replies(self, posted: Message) -> list[Message]:
        """Return what the bot answered to a message so far, in its thread or direct messages."""
        every = self.workspace.messages
        after = every[next(i for i, m in enumerate(every) if m is posted) + 1 :]
        dm = self.workspace.channels[posted.channel].is_dm
        root = posted.thread_ts or posted.ts
        threads = {root, None} if dm and posted.thread_ts is None else {root}
        here = [m for m in after if m.from_bot and m.channel == posted.channel and not m.deleted]
        return [m for m in here if m.thread_ts in threads]

    async def wait_for_reply(self, posted: Message, within: float | None = None) -> Message:
        """Return the bot's first answer to a message in its thread or direct messages; wait for it."""
        return await self.workspace.wait_until(
            lambda: next(iter(self.replies(posted)), None),
            within or self.timeout,
            f"an answer to {posted.text!r}; the bot's last calls: {[str(c) for c in self.calls[-3:]]}",
        )

    async def wait_for_call(self, method: str, count: int = 1, within: float | None = None) -> Call:
        """Return the `count`th call of a method as soon as the bot has made it."""
        return await self.workspace.wait_until(
            lambda: self.called(method)[count - 1] if len(self.called(method)) >= count else None,
            within or self.timeout,
            f"call {count} of {method}",
        )

    def _echo(self, message: Message) -> None:
        event = payloads.message_event(self.workspace, message, "message")
        envelope = payloads.envelope(self.workspace, event, self.workspace.new_id("Ev"))
        task = asyncio.create_task(self._out.event(envelope))
        self._echoes.add(task)
        task.add_done_callback(self._echoes.discard)
