"""Answers that come too late for the request that asked: "one moment" in time, and the answer when it is there."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from handlers.blocks.message import MESSAGE_TEXT, Block, cut, escape, section

logger = logging.getLogger(__name__)
ONE_MOMENT = "One moment, this takes longer than usual. The answer follows here."


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
    """Deliver what the work came to, once it is done; buttons and shortcuts have answered by themselves."""
    response = await work
    answer = json.loads(response.body) if response.body else {}
    if "command" in body and answer and body.get("response_url"):
        webhook = AsyncWebhookClient(
            body["response_url"], timeout=client.timeout, proxy=client.proxy, ssl=client.ssl, session=client.session
        )
        sent = await webhook.send_dict({**answer, "replace_original": True})
        if sent.status_code != 200:
            logger.error("a late answer was refused: response_url answered %s", sent.status_code)
    elif body.get("type") == "view_submission":
        blocks = _result_blocks(answer)
        if blocks:
            await client.chat_postMessage(channel=body["user"]["id"], text=_words(blocks), blocks=blocks)


def _result_blocks(answer: dict[str, Any]) -> list[Block]:
    if answer.get("response_action") == "errors":
        wrong = "\n".join(str(reason) for reason in answer["errors"].values())
        return [section(escape(f"Your entry was not saved.\n{wrong}"))]
    return list((answer.get("view") or {}).get("blocks") or ())


def _words(blocks: list[Block]) -> str:
    texts = [block["text"]["text"] for block in blocks if isinstance(block.get("text"), dict)]
    return cut("\n".join(texts), MESSAGE_TEXT)


def _json(body: dict[str, Any]) -> BoltResponse:
    return BoltResponse(status=200, body=json.dumps(body), headers={"Content-Type": "application/json"})
