"""Takes events from the inbox and hands them to Bolt; tries again, and gives up visibly."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient

from handlers.blocks.message import Message, section
from handlers.errors import REFERENCE, apology, new_reference, on_error
from handlers.payloads import said
from handlers.replies import post
from storage.inbox import Event, SqlInbox

logger = logging.getLogger(__name__)
LANES = 8
"""Events of one conversation share a lane, so that they are answered in order."""
RETRY_SECONDS = (0.5, 3.0)
"""Pauses before the second and the third attempt; there is no fourth."""


class Worker:
    """Work the inbox off."""

    def __init__(
        self,
        inbox: SqlInbox,
        bolt: AsyncApp,
        client: AsyncWebClient,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._inbox = inbox
        self._bolt = bolt
        self._client = client
        self._sleep = sleep
        self._lanes: list[asyncio.Queue[Event]] = [asyncio.Queue() for _ in range(LANES)]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take up what waits from before, and run."""
        for event in await self._inbox.waiting():
            self.take(event)
        self._tasks = [asyncio.create_task(self._run(lane)) for lane in self._lanes]

    def take(self, event: Event) -> None:
        """Queue an event that stands in the inbox."""
        self._lanes[hash((event.workspace, event.channel)) % LANES].put_nowait(event)

    async def idle(self) -> None:
        """Wait until everything that was queued is worked off."""
        await asyncio.gather(*(lane.join() for lane in self._lanes))

    async def stop(self, seconds: float) -> None:
        """Finish what is queued, at most that long; the rest stays in the inbox for the next start."""
        if not self._tasks:
            return
        idle = asyncio.create_task(self.idle())
        _, late = await asyncio.wait({idle}, timeout=seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        if late:
            idle.cancel()
            logger.warning("stopped with events waiting; they are worked off at the next start")

    async def _run(self, lane: asyncio.Queue[Event]) -> None:
        while True:
            event = await lane.get()
            try:
                await self._work_off(event)
            except Exception:
                # The lane must live on; the event stays in the inbox.
                logger.exception("event %s could not be worked off", event.event_id)
            finally:
                lane.task_done()

    async def _work_off(self, event: Event) -> None:
        body = json.loads(event.body)
        # One reference for all attempts: the apology names it, and the log has each traceback under it.
        reference = new_reference()
        for pause in (*RETRY_SECONDS, None):
            if await self._dispatch(body, reference):
                await self._inbox.done(event)
                return
            await self._inbox.failed(event)
            if pause is not None:
                await self._sleep(pause)
        logger.error("reference %s: event %s given up after its last attempt", reference, event.event_id)
        await self._inbox.dead(event)
        if event.message_ts:
            await self._apologise(body, reference)

    async def _dispatch(self, body: dict[str, Any], reference: str) -> bool:
        # mode socket_mode: the signature was checked on the raw body at the front door.
        try:
            request = AsyncBoltRequest(body=body, mode="socket_mode", context={REFERENCE: reference})
            response = await self._bolt.async_dispatch(request)
        except Exception as error:
            # Some errors escape Bolt's own handling.
            response = await on_error(error, body, {REFERENCE: reference})
        # 404: no listener wanted it, which is an outcome too.
        return response.status in (200, 404)

    async def _apologise(self, body: dict[str, Any], reference: str) -> None:
        text = apology(reference)
        try:
            await post(self._client, said(body), Message(text, (section(text),)))
        except Exception:
            logger.exception("reference %s: the apology could not be posted", reference)
