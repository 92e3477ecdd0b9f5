"""Slack's Web API and response_url over one workspace, as an aiohttp application that records every call."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

from .arguments import SlackError
from .manifest import SCOPES
from .methods import METHODS, new_message, rewrite
from .oauth import ACCESS, OAuth
from .workspace import JSON, RESPONSE_URL_USES, Message, ResponseUrl, Workspace

OPEN = "apps.connections.open"
"""The one method that an app-level token is for."""
RESPONSE_URL = "response_url"
"""What a request to such an address is called among the calls, and where it is to fail."""
HTML_500 = "<!DOCTYPE html><html><head><title>Server Error | Slack</title></head><body>Server Error</body></html>"
MAX_BODY = 4 * 1024 * 1024


@dataclass(slots=True)
class Call:
    """One request of the bot: what it asked, what it was answered, how long that took."""

    method: str
    arguments: JSON
    status: int
    answer: JSON
    milliseconds: float
    at: float = field(default_factory=time.time)
    """When it was answered, seconds since 1970."""

    @property
    def error(self) -> str | None:
        """Return Slack's error code, None where the call went well."""
        return None if self.answer.get("ok") else str(self.answer.get("error", self.status))

    @property
    def messages(self) -> list[str]:
        """Return the lines that explain a refusal."""
        found: list[str] = (self.answer.get("response_metadata") or {}).get("messages", [])
        return found

    def __str__(self) -> str:
        """Return the call in one line, for people."""
        about = [self.arguments[name] for name in ("channel", "user", "user_id", "view_id") if name in self.arguments]
        text = str(self.arguments.get("text", ""))
        words = [*map(str, about), repr(text[:60] + "…" if len(text) > 60 else text)] if text else map(str, about)
        outcome = "ok" if self.error is None else " ".join([self.error, *self.messages])
        return f"{self.method} {' '.join(words)} -> {outcome} ({self.milliseconds:.1f} ms)"


@dataclass(slots=True)
class Fault:
    """A misbehaviour that was asked for: the next `times` calls of `method` get it."""

    method: str
    kind: Literal["ratelimited", "http_error", "hang", "error", "lost"]
    times: int = 1
    status: int = 200
    retry_after: int = 1
    error: str = ""
    seconds: float = 0.0


