"""Where replies go: the thread, the direct message, or only the person who pressed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.blocks.feedback import with_plain_buttons
from handlers.blocks.message import MESSAGE_BLOCKS, Block, Message, plain, section
from handlers.blocks.people import View
from handlers.errors import apology, code_of, new_reference
from handlers.limits import wait_to_post
from handlers.payloads import Actor, Press, Said
from handlers.response_url import send_to
from knowledge.guide import Guide

Later = Callable[[Coroutine[Any, Any, None]], None]
"""Runs something after the answer, supervised; see bot/tasks.py."""
Clock = Callable[[], datetime]
ClientOf = Callable[[str], Awaitable[AsyncWebClient | None]]
"""Returns the client for a workspace; None where the app is not installed there (any more)."""
MODAL_SECONDS = 1.5
ONE_MOMENT = "One moment …"
logger = logging.getLogger(__name__)


def view_for(actor: Actor, context: AsyncBoltContext, guide: Guide, now: Clock) -> View:
    """Return what rendering needs for this person."""
    authorized = context.authorize_result
    url = (authorized.url if authorized else None) or ""
    return View(now(), guide.catalog.roles, actor.team, url, actor.user)


StillOurs = Callable[[], Awaitable[None]]
still_ours: ContextVar[StillOurs | None] = ContextVar("still_ours", default=None)
"""Asked right before a reply to an event is posted; raises where another process has taken the event over."""


async def post(client: AsyncWebClient, said: Said, message: Message) -> None:
    """Reply to what somebody said: in the thread in a channel, in place in a direct message."""
    await wait_to_post(client, "chat.postMessage", said.channel)
    # Asked last: the wait may have been long.
    await _check_still_ours()
    thread = said.thread_ts if said.direct else said.thread_ts or said.ts
    try:
        await _post_or_plainer(client, message, channel=said.channel, thread_ts=thread)
    except SlackApiError as error:
        if said.direct or code_of(error) not in UNWRITABLE:
            raise
        # The channel takes nothing from us: the person is told where they can read it.
        await wait_to_post(client, "chat.postMessage", said.actor.user)
        await _post_or_plainer(client, _with_notice(message), channel=said.actor.user)


async def write_to(client: AsyncWebClient, user: str, message: Message) -> None:
    """Write to a person of the bot's own accord, in their direct messages with it."""
    await wait_to_post(client, "chat.postMessage", user)
    await _post_or_plainer(client, message, channel=user)


async def _check_still_ours() -> None:
    check = still_ours.get()
    if check is not None:
        await check()


UNWRITABLE = frozenset(
    {
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "cannot_reply_to_message",
        "ekm_access_denied",
        "team_access_not_granted",
    }
)
"""What Slack answers where a channel can't be written to (https://docs.slack.dev/reference/methods/chat.postMessage)."""
NOT_THERE = "I can't write in the channel where you asked me. Invite me there, or ask me here. My answer:"


REFUSED_BLOCKS = frozenset({"invalid_blocks", "msg_blocks_too_long", "invalid_blocks_format"})


async def _post_or_plainer(client: AsyncWebClient, message: Message, **where: str | None) -> None:
    # New kinds of blocks reach workspaces little by little: plain buttons do as well, and the text alone says the same.
    plainer = with_plain_buttons(message)
    for shown in (message, plainer) if plainer != message else (message,):
        try:
            await client.chat_postMessage(**where, **shown.payload())  # type: ignore[arg-type]
            return
        except SlackApiError as error:
            refused = code_of(error)
            if refused not in REFUSED_BLOCKS:
                raise
            if refused != "invalid_blocks":
                break
    payload = message.payload()
    del payload["blocks"]
    await client.chat_postMessage(**where, **payload)  # type: ignore[arg-type]


def _with_notice(message: Message) -> Message:
    return Message(f"{NOT_THERE}\n{message.text}", (section(NOT_THERE), *message.blocks)[:MESSAGE_BLOCKS])


