"""What the bot hears of: events of every kind, and what comes to its address without being one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from . import payloads
from .delivery import Attempt, EventDelivery, sign
from .forms import NotOffered
from .server import LocalServer
from .workspace import JSON, Member, Message


class LocalEvents(LocalServer):
    """Tell the bot what happened; every method returns after the first attempt, while repeats go on by themselves."""

    async def home_opened(self, user: str, tab: str = "home") -> EventDelivery:
        """Tell the bot that a person opened a tab of the app."""
        return await self.send_event(payloads.home_opened(self.workspace, self._member(user), tab))

    async def change_member(self, user: str, **changes: Any) -> EventDelivery:
        """Change a profile or an account (`title="Lead"`, `deleted=True`), and tell the bot."""
        member = replace(self._member(user), **changes)
        self.workspace.add_members([member])
        self.workspace.changed()
        return await self.send_event(payloads.user_changed(self.workspace, member))

    async def uninstall(self, *, token_first: bool = False) -> list[EventDelivery]:
        """Take the app out of the workspace: its token is void, and two events come, in either order."""
        self.revoke_token("account_inactive")
        events = [payloads.uninstalled(), payloads.tokens_revoked(self.workspace)]
        return [await self.send_event(event) for event in (reversed(events) if token_first else events)]

    async def send_event(
        self, event: JSON, *, event_id: str | None = None, team_id: str | None = None, **envelope: object
    ) -> EventDelivery:
        """Send an event of any shape in its envelope, of which `envelope` replaces or adds keys."""
        body = payloads.envelope(self.workspace, event, event_id or self.workspace.new_id("Ev"), team_id)
        return await self._out.event(body | envelope)

    async def verify_url(self, challenge: str = "a-challenge") -> Attempt:
        """Send url_verification, as Slack does when the address is entered."""
        return await self.send_json({"type": "url_verification", "challenge": challenge})

    async def send_json(self, body: JSON) -> Attempt:
        """Send signed JSON without an event's envelope, once (app_rate_limited and the like)."""
        return await self._out.json({"token": payloads.VERIFICATION_TOKEN, **body}, str(body.get("type")))

    async def post_raw(
        self, body: bytes, headers: Mapping[str, str] | None = None, *, signed: bool = False, age: float = 0.0
    ) -> tuple[int, str]:
        """Post bytes to the bot as they are; with `signed` under a good signature that is `age` seconds old."""
        stamp = self._out.wall_clock() - age
        signature = sign(self.signing_secret, body, stamp) if signed else {}
        attempt = await self._out.post(body, {**signature, **(headers or {})})
        return attempt.status, attempt.text

    def _member(self, user: str) -> Member:
        member = self.workspace.members.get(user)
        if member is None:
            raise NotOffered(f"no member {user!r}")
        return member

    async def _announce(self, message: Message) -> None:
        """Send the event that a person's message causes: in a direct message always, else for a mention."""
        place = self.workspace.channels[message.channel]
        if place.is_dm:
            await self.send_event(payloads.message_event(self.workspace, message, "message"))
        elif f"<@{self.bot_user}" in message.text and place.bot_member:
            await self.send_event(payloads.message_event(self.workspace, message, "app_mention"))