@dataclass(slots=True)
class SlackApi:
    """Answer the bot's calls; `app()` is what a server serves."""

    workspace: Workspace
    token: str
    scopes: tuple[str, ...] = SCOPES
    app_token: str = ""
    open_connection: Callable[[], str] = lambda: ""
    calls: list[Call] = field(default_factory=list)
    faults: deque[Fault] = field(default_factory=deque)
    dead_tokens: dict[str, str] = field(default_factory=dict)
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    oauth: OAuth = field(init=False)

    def __post_init__(self) -> None:
        """Make what hands out tokens."""
        self.oauth = OAuth(self.workspace, self.scopes)

    def app(self) -> web.Application:
        """Build the aiohttp application."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_post("/response/{id}", self._respond)
        app.router.add_get("/oauth/v2/authorize", self.oauth.authorize)
        return app

    async def _call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        started = time.perf_counter()
        arguments: JSON = {}
        headers: dict[str, str] = {}
        try:
            arguments = await read_arguments(request)
        except SlackError as refusal:
            answer, status = refusal_json(refusal), 200
        else:
            answer, status, headers = await self._answer(method, arguments, request.headers.get("Authorization", ""))
        milliseconds = (time.perf_counter() - started) * 1000
        self.calls.append(Call(method, arguments, status, answer, milliseconds))
        self.workspace.changed()
        if self._next_fault(method, lost=True) is not None and request.transport is not None:
            request.transport.abort()
        if status >= 500:
            return web.Response(status=status, text=HTML_500, content_type="text/html")
        return web.json_response(answer, status=status, headers=headers)

    async def _answer(self, method: str, arguments: JSON, authorization: str) -> tuple[JSON, int, dict[str, str]]:
        headers = {"x-oauth-scopes": ",".join(self.scopes)}
        try:
            if (failed := await self._misbehave(method)) is not None:
                return failed
            if method == ACCESS:
                return {"ok": True, **self.oauth.access(arguments, authorization)}, 200, {}
            self._authorize(arguments.pop("token", ""), authorization, method)
            if method == OPEN:
                return {"ok": True, "url": self.open_connection()}, 200, {}
            known = METHODS.get(method)
            if known is None:
                raise SlackError("unknown_method", req_method=method)
            if known.scopes and not set(known.scopes) & set(self.scopes):
                raise SlackError("missing_scope", needed=known.scopes[0], provided=",".join(self.scopes))
            return {"ok": True, **known.run(self.workspace, arguments)}, 200, headers
        except SlackError as refusal:
            return refusal_json(refusal), 200, headers

    async def _misbehave(self, method: str) -> tuple[JSON, int, dict[str, str]] | None:
        """Fail as was asked for; None where the call goes on, perhaps late."""
        fault = self._next_fault(method)
        if fault is None:
            return None
        if fault.kind == "http_error":
            return {"ok": False, "error": "server_error"}, fault.status, {}
        if fault.kind == "ratelimited":
            return {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(fault.retry_after)}
        if fault.kind == "error":
            raise SlackError(fault.error)
        await self._hang(fault.seconds)
        return None

    def _next_fault(self, method: str, *, lost: bool = False) -> Fault | None:
        for fault in self.faults:
            if (fault.kind == "lost") is not lost:
                continue
            if fault.method == method or (fault.method == "*" and method != RESPONSE_URL):
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    async def _hang(self, seconds: float) -> None:
        """Keep the bot waiting; closing the workspace ends it early."""
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            pass

    def _authorize(self, in_body: str, authorization: str, method: str) -> None:
        token = authorization.removeprefix("Bearer ").strip() or in_body
        right, wrong = (self.app_token, self.token) if method == OPEN else (self.token, self.app_token)
        if not token and method == "api.test":
            return
        if not token:
            raise SlackError("not_authed")
        if token in self.dead_tokens:
            raise SlackError(self.dead_tokens[token])
        if token == wrong:
            raise SlackError("not_allowed_token_type")
        if token != right and (method == OPEN or token not in self.oauth.tokens):
            raise SlackError("invalid_auth")

    async def _respond(self, request: web.Request) -> web.Response:
        started = time.perf_counter()
        known = self.workspace.response_urls.get(request.match_info["id"])
        arguments: JSON = {}
        headers: dict[str, str] = {}
        try:
            arguments = await read_arguments(request)
            failed = await self._misbehave(RESPONSE_URL)
            answer, status, headers = failed or (*self._respond_to(known, arguments), {})
        except SlackError as refusal:
            answer, status = refusal_json(refusal), 400
        milliseconds = (time.perf_counter() - started) * 1000
        self.calls.append(Call(RESPONSE_URL, arguments, status, answer, milliseconds))
        self.workspace.changed()
        if status >= 500:
            return web.Response(status=status, text=HTML_500, content_type="text/html")
        return web.Response(text="ok") if status == 200 else web.json_response(answer, status=status, headers=headers)

    def _respond_to(self, url: ResponseUrl | None, arguments: JSON) -> tuple[JSON, int]:
        if url is None or self.workspace.clock() > url.expires:
            return {"ok": False, "error": "expired_url"}, 404
        if url.uses >= RESPONSE_URL_USES:
            return {"ok": False, "error": "used_url"}, 404
        url.uses += 1
        try:
            url.posted.append(answer_interaction(self.workspace, url, arguments))
        except SlackError as refusal:
            return refusal_json(refusal), 400
        return {"ok": True}, 200


def answer_interaction(workspace: Workspace, url: ResponseUrl, arguments: JSON) -> Message:
    """Do what the body of a response_url request (or of the answer to a command) says; return the message."""
    source = url.message
    if arguments.get("delete_original") and source is not None:
        source.deleted = True
        workspace.changed(source)
        return source
    # Without replace_original the answer to a button is a new message beside the one it sits on.
    if arguments.get("replace_original") and source is not None and not source.deleted:
        rewrite(workspace, source, arguments)
        return source
    everybody = arguments.get("response_type") == "in_channel"
    if source is not None and source.thread_ts and not arguments.get("thread_ts") and not everybody:
        arguments = arguments | {"thread_ts": source.thread_ts}
    return new_message(workspace, url.channel, arguments, None if everybody else url.user)


def refusal_json(refusal: SlackError) -> JSON:
    """Return Slack's answer to a refused call."""
    answer: JSON = {"ok": False, "error": refusal.code, **refusal.more}
    if refusal.messages:
        answer["response_metadata"] = {"messages": refusal.messages}
    return answer


async def read_arguments(request: web.Request) -> JSON:
    """Collect a call's arguments from the query string and a form or JSON body.

    A token is taken from a header or a form: one in an address or in JSON is none to Slack.
    """
    arguments: JSON = {name: value for name, value in request.query.items() if name != "token"}
    if request.content_type == "application/json":
        try:
            body = json.loads(await request.read() or b"{}")
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        return arguments | {name: value for name, value in body.items() if name != "token"}
    if request.can_read_body:
        arguments |= {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return arguments
