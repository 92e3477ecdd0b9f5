"""The state of one Slack workspace, in memory: people, conversations, messages, views.

Nothing here speaks HTTP. The Web API (`slack_api`) and the person at the keyboard (`LocalSlack`) both change this
state; whoever waits for a change is woken by `Workspace.changed`, and `Workspace.touched` tells which messages changed.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

JSON = dict[str, Any]
Clock = Callable[[], float]
Status = Literal["active", "away", "ooo", "deactivated"]
Offered = dict[tuple[str, str, str], dict[str, JSON]]
"""What the bot offered to whom in an external select: by user, block and action id, each option by its value."""
T = TypeVar("T")

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass(slots=True)
class Member:
    """A person or a bot in the workspace."""

    id: str
    name: str
    title: str = ""
    tz: str = "Etc/UTC"
    display_name: str = ""
    deleted: bool = False
    is_bot: bool = False
    guest: bool = False
    admin: bool = False
    stranger: bool = False
    home: str = ""
    """The workspace of another company that they belong to; they are here by a channel that is shared with it."""
    presence: Literal["active", "away"] = "active"
    status_text: str = ""
    status_emoji: str = ""
    status_expiration: int = 0
    """When the status ends, in seconds; 0 for never."""
    dnd: bool = False
    """Whether it is within do-not-disturb of their schedule."""

    @property
    def handle(self) -> str:
        """Return the lower-case name that Slack calls `user_name`."""
        return ".".join(self.name.lower().split())

    @classmethod
    def from_entry(cls, entry: JSON) -> Member:
        """Read one entry of a team file (see demo_team.json)."""
        status: Status = entry.get("status", "active")
        away = status == "ooo"
        return cls(
            id=entry["id"],
            name=entry["name"],
            title=entry.get("title", ""),
            tz=entry.get("tz", "Etc/UTC"),
            deleted=status == "deactivated",
            is_bot=entry.get("bot", False),
            guest=entry.get("guest", False),
            admin=entry.get("admin", False),
            presence="active" if status == "active" else "away",
            status_text="Out of office" if away else "",
            status_emoji=":palm_tree:" if away else "",
        )


@dataclass(slots=True)
class Channel:
    """A conversation: a channel, or the direct messages of one member with the bot."""

    id: str
    name: str
    private: bool = False
    archived: bool = False
    bot_member: bool = True
    dm_with: str | None = None
    ext_shared: bool = False
    """Whether another company shares it (Slack Connect)."""

    @property
    def is_dm(self) -> bool:
        """Tell whether this is a direct message conversation."""
        return self.dm_with is not None


@dataclass(slots=True)
class Message:
    """What somebody posted; `ephemeral_to` names the only person who sees it, if it is ephemeral."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[JSON] = field(default_factory=list)
    thread_ts: str | None = None
    ephemeral_to: str | None = None
    from_bot: bool = False
    edited_ts: str | None = None
    deleted: bool = False
    metadata: JSON | None = None
    arguments: JSON = field(default_factory=dict, repr=False)
    offered: Offered = field(default_factory=dict, repr=False)

    def visible_to(self, user: str) -> bool:
        """Tell whether `user` sees the message (conversation membership apart)."""
        return not self.deleted and self.ephemeral_to in (None, user)