async def whisper(client: AsyncWebClient, said: Said, message: Message) -> None:
    """Reply so that only the person who spoke sees it."""
    if said.direct:
        await post(client, said, message)
    else:
        await wait_to_post(client, "chat.postEphemeral", said.channel)
        await _check_still_ours()
        try:
            await _whisper_or_plainer(client, said, message)
        except SlackApiError as error:
            if code_of(error) not in UNWRITABLE | {"user_not_in_channel"}:
                raise
            await _post_or_plainer(client, _with_notice(message), channel=said.actor.user)


async def _whisper_or_plainer(client: AsyncWebClient, said: Said, message: Message) -> None:
    where = {"channel": said.channel, "user": said.actor.user, "thread_ts": said.thread_ts}
    payload = _ephemeral(message)
    try:
        await client.chat_postEphemeral(**where, **payload)  # type: ignore[arg-type]
    except SlackApiError as error:
        if code_of(error) not in REFUSED_BLOCKS:
            raise
        await client.chat_postEphemeral(**where, text=payload["text"])  # type: ignore[arg-type]


async def answer_press(client: AsyncWebClient, press: Press, message: Message, *, replace: bool = False) -> None:
    """Answer a button: only the person who pressed sees it, except in their own direct message with the bot.

    A body in the response to a button is ignored by Slack, so this goes to the response_url, or by chat.postEphemeral
    in a thread, which the response_url cannot reach for one person alone.
    """
    if press.in_modal:
        with unless_closed():
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


async def show_modal(client: AsyncWebClient, press: Press, view: Block, *, replace: bool = False) -> AsyncSlackResponse:
    """Show a view after a press in a modal: over it, or in its place where it is to be replaced or the pile is full."""
    if not replace:
        try:
            return await client.views_push(trigger_id=press.trigger_id, view=view)
        except SlackApiError as error:
            # Slack piles up three modals at most.
            if code_of(error) != "push_limit_reached":
                raise
    return await client.views_update(view_id=press.view_id, view=view)


Show = Callable[[Block], Awaitable[AsyncSlackResponse]]


def over(client: AsyncWebClient, press: Press) -> Show:
    """Return what shows a view over the modal that was pressed in, and as a new one where it was pressed elsewhere."""
    return partial(show_modal, client, press) if press.in_modal else opening(client, press.trigger_id)


async def open_modal(client: AsyncWebClient, show: Show, building: Coroutine[Any, Any, Block]) -> None:
    """Show a modal as soon as it is built; if that takes long, show an empty one first and fill it then.

    A trigger is void after three seconds, whatever else is slow.
    """
    work = asyncio.ensure_future(building)
    done, _ = await asyncio.wait({work}, timeout=MODAL_SECONDS)
    if done:
        with unless_closed():
            await show(work.result())
        return
    opened = await show(modal_of(Message(ONE_MOMENT, (section(ONE_MOMENT),)), "GenAI roles"))
    view_id = opened["view"]["id"]
    try:
        view = await work
    except Exception as error:
        reference = new_reference()
        logger.error("reference %s: a modal could not be filled", reference, exc_info=error)
        text = apology(reference)
        view = modal_of(Message(text, (section(text),)), "GenAI roles")
    with unless_closed():
        await client.views_update(view_id=view_id, view=view)


@contextmanager
def unless_closed() -> Iterator[None]:
    """Leave a modal alone that the person has closed in the meantime: nobody is left to see it."""
    try:
        yield
    except SlackApiError as error:
        # https://docs.slack.dev/reference/methods/views.update#errors
        if code_of(error) != "not_found":
            raise


def opening(client: AsyncWebClient, trigger_id: str) -> Show:
    """Return what shows a view as a new modal."""

    async def show(view: Block) -> AsyncSlackResponse:
        return await client.views_open(trigger_id=trigger_id, view=view)

    return show


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
    kind = "in_channel" if public else "ephemeral"
    body = {**message.payload(), "response_type": kind, "replace_original": replace}
    await send_to(press.response_url, body, client)


def _ephemeral(message: Message) -> dict[str, Any]:
    payload = message.payload()
    # chat.postEphemeral knows no unfurl settings.
    return {"text": payload["text"], "blocks": payload["blocks"]}
