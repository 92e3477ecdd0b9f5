"""The workspace in a browser: the page's files, its stream, and what a person does there."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from .forms import NotOffered, fields, find_field
from .slack import LocalSlack
from .stream import Follower, Step
from .typed import as_sent
from .workspace import JSON, Member, Message, View

PAGE = Path(__file__).with_name("page")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No request leaves the machine, whatever a message holds."""
Reset = Callable[[], Awaitable[None]]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Values = dict[str, str | list[str] | None]


class Asked(BaseModel):
    """What every action of the page holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Command(Asked):
    """Type a slash command."""

    user: str
    channel: str
    text: str


class Say(Asked):
    """Post a message."""

    user: str
    channel: str
    text: str
    thread_ts: str | None = None


class Surface(Asked):
    """Name a message, or a view."""

    channel: str | None = None
    ts: str | None = None
    view: str | None = None


class Press(Asked):
    """Press a button, or choose in a menu."""

    user: str
    surface: Surface
    block_id: str
    action_id: str
    value: str | None = None
    selected: str | list[str] | None = None
    entered: Values = {}


class Suggest(Asked):
    """Type into an external select."""

    user: str
    surface: Surface
    action_id: str
    typed: str


class Submit(Asked):
    """Submit a modal."""

    user: str
    view: str
    values: Values = {}


class Close(Asked):
    """Close a modal, or all of them."""

    user: str
    view: str | None = None
    everything: bool = False


class Home(Asked):
    """Open a tab of the app."""

    user: str
    tab: Literal["home", "messages"] = "home"


class Shortcut(Asked):
    """Use a global shortcut."""

    user: str
    callback_id: str


class MessageShortcut(Shortcut):
    """Use a shortcut on a message."""

    channel: str
    ts: str


class Join(Asked):
    """Add a member."""

    name: Name
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    tz: str = "Etc/UTC"


class Empty(Asked):
    """Ask for something that needs no more words."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Serve the page over one workspace; `reset` empties what the bot keeps."""

    slack: LocalSlack
    steps: Sequence[Step] = ()
    reset: Reset | None = None

    def add_to(self, app: web.Application) -> None:
        """Add the page's addresses to the workspace's site."""
        for member in self.slack.workspace.members:
            self.slack.dm(member)
        router = app.router
        router.add_get("/", self._file)
        router.add_get("/page/stream", self._stream)
        router.add_get("/page/{file:.+}", self._file)
        router.add_post("/page/{action}", self._act)

    # What the browser reads

    async def _file(self, request: web.Request) -> web.StreamResponse:
        _from_here(request)
        file = (PAGE / request.match_info.get("file", "index.html")).resolve()
        if not file.is_relative_to(PAGE) or not file.is_file():
            raise web.HTTPNotFound(text="There is no such file.")
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return web.FileResponse(file, headers=headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        _from_here(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        slack = self.slack
        follower = Follower(
            slack.workspace,
            slack.deliveries,
            slack.calls,
            slack.slash_commands,
            slack.shortcuts,
            self.steps,
            slack.api.closing,
        )
        try:
            async for news in follower.stream():
                await response.write(news)
        except ConnectionResetError:
            # The page is gone: that is how a stream ends.
            return response
        return response

    # What a person does

    async def _act(self, request: web.Request) -> web.Response:
        _from_here(request)
        known = self._actions().get(request.match_info["action"])
        if known is None:
            raise web.HTTPNotFound(text="There is no such action.")
        shape, act = known
        if request.content_type != "application/json":
            # A form of another site can't send this type without asking first.
            raise web.HTTPUnsupportedMediaType(text="Send JSON.")
        try:
            return web.json_response(await act(shape.model_validate_json(await request.read())))
        except ValidationError as error:
            wrong = ", ".join(sorted({".".join(map(str, detail["loc"])) or "body" for detail in error.errors()}))
            return web.json_response({"error": f"Not understood: {wrong}"}, status=400)
        except NotOffered as error:
            return web.json_response({"error": str(error.args[0])}, status=404)

    def _actions(self) -> dict[str, tuple[type[Asked], Callable[..., Awaitable[JSON]]]]:
        return {
            "command": (Command, self._command),
            "say": (Say, self._say),
            "press": (Press, self._press),
            "suggest": (Suggest, self._suggest),
            "submit": (Submit, self._submit),
            "close": (Close, self._close),
            "home": (Home, self._home),
            "shortcut": (Shortcut, self._shortcut),
            "message_shortcut": (MessageShortcut, self._message_shortcut),
            "join": (Join, self._join),
            "reset": (Empty, self._reset),
        }

    async def _command(self, asked: Command) -> JSON:
        name, _, rest = asked.text.strip().partition(" ")
        if name not in {command["command"] for command in self.slack.slash_commands}:
            return {"error": f"{name} is not a valid command"}
        text = as_sent(self.slack.workspace, rest, named=True)
        outcome = await self.slack.command(asked.user, f"{name} {text}", asked.channel)
        return {"error": outcome.error}

    async def _say(self, asked: Say) -> JSON:
        text = as_sent(self.slack.workspace, asked.text)
        if not text.strip():
            raise NotOffered("There is nothing to send.")
        posted = await self.slack.say(asked.user, text, asked.channel, asked.thread_ts)
        return {"ts": posted.ts}

    async def _press(self, asked: Press) -> JSON:
        place = self._surface(asked.user, asked.surface)
        outcome = await self.slack.press(
            asked.user,
            place,
            asked.action_id,
            value=asked.value,
            selected=asked.selected,
            block_id=_block_of(place, asked),
            entered=_still_there(place, asked.entered),
        )
        return {"error": outcome.error}

    async def _suggest(self, asked: Suggest) -> JSON:
        surface = self._surface(asked.user, asked.surface)
        return await self.slack.search(asked.user, surface, asked.action_id, asked.typed)

    async def _submit(self, asked: Submit) -> JSON:
        outcome = await self.slack.submit(asked.user, self._view(asked.user, asked.view), asked.values)
        return {"errors": outcome.errors, "error": outcome.error}

    async def _close(self, asked: Close) -> JSON:
        open_ids = {view.id for view in self.slack.workspace.modals.get(asked.user, [])}
        if asked.view is not None and asked.view not in open_ids:
            # Closed by its submission, or by the bot, while the person did.
            return {}
        await self.slack.close(asked.user, everything=asked.everything)
        return {}

    async def _home(self, asked: Home) -> JSON:
        await self.slack.home_opened(asked.user, asked.tab)
        return {}

    async def _shortcut(self, asked: Shortcut) -> JSON:
        return {"error": (await self.slack.shortcut(asked.user, asked.callback_id)).error}

    async def _message_shortcut(self, asked: MessageShortcut) -> JSON:
        message = self._message(asked.user, asked.channel, asked.ts)
        return {"error": (await self.slack.message_shortcut(asked.user, asked.callback_id, message)).error}

    async def _join(self, asked: Join) -> JSON:
        try:
            ZoneInfo(asked.tz)
        except (KeyError, ValueError, OSError):
            raise NotOffered(f"There is no time zone {asked.tz!r}; write one as Europe/Berlin.") from None
        member = Member(f"U0{secrets.token_hex(4).upper()}", asked.name, asked.title, asked.tz)
        self.slack.workspace.add_members([member])
        self.slack.dm(member.id)
        self.slack.workspace.changed()
        return {"user": member.id}

    async def _reset(self, asked: Empty) -> JSON:
        if self.reset is not None:
            await self.reset()
        self.slack.reset()
        return {}

    # What a person points at

    def _surface(self, user: str, surface: Surface) -> Message | View:
        if surface.view is not None:
            return self._view(user, surface.view)
        return self._message(user, surface.channel or "", surface.ts or "")

    def _message(self, user: str, channel: str, ts: str) -> Message:
        found = self.slack.workspace.find(channel, ts)
        if found is None or not found.visible_to(user):
            raise NotOffered("This message is gone.")
        return found

    def _view(self, user: str, view_id: str) -> View:
        home = self.slack.workspace.homes.get(user)
        shown = [*self.slack.workspace.modals.get(user, []), *([home] if home else [])]
        found = next((view for view in shown if view.id == view_id), None)
        if found is None:
            raise NotOffered("This form is closed.")
        return found


def _block_of(place: Message | View, asked: Press) -> str | None:
    """Return the block of what is pressed; None where it has another name by now, and action_id alone tells.

    The bot names blocks anew each time it draws them: the Home tab whenever it is opened, even while somebody presses.
    """
    try:
        find_field(place.blocks, asked.action_id, asked.block_id, asked.value)
    except NotOffered:
        return None
    return asked.block_id


def _still_there(place: Message | View, entered: Values) -> Values:
    """Return what was entered in blocks that have the same name still; what stood in others is gone with them."""
    names = {f"{field.block_id}/{field.action_id}" for field in fields(place.blocks)}
    return {name: value for name, value in entered.items() if name in names}


def _from_here(request: web.Request) -> None:
    """Refuse what another site makes a browser ask: the workspace is for pages of its own address.

    The name in Host is checked too, against a foreign name that is made to lead to this machine (DNS rebinding).
    """
    host = urlsplit(f"//{request.host}").hostname
    origin = request.headers.get("Origin")
    if host not in LOOPBACK or (origin is not None and urlsplit(origin).netloc != request.host):
        raise web.HTTPForbidden(text="The local workspace answers its own page only.")
