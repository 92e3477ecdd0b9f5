"""Answers that come too late for the request that asked: "one moment" in time, and the answer when it is there."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from handlers.blocks.message import MESSAGE_TEXT, Block, cut, escape, section
from handlers.errors import apology, new_reference
from handlers.response_url import BROKEN, send_to

logger = logging.getLogger(__name__)
ONE_MOMENT = "One moment, this takes longer than usual. The answer follows here."
STOPPED = "Sorry, I was stopped before I had finished. Please try again in a moment."
FAREWELL_SECONDS = 2.0
"""How long a process that is being stopped takes to say that an answer does not come."""


def early_answer(body: dict[str, Any]) -> BoltResponse:
    """Answer a request in time, before its work is done."""
    if "command" in body:
        return _json({"response_type": "ephemeral", "text": ONE_MOMENT})
    if body.get("type") == "view_submission":
        # The modal closes; the result comes as a direct message.
        return _json({"response_action": "clear"})
    if body.get("type") == "block_suggestion":
        return _json({"options": []})
    return BoltResponse(status=200)


async def late_answer(body: dict[str, Any], work: asyncio.Future[BoltResponse], client: AsyncWebClient) -> None:
    """Deliver what the work came to, once it is done; buttons and shortcuts have answered by themselves.

    Cancelled, or where the work fails, it says so instead.
    """
    try:
        response = await work
        answer = json.loads(response.body) if response.body else {}
        if "command" in body and answer:
            await _deliver(body, {**answer, "replace_original": True}, client)
        elif body.get("type") == "view_submission":
            blocks = _result_blocks(answer)
            if blocks:
                await client.chat_postMessage(channel=body["user"]["id"], text=_words(blocks), blocks=blocks)
    except asyncio.CancelledError:
        await _say_instead(body, STOPPED, client)
        raise
    except Exception:
        reference = new_reference()
        logger.exception("reference %s: a late answer could not be given", reference)
        await _say_instead(body, apology(reference), client)


async def _deliver(body: dict[str, Any], answer: dict[str, Any], client: AsyncWebClient) -> None:
    """Post to the response_url, and where that is broken write to the person."""
    if body.get("response_url"):
        try:
            await send_to(body["response_url"], answer, client)
            return
        except BROKEN as error:
            logger.warning("a late answer goes by direct message: %s", error or type(error).__name__)
    user = body.get("user_id") or (body.get("user") or {}).get("id")
    if user:
        text = cut(str(answer.get("text", "")), MESSAGE_TEXT)
        await client.chat_postMessage(channel=user, text=text, unfurl_links=False, unfurl_media=False)


async def _say_instead(body: dict[str, Any], text: str, client: AsyncWebClient) -> None:
    if body.get("type") == "block_suggestion":
        return
    answer = {"response_type": "ephemeral", "text": text, "replace_original": "command" in body}
    try:
        async with asyncio.timeout(FAREWELL_SECONDS):
            await _deliver(body, answer, client)
    except Exception:
        logger.exception("nobody could be told that a late answer does not come")


def _result_blocks(answer: dict[str, Any]) -> list[Block]:
    if answer.get("response_action") == "errors":
        wrong = "\n".join(str(reason) for reason in answer["errors"].values())
        return [section(escape(f"Your entry was not saved.\n{wrong}"))]
    view = answer.get("view") or {}
    if view.get("submit"):
        # A form cannot be filled in where it is not a form; and what it asks to be sure of has not happened.
        return [section("That took too long, and nothing was changed. Please open the form again.")]
    return list(view.get("blocks") or ())


def _words(blocks: list[Block]) -> str:
    texts = [block["text"]["text"] for block in blocks if isinstance(block.get("text"), dict)]
    return cut("\n".join(texts), MESSAGE_TEXT)


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})
