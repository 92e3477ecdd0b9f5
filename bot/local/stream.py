"""What the page is told: the whole workspace at first, then each change, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qs

from . import shapes
from .delivery import FORM_TYPE, Attempt
from .slack_api import Call
from .workspace import JSON, Channel, Member, Message, View, Workspace

TRACES = 200
"""How many earlier requests a page sees."""
BEAT_SECONDS = 15.0
BEAT = b": still here\n\n"
Event = tuple[str, JSON]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One of the first steps that the page proposes.

    It is done once a request to the bot is called `request`, contains `contains`, and is of `user` (None: anybody).
    `fill` is what "show me" puts into the composer, `user` and `channel` where it does.
    """

    id: str
    title: str
    hint: str
    request: str
    contains: str
    fill: str | None = None
    user: str | None = None
    channel: str | None = None

    def as_json(self) -> JSON:
        """Return the step as the page reads it."""
        return {
            "id": self.id,
            "title": self.title,
            "hint": self.hint,
            "as": self.user,
            "channel": self.channel,
            "fill": self.fill,
            "done": {"name": self.request, "contains": self.contains, "user": self.user},
        }


@dataclass(slots=True)
class Follower:
    """Tell one page what is new in a workspace; `attempts` and `calls` are the requests both ways.

    Once `closing` is set, the next change ends the stream: a workspace that stops does not wait for open pages.
    """

    workspace: Workspace
    attempts: Sequence[Attempt]
    calls: Sequence[Call]
    commands: Sequence[JSON] = ()
    shortcuts: Sequence[JSON] = ()
    steps: Sequence[Step] = ()
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    beat: float = BEAT_SECONDS
    _generation: int = -1
    _touched: int = 0
    _attempts: int = 0
    _calls: int = 0
    _members: set[str] = field(default_factory=set)
    _channels: set[str] = field(default_factory=set)
    _modals: dict[str, list[str]] = field(default_factory=dict)
    _homes: dict[str, str] = field(default_factory=dict)

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the bytes of a text/event-stream for as long as they are asked for, or until the workspace closes."""
        while not self.closing.is_set():
            change = self.workspace.next_change()
            if news := self.news():
                yield b"".join(f"event: {name}\ndata: {json.dumps(body)}\n\n".encode() for name, body in news)
            try:
                async with asyncio.timeout(self.beat):
                    await change.wait()
            except TimeoutError:
                yield BEAT

    def news(self) -> list[Event]:
        """Return what happened since the last call; at first, and after the workspace was emptied, its state."""
        if self._generation != self.workspace.generation:
            return [("state", self._state())]
        touched = self.workspace.touched[self._touched :]
        self._touched += len(touched)
        # Once each, as it is now: between two looks a message may have changed more than once.
        changed = {id(message): message for message in touched}.values()
        return [
            *(("member", body) for body in self._new_members()),
            *(("channel", body) for body in self._new_channels()),
            *(("message", message_json(message)) for message in changed),
            *(("modals", {"user": user, "views": views}) for user, views in self._changed_modals().items()),
            *(("home", {"user": user, "view": view}) for user, view in self._changed_homes().items()),
            *(("trace", body) for body in self._traces()),
        ]

    def _state(self) -> JSON:
        workspace = self.workspace
        self._generation, self._touched = workspace.generation, len(workspace.touched)
        self._attempts, self._calls = max(0, len(self.attempts) - TRACES), max(0, len(self.calls) - TRACES)
        for known in (self._members, self._channels, self._modals, self._homes):
            known.clear()
        return {
            "team": {"id": workspace.team_id, "name": workspace.team_name},
            "bot": {"id": workspace.bot.id, "name": workspace.bot.name},
            "general": next((c.id for c in workspace.channels.values() if c.name == "general"), None),
            "members": self._new_members(),
            "channels": self._new_channels(),
            "commands": list(self.commands),
            "shortcuts": list(self.shortcuts),
            "messages": [message_json(message) for message in workspace.messages if not message.deleted],
            "modals": self._changed_modals(),
            "homes": self._changed_homes(),
            "steps": [step.as_json() for step in self.steps],
            "trace": self._traces()[-TRACES:],
        }

    def _new_members(self) -> list[JSON]:
        return [member_json(self.workspace, member) for member in _new(self.workspace.members, self._members)]

    def _new_channels(self) -> list[JSON]:
        return [channel_json(channel) for channel in _new(self.workspace.channels, self._channels)]

    def _changed_modals(self) -> dict[str, list[JSON]]:
        stacks = self.workspace.modals
        now = {user: [view.hash for view in views] for user, views in stacks.items()}
        changed = {user for user, hashes in now.items() if hashes != self._modals.get(user, [])}
        self._modals = now
        return {user: [self._view(view) for view in stacks[user]] for user in sorted(changed)}

    def _changed_homes(self) -> dict[str, JSON]:
        homes = self.workspace.homes
        now = {user: view.hash for user, view in homes.items()}
        changed = {user for user, seen in now.items() if seen != self._homes.get(user)}
        self._homes = now
        return {user: self._view(homes[user]) for user in sorted(changed)}

    def _view(self, view: View) -> JSON:
        return shapes.view_json(self.workspace, view)

    def _traces(self) -> list[JSON]:
        attempts, calls = self.attempts[self._attempts :], self.calls[self._calls :]
        new = [attempt_json(attempt, self._attempts + number) for number, attempt in enumerate(attempts)]
        new += [call_json(call, self._calls + number) for number, call in enumerate(calls)]
        self._attempts, self._calls = self._attempts + len(attempts), self._calls + len(calls)
        return sorted(new, key=lambda trace: float(trace["at"]))


def _new(now: Mapping[str, T], known: set[str]) -> list[T]:
    fresh = [thing for id_, thing in now.items() if id_ not in known]
    known.update(now)
    return fresh


def member_json(workspace: Workspace, member: Member) -> JSON:
    """Return a member as the page draws them."""
    return {
        "id": member.id,
        "name": member.display_name or member.name,
        "handle": member.handle,
        "title": member.title,
        "tz": member.tz,
        "tz_offset": workspace.tz_offset(member.tz),
        "presence": member.presence,
        "status_text": member.status_text,
        "status_emoji": member.status_emoji,
        "deleted": member.deleted,
        "is_bot": member.is_bot,
        "guest": member.guest,
    }


def channel_json(channel: Channel) -> JSON:
    """Return a conversation as the page draws it."""
    return {
        "id": channel.id,
        "name": channel.name,
        "private": channel.private,
        "archived": channel.archived,
        "bot_member": channel.bot_member,
        "dm_with": channel.dm_with,
    }


def message_json(message: Message) -> JSON:
    """Return a message as the page draws it."""
    return {
        "channel": message.channel,
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": message.blocks,
        "thread_ts": message.thread_ts,
        "ephemeral_to": message.ephemeral_to,
        "from_bot": message.from_bot,
        "edited": message.edited_ts is not None,
        "deleted": message.deleted,
    }


def attempt_json(attempt: Attempt, number: int) -> JSON:
    """Return a request to the bot as "under the hood" shows it."""
    return {
        "id": f"to-{number}",
        "at": attempt.at,
        "way": "to the bot",
        "name": "slash_commands" if attempt.kind == "command" else attempt.kind,
        "status": attempt.status,
        "milliseconds": round(attempt.milliseconds, 1),
        "error": attempt.failure or None,
        "messages": [],
        "headers": dict(attempt.sent_headers),
        "sent": _read(attempt.sent, str(attempt.sent_headers.get("Content-Type", ""))),
        "answer": _read(attempt.text, str(attempt.headers.get("content-type", ""))),
        "retry": attempt.retry_number,
    }


def call_json(call: Call, number: int) -> JSON:
    """Return a call of the bot as "under the hood" shows it."""
    return {
        "id": f"from-{number}",
        "at": call.at,
        "way": "from the bot",
        "name": call.method,
        "status": call.status,
        "milliseconds": round(call.milliseconds, 1),
        "error": call.error,
        "messages": call.messages,
        "headers": {},
        "sent": call.arguments,
        "answer": call.answer,
        "retry": 0,
    }


def _read(body: str, content_type: str) -> object:
    """Return a body for people: what a form or JSON holds, else the text as it is."""
    if content_type.startswith(FORM_TYPE):
        form = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
        return _read(form["payload"], "") if set(form) == {"payload"} else form
    try:
        decoded: object = json.loads(body)
    except ValueError:
        return body
    return decoded