@dataclass(slots=True)
class View:
    """A modal or a Home tab as one person has it open; `entered` holds what the person put in so far."""

    id: str
    user: str
    body: JSON
    hash: str
    root_id: str
    previous_id: str | None = None
    external_id: str = ""
    entered: dict[str, dict[str, JSON]] = field(default_factory=dict)
    conversation: str | None = None
    """Where the person was when the modal opened."""
    offered: Offered = field(default_factory=dict, repr=False)

    @property
    def type(self) -> str:
        """Return "modal" or "home"."""
        return str(self.body["type"])

    @property
    def blocks(self) -> list[JSON]:
        """Return the blocks, each with its block_id."""
        blocks: list[JSON] = self.body["blocks"]
        return blocks

    @property
    def callback_id(self) -> str:
        """Return the callback_id, "" where the bot set none."""
        return str(self.body.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """Return the private_metadata, "" where the bot set none."""
        return str(self.body.get("private_metadata", ""))

    @property
    def title(self) -> str:
        """Return the title's text."""
        return str((self.body.get("title") or {}).get("text", ""))


@dataclass(slots=True)
class Trigger:
    """What lets the bot open a modal: for one person, once, for three seconds."""

    id: str
    user: str
    expires: float
    used: bool = False
    view: View | None = None
    conversation: str | None = None


@dataclass(slots=True)
class ResponseUrl:
    """An address the bot may answer an interaction at: five times in thirty minutes."""

    id: str
    user: str
    channel: str
    expires: float
    message: Message | None = None
    uses: int = 0
    posted: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Workspace:
    """Hold one workspace and hand out its ids and timestamps."""

    clock: Clock = time.time
    team_id: str = "T0LOCAL0001"
    team_name: str = "GenAI Team"
    team_domain: str = "genai-team"
    enterprise_id: str | None = None
    validate: bool = True
    """Whether messages and views that Slack would refuse are refused."""
    app_id: str = "A0LOCAL0001"
    bot_id: str = "B0LOCAL0001"
    bot: Member = field(default_factory=lambda: Member("U0LOCALBOT1", "genai-roles", is_bot=True))
    members: dict[str, Member] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    touched: list[Message] = field(default_factory=list)
    """Every message that was posted, changed or deleted, in that order, again at each change."""
    generation: int = 0
    """How often the workspace was emptied."""
    modals: dict[str, list[View]] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    on_bot_dm: Callable[[Message], None] | None = None
    _last_ts: int = 0
    _change: asyncio.Event = field(default_factory=asyncio.Event)

    def add_members(self, members: Iterable[Member]) -> None:
        """Add people; an entry with a known id replaces the old one."""
        self.members.update((member.id, member) for member in members)

    def add_channel(self, channel: Channel) -> Channel:
        """Add a channel and return it."""
        self.channels[channel.id] = channel
        return channel

    def dm(self, user: str) -> Channel:
        """Return the direct messages of `user` with the bot, opened at the first call."""
        dm_id = "D" + user[1:]
        return self.channels.get(dm_id) or self.add_channel(Channel(dm_id, "directmessage", dm_with=user))

    def user(self, user: str) -> Member | None:
        """Return a member or the bot itself."""
        return self.bot if user == self.bot.id else self.members.get(user)

    def new_id(self, prefix: str) -> str:
        """Return a fresh id in Slack's alphabet; random, so that a restart never repeats one."""
        return f"{prefix}0{secrets.token_hex(5).upper()}"

    def next_ts(self) -> str:
        """Return a message timestamp: unique, increasing, six decimals."""
        self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(self, message: Message) -> Message:
        """Add a message and wake whoever waits."""
        self.messages.append(message)
        self.changed(message)
        in_dm = self.channels[message.channel].is_dm and not message.ephemeral_to
        if self.on_bot_dm is not None and in_dm and message.from_bot:
            self.on_bot_dm(message)
        return message

    def find(self, channel: str, ts: str) -> Message | None:
        """Return the message with this timestamp, unless it was deleted."""
        return next((m for m in reversed(self.messages) if m.ts == ts and m.channel == channel and not m.deleted), None)

    def new_trigger(self, user: str, conversation: str | None = None) -> Trigger:
        """Give out a trigger id for `user`, who is in `conversation`."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        trigger = Trigger(trigger_id, user, self.clock() + TRIGGER_SECONDS, conversation=conversation)
        self.triggers[trigger_id] = trigger
        return trigger

    def new_response_url(self, user: str, channel: str, message: Message | None = None) -> ResponseUrl:
        """Give out a response_url for an interaction of `user` in `channel`."""
        made = ResponseUrl(secrets.token_urlsafe(18), user, channel, self.clock() + RESPONSE_URL_SECONDS, message)
        self.response_urls[made.id] = made
        return made

    def changed(self, message: Message | None = None) -> None:
        """Wake everybody who waits for the workspace to change; `message` is what was posted, changed or deleted."""
        if message is not None:
            self.touched.append(message)
        self._change.set()
        self._change = asyncio.Event()

    def next_change(self) -> asyncio.Event:
        """Return what is set at the next change; taken before looking, so that no change is missed."""
        return self._change

    def clear(self) -> None:
        """Forget what was said and opened; people and conversations stay."""
        for kept in (self.messages, self.touched, self.modals, self.homes, self.triggers, self.response_urls):
            kept.clear()
        self.generation += 1
        self.changed()

    async def wait_until(self, look: Callable[[], T | None], seconds: float, what: str) -> T:
        """Return what `look` finds as soon as it finds something; raise TimeoutError naming `what` otherwise."""
        try:
            async with asyncio.timeout(seconds):
                while True:
                    change = self.next_change()
                    found = look()
                    if found is not None:
                        return found
                    await change.wait()
        except TimeoutError:
            raise TimeoutError(f"waited {seconds:g} s for {what}") from None

    def tz_offset(self, name: str) -> int:
        """Return a time zone's offset in seconds at the workspace's time, 0 where the zone is unknown."""
        try:
            offset = datetime.fromtimestamp(self.clock(), ZoneInfo(name)).utcoffset()
        except (KeyError, ValueError, OSError):
            return 0
        return int(offset.total_seconds()) if offset else 0
