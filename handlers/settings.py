"""Settings of the workspace, for administrators: the form, and what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.message import Block, Message, message, section
from handlers.members import person_of
from handlers.payloads import Actor
from handlers.permissions import Standings
from handlers.replies import Clock, modal_of, open_modal, opening, show_modal
from handlers.settings_form import modal, read_settings, saved
from knowledge.ports import Workspaces

COMMAND = "settings"
"""What is typed after the slash command."""
ASKED_SECONDS = 1.0
NOT_YOURS = (
    "Only administrators of this workspace can do this. Ask one of them, or try again in a moment if you are one."
)
NO_CURATORS = "Guests, bots and people who have left can't be curators. Please take them out: {names}"


def not_yours() -> Message:
    """Say that something is for administrators."""
    return message([NOT_YOURS], [section(NOT_YOURS)])


async def settings_modal(standings: Standings, workspaces: Workspaces, client: AsyncWebClient, actor: Actor) -> Block:
    """Build the form, or for everybody else a sentence that says whom to ask."""
    if not await standings.may(client, actor, "change settings"):
        return modal_of(not_yours(), "Workspace settings")
    return modal(await workspaces.settings(actor.workspace))


async def open_by_command(
    client: AsyncWebClient, standings: Standings, workspaces: Workspaces, actor: Actor, trigger_id: str
) -> Message | None:
    """Open the form after `/genai-role settings`; returns what to answer where the person may not."""
    if not await standings.may(client, actor, "change settings"):
        return not_yours()
    await open_modal(client, opening(client, trigger_id), settings_modal(standings, workspaces, client, actor))
    return None


async def open_from_button(
    ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, standings: Standings, workspaces: Workspaces
) -> None:
    """Open the form from the Home tab."""
    press = payloads.press(body)
    show = partial(show_modal, client, press) if press.in_modal else opening(client, press.trigger_id)
    await open_modal(client, show, settings_modal(standings, workspaces, client, press.actor))
    await ack()


async def save(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    standings: Standings,
    workspaces: Workspaces,
    now: Clock,
) -> None:
    """Check who saves and what, save it, and show what holds from now on."""
    submission = payloads.submission(body)
    actor = submission.actor
    if not await standings.may(client, actor, "change settings"):
        await ack(response_action="errors", errors={ids.BLOCK_SWITCHES: NOT_YOURS})
        return
    entered = read_settings(submission)
    before = await workspaces.settings(actor.workspace)
    if ids.BLOCK_CURATORS not in entered.errors:
        new = [user for user in entered.settings.curators if user not in before.curators]
        unfit = await _unfit(client, actor.workspace, new, now())
        if unfit:
            entered.errors[ids.BLOCK_CURATORS] = NO_CURATORS.format(names=", ".join(unfit))
    if entered.errors:
        await ack(response_action="errors", errors=entered.errors)
        return
    await workspaces.save(actor.workspace, entered.settings, actor.user, now())
    await ack(response_action="update", view=saved(before, entered.settings))


async def _unfit(client: AsyncWebClient, workspace: str, users: Sequence[str], now: datetime) -> list[str]:
    """Return the names of those who can't be curators; of whom Slack says nothing in time counts as fit."""
    asking = [asyncio.ensure_future(person_of(client, workspace, user, now)) for user in users]
    if not asking:
        return []
    _, late = await asyncio.wait(asking, timeout=ASKED_SECONDS)
    for one in late:
        one.cancel()
    members = [one.result() for one in asking if one.done() and not one.cancelled()]
    return [member.name or member.user for member in members if member is not None and not member.suggestible]
