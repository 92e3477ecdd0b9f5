"""What happens to the installation itself, and what is written to whoever installed the app."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Literal

from handlers import ids, payloads
from handlers.blocks.message import Message, actions, button, escape, message, section

logger = logging.getLogger(__name__)
Why = Literal["app_uninstalled", "tokens_revoked", "team_access_revoked"]
Removed = Callable[[Sequence[str], Why, datetime | None], Awaitable[None]]
"""Told where the app may have been removed, the likeliest first, why, and when that was."""


async def uninstalled(body: dict[str, Any], *, removed: Removed) -> None:
    """Take note that the app was removed; everything about the workspace is deleted."""
    await removed(payloads.removed_from(body), "app_uninstalled", payloads.event_time(body))


async def tokens_revoked(body: dict[str, Any], *, removed: Removed) -> None:
    """Take note that the bot's token is void."""
    tokens = body["event"].get("tokens") or {}
    if tokens.get("bot"):
        await removed(payloads.removed_from(body), "tokens_revoked", payloads.event_time(body))


async def team_access_granted(body: dict[str, Any]) -> None:
    """Log that an organisation gave the app to more teams: its people are kept by organisation, so none move."""
    logger.info("team_access_granted: %s teams", len(payloads.access_teams(body["event"])))


async def team_access_revoked(body: dict[str, Any], *, removed: Removed) -> None:
    """Take note that an organisation took the app away from teams; what is kept of these themselves is deleted."""
    for team in payloads.access_teams(body["event"]):
        await removed([team], "team_access_revoked", payloads.event_time(body))


def welcome() -> Message:
    """Greet whoever installed the app, and nobody else."""
    lines = [
        "Thank you for installing me. I explain the roles of generative-AI teams, and suggest whom to ask.",
        "Type `/genai-role mlops` anywhere, or invite me to a channel and mention me with a question.",
        "People are suggested only from what they declare themselves. Nobody else was told that I am here.",
    ]
    return message(
        lines, [section(escape("\n".join(lines))), actions(button("Declare what I do", ids.DECLARE, "-", primary=True))]
    )


def more_scopes(missing: Sequence[str], link: str) -> Message:
    """Ask whoever installed the app to install it again, since this version needs more."""
    named = ", ".join(missing)
    where = f"Install me again: {link}" if link else "Ask whoever runs this app for the link to install it again."
    lines = [
        f"I was updated, and some of what I do now needs permissions that I was not granted: {named}.",
        f"{where} Nothing that I keep is lost by that.",
        "You read this once, as you installed me.",
    ]
    return message(lines, [section(escape("\n".join(lines)))])
