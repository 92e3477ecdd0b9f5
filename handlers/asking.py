"""Whom to ask: the "Ask someone" button, and the shortcut on a message."""

from __future__ import annotations

from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.blocks.ask_forms import with_offer
from handlers.blocks.message import Block
from handlers.blocks.render import members_only, render, subject_in, why_these
from handlers.naming import Naming
from handlers.replies import Clock, answer_press, modal_of, open_modal, opening, view_for
from handlers.role_card import gone
from knowledge.guide import Guide, Question


async def ask_someone(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    naming: Naming,
    now: Clock,
) -> None:
    """Show the three people to ask about an entry."""
    press = payloads.press(body)
    subject = await guide.subject_of(press.actor.workspace, press.value)
    if subject is None:
        await answer_press(client, press, gone())
    else:
        suggestion = await guide.suggest(
            press.actor.workspace, subject, press.actor.user, naming.to(client, press.actor)
        )
        shown = with_offer(render(suggestion, view_for(press.actor, context, guide, now)), suggestion, "")
        await answer_press(client, press, shown)
    await ack()


async def say_why(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, guide: Guide, naming: Naming) -> None:
    """Tell whoever pressed, and nobody else, who was passed over in a suggestion and why."""
    press = payloads.press(body)
    subject = subject_in(press.value)
    if subject is None:
        shown = gone()
    elif await naming.to(client, press.actor)():
        shown = why_these(await guide.passed_over(press.actor.workspace, subject, press.actor.user))
    else:
        shown = members_only()
    await answer_press(client, press, shown)
    await ack()


async def find_who_can_help(
    ack: AsyncAck,
    body: dict[str, Any],
    context: AsyncBoltContext,
    client: AsyncWebClient,
    *,
    guide: Guide,
    naming: Naming,
    now: Clock,
) -> None:
    """Show, in a modal for the person alone, whom to ask about a message."""
    shortcut = payloads.shortcut(body)

    async def build() -> Block:
        question = Question(
            shortcut.actor.workspace,
            f"who {shortcut.message_text}",
            "command",
            shortcut.actor.user,
            may_name=naming.to(client, shortcut.actor),
        )
        answer = await guide.ask(question)
        shown = render(answer, view_for(shortcut.actor, context, guide, now))
        return modal_of(with_offer(shown, answer, shortcut.message_text, always=True), "Who can help")

    await open_modal(client, opening(client, shortcut.trigger_id), build())
    await ack()
