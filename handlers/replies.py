"""Where replies go: the thread, the direct message, or only the person who pressed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.blocks.message import Block, Message, plain
from handlers.blocks.people import View
from handlers.payloads import Actor, Press, Said
from knowledge.guide import Guide

Later = Callable[[Coroutine[Any, Any, None]], None]
"""Runs something after the answer, supervised; see bot/tasks.py."""
Clock = Callable[[], datetime]


def view_for(actor: Actor, context: AsyncBoltContext, guide: Guide, now: Clock) -> View:
    """Return what rendering needs for this person."""
    authorized = context.authorize_result
    url = (authorized.url if authorized else None) or ""
    return View(now(), guide.catalog.roles, actor.team, url, actor.user)


async def post(client: AsyncWebClient, said: Said, message: Message) -> None:
    """Reply to what somebody said: in the thread in a channel, in place in a direct message."""
    thread = said.thread_ts if said.direct else said.thread_ts or said.ts
    await client.chat_postMessage(channel=said.channel, thread_ts=thread, **message.payload())


async def whisper(client: AsyncWebClient, said: Said, message: Message) -> None:
    """Reply so that only the person who spoke sees it."""
    if said.direct:
        await post(client, said, message)
    else:
        await client.chat_postEphemeral(
            channel=said.channel, user=said.actor.user, thread_ts=said.thread_ts, **_ephemeral(message)
        )


async def answer_press(client: AsyncWebClient, press: Press, message: Message, *, replace: bool = False) -> None:
    """Answer a button: only the person who pressed sees it, except in their own direct message with the bot.

    A body in the response to a button is ignored by Slack, so this goes to the response_url, or by chat.postEphemeral
    in a thread, which the response_url cannot reach for one person alone.
    """
    if press.in_modal:
        await show_modal(client, press, modal_of(message, "GenAI roles"), replace=replace)
    elif press.channel and press.direct:
        await client.chat_postMessage(channel=press.channel, thread_ts=press.thread_ts, **message.payload())
    elif press.channel and press.thread_ts and not (press.ephemeral and replace):
        await client.chat_postEphemeral(
            channel=press.channel, user=press.actor.user, thread_ts=press.thread_ts, **_ephemeral(message)
        )
    elif press.response_url:
        await respond(client, press, message, replace=replace and press.ephemeral)
    else:
        # The Home tab has neither a channel nor a response_url: the answer comes as a direct message.
        await client.chat_postMessage(channel=press.actor.user, **message.payload())


async def show_modal(client: AsyncWebClient, press: Press, view: Block, *, replace: bool = False) -> None:
    """Show a view after a press in a modal: over it, or in its place where it is to be replaced or the pile is full."""
    if not replace:
        try:
            await client.views_push(trigger_id=press.trigger_id, view=view)
        except SlackApiError as error:
            # Slack piles up three modals at most.
            if error.response.get("error") != "push_limit_reached":
                raise
        else:
            return
    await client.views_update(view_id=press.view_id, view=view)


def modal_of(message: Message, title: str) -> Block:
    """Show a message as a modal."""
    return {
        "type": "modal",
        "title": plain(title, 24),
        "close": plain("Close", 24),
        "blocks": list(message.blocks),
    }


async def respond(
    client: AsyncWebClient, press: Press, message: Message, *, replace: bool = False, public: bool = False
) -> None:
    """Post to the response_url; works in channels that the bot is not a member of."""
    if not press.response_url:
        return
    webhook = AsyncWebhookClient(press.response_url, timeout=client.timeout, proxy=client.proxy, ssl=client.ssl)
    response = await webhook.send(
        **message.payload(), response_type="in_channel" if public else "ephemeral", replace_original=replace
    )
    if response.status_code != 200:
        # Used up (five posts) or older than thirty minutes.
        raise ReplyError(f"response_url answered {response.status_code}")


class ReplyError(Exception):
    """Report a reply that Slack did not take."""


def _ephemeral(message: Message) -> dict[str, Any]:
    payload = message.payload()
    # chat.postEphemeral knows no unfurl settings.
    return {"text": payload["text"], "blocks": payload["blocks"]}
