"""Works the inbox off: hands events to Bolt, tries again, gives up visibly, and takes over what others left."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Literal

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.logs import about
from bot.metrics import Metrics
from bot.slack import with_slot
from handlers.blocks.message import Message, section
from handlers.errors import (
    KEY_MISSING,
    NOT_INSTALLED,
    OUT_OF_REACH,
    REFERENCE,
    LeaseLost,
    apology,
    new_reference,
    on_error,
    out_of_reach,
)
from handlers.pace import Monotonic
from handlers.payloads import said
from handlers.replies import ClientOf, StillOurs, post, still_ours
from storage.feedback import SqlFeedback
from storage.inbox import MOST_TAKEN, Event, SqlInbox
from storage.threads import SqlThreads
from storage.underway import underway_since

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 32
"""Conversations that are worked on at the same time; those that only wait for Slack do not count."""
RETRY_SECONDS = (0.5, 3.0)
"""Pauses before the second and the third attempt; there is no fourth."""
PUT_BACK_SECONDS = 5.0
"""How long an event waits that was tried in vain while Slack was out of reach; twice as long after each time."""
MOST_PUT_BACK_SECONDS = 60.0
MOST_ATTEMPTS = 180
"""From then on, after about an hour, an event is given up though Slack is out of reach still."""
SWEEP_SECONDS = 5.0
"""How often leases are renewed, and free events looked for where another worker is the exception."""
POLL_SECONDS = 0.2
"""How often a worker looks for free events that other processes wrote down for it."""
KEEP_THREADS = timedelta(days=1)
FLUSH_RETRY_SECONDS = 0.5
STUCK_SECONDS = 600.0
"""A worker that has work, and in so long neither took an event up nor was done with one, stands still. What waits for
Slack's rate limit and is answered late, again and again, takes less."""

Conversation = tuple[str, str | None, str | None]
"""The workspace, the channel, and the thread in it: what is answered in order."""
Sleep = Callable[[float], Awaitable[None]]
Every = Callable[[float, Callable[[], Awaitable[None]]], Coroutine[Any, Any, None]]


async def every(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, until cancelled; a failure is logged and does not end it."""
    while True:
        await asyncio.sleep(seconds)
        try:
            await do()
        except Exception:
            logger.exception("a regular job failed; it is tried again")


class Worker:
    """Work the inbox off; ``alone`` says that no other process uses the database, as with SQLite."""

    def __init__(
        self,
        inbox: SqlInbox,
        threads: SqlThreads,
        feedback: SqlFeedback,
        bolt: AsyncApp,
        client_of: ClientOf,
        is_gone: Callable[[str], Awaitable[bool]],
        now: Callable[[], datetime],
        metrics: Metrics,
        *,
        alone: bool,
        poll_seconds: float = SWEEP_SECONDS,
        sleep: Sleep = asyncio.sleep,
        regularly: Every = every,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._threads = threads
        self._feedback = feedback
        self._bolt = bolt
        self._client_of = client_of
        self._is_gone = is_gone
        self._now = now
        self._metrics = metrics
        self._alone = alone
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._regularly = regularly
        self._monotonic = monotonic
        self._moved = monotonic()
        self._waiting: dict[Conversation, deque[Event]] = {}
        self._working: dict[Conversation, asyncio.Task[None]] = {}
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)
        # Conversations whose event was put back, and until when: what comes after it must not overtake it.
        self._paused: dict[Conversation, datetime] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._finished: asyncio.Queue[Event] = asyncio.Queue()

    async def start(self) -> None:
        """Take up what an earlier process left, and run."""
        while events := await self._inbox.take_over(self._now(), alone=self._alone):
            for event in events:
                self.take(event)
            if not self._alone:
                # The rest is left to the others.
                break
        self._tasks = [asyncio.create_task(self._mark_finished())]
        self._tasks.append(asyncio.create_task(self._regularly(SWEEP_SECONDS, self.sweep)))
        self._tasks.append(asyncio.create_task(self._regularly(self._poll_seconds, self.poll)))
        for conversation in self._waiting:
            self._work_on(conversation)

    def take(self, event: Event) -> None:
        """Queue an event that stands in the inbox as ours."""
        conversation = _conversation(event)
        self._waiting.setdefault(conversation, deque()).append(event)
        if self._tasks:
            self._work_on(conversation)

    @property
    def stands_still(self) -> bool:
        """Tell whether there is work, and none of it was begun or ended for long."""
        return bool(self._working) and self._monotonic() - self._moved >= STUCK_SECONDS

    def _work_on(self, conversation: Conversation) -> None:
        if not self._working:
            self._moved = self._monotonic()
        if conversation not in self._working:
            self._working[conversation] = asyncio.create_task(self._run(conversation))

    async def sweep(self) -> None:
        """Renew our leases, and delete what has been kept long enough."""
        now = self._now()
        await self._inbox.renew(now)
        await self._inbox.prune(now)
        await self._threads.prune(now - KEEP_THREADS)
        await self._feedback.prune(now)

    async def poll(self) -> None:
        """Take events that are free: written down by a process without a worker, or left by one that ended."""
        now = self._now()
        events = await self._inbox.take_over(now)
        if len(events) < MOST_TAKEN:
            # All that was put back until now is among them, or another process has it.
            self._paused = {which: until for which, until in self._paused.items() if until >= now}
        else:
            for event in events:
                self._paused.pop(_conversation(event), None)
        for event in events:
            self.take(event)

    async def idle(self) -> None:
        """Wait until everything that was queued is worked off, and marked so."""
        while self._working:
            await asyncio.wait(set(self._working.values()))
        await self._finished.join()

    async def stop(self, seconds: float) -> None:
        """Finish what is queued, at most that long, and hand the rest back."""
        if not self._tasks:
            return
        idle = asyncio.create_task(self.idle())
        _, late = await asyncio.wait({idle}, timeout=seconds)
        tasks = [*self._tasks, *self._working.values()]
        self._tasks = []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting.clear()
        self._working.clear()
        if late:
            idle.cancel()
            count = await self._inbox.release(self._now())
            logger.warning("stopped with %s events waiting; they are handed back", count)

    async def _run(self, conversation: Conversation) -> None:
        """Work one conversation off, in order, until nothing of it waits."""
        waiting = self._waiting[conversation]
        while waiting:
            event = waiting.popleft()
            with about(event=event.event_id, workspace=event.workspace), underway_since(event.received, event.event_id):
                await self._attend(event, conversation)
            self._moved = self._monotonic()
        del self._waiting[conversation], self._working[conversation]

    async def _attend(self, event: Event, conversation: Conversation) -> None:
        try:
            if until := self._paused.get(conversation):
                # An earlier one of the conversation waits: whoever takes that up finds this one behind it.
                await self._inbox.put_back(event, until)
            else:
                await self._work_off(event)
        except LeaseLost:
            logger.info("event %s is another process's by now", event.event_id)
        except Exception:
            # The conversation must go on; the event stays in the inbox, and is taken over when its lease has run out.
            self._inbox.let_go(event)
            logger.exception("event %s could not be worked off", event.event_id)

    async def _work_off(self, event: Event) -> None:
        body = json.loads(event.body)
        still_ours.set(self._check(event))
        # One reference for all attempts: the apology names it, and the log has each traceback under it.
        reference = new_reference()
        for pause in (*RETRY_SECONDS, None):
            status = await self._dispatch(body, reference)
            # 404: no listener wanted it, which is an outcome too.
            if status in (200, 404):
                self._finished.put_nowait(event)
                self._metrics.event("done")
                return
            if status == KEY_MISSING:
                await self._inbox.hand_back([event], self._now())
                self._metrics.event("retried")
                return
            if status == NOT_INSTALLED and await self._is_gone(event.workspace):
                logger.info("event %s dropped: the app was removed from the workspace", event.event_id)
                self._finished.put_nowait(event)
                self._metrics.event("not_installed")
                return
            if status == NOT_INSTALLED:
                # Nobody can be told either, without a token. A dead letter can be replayed once there is one.
                logger.error(
                    "event %s: the app is not installed any more, or its token is void. Install it, set its token, "
                    "then: python -m bot doctor --replay all",
                    event.event_id,
                )
                await self._give_up(event)
                self._metrics.event("not_installed")
                return
            if pause is None and status == OUT_OF_REACH and await self._put_back(event):
                return
            await self._inbox.failed(event)
            if pause is not None:
                self._metrics.event("retried")
                await self._sleep(pause)
        logger.error("reference %s: event %s given up after its last attempt", reference, event.event_id)
        # Said first: what ends here in between is said again, where the other order would end in silence.
        if (
            event.message_ts
            and not await self._apologise(event.workspace, body, reference)
            and await self._put_back(event)
        ):
            return
        self._metrics.event(await self._give_up(event))

    async def _give_up(self, event: Event) -> Literal["dead", "forgotten"]:
        """Give the event up. Raises LeaseLost where another process has it, which answers it, or gives it up itself."""
        became = await self._inbox.dead(event)
        if became == "not ours":
            raise LeaseLost
        return became

    async def _put_back(self, event: Event) -> bool:
        """Leave the event for later: out of reach, Slack could not be given an apology either.

        Returns False where that has gone on for about an hour.
        """
        if event.attempts >= MOST_ATTEMPTS:
            return False
        seconds = min(PUT_BACK_SECONDS * 2 ** (event.attempts // (len(RETRY_SECONDS) + 1)), MOST_PUT_BACK_SECONDS)
        logger.warning("event %s waits for %s s: Slack, or the database, is out of reach", event.event_id, seconds)
        until = self._now() + timedelta(seconds=seconds)
        await self._inbox.put_back(event, until)
        self._paused[_conversation(event)] = until
        self._metrics.event("retried")
        return True

    def _check(self, event: Event) -> StillOurs:
        """Return what is asked right before posting: raises LeaseLost where the event was taken over meanwhile."""

        async def check() -> None:
            if not await self._inbox.still_ours(event, self._now()):
                raise LeaseLost

        return check

    async def _mark_finished(self) -> None:
        """Mark events as done, all that came up during the last write in one: a busy inbox writes less often."""
        while True:
            events = [await self._finished.get()]
            while not self._finished.empty():
                events.append(self._finished.get_nowait())
            while True:
                try:
                    await self._inbox.done(events)
                    break
                except Exception:
                    # They were answered: they must be marked, whatever it takes, before their lease runs out.
                    logger.exception("%s events could not be marked as done; trying again", len(events))
                    await self._sleep(FLUSH_RETRY_SECONDS)
            for _ in events:
                self._finished.task_done()

    async def _dispatch(self, body: dict[str, Any], reference: str) -> int:
        try:
            async with self._at_once:
                self._moved = self._monotonic()
                with_slot.set(self._at_once)
                return await self._ask_bolt(body, reference)
        finally:
            with_slot.set(None)

    async def _ask_bolt(self, body: dict[str, Any], reference: str) -> int:
        # mode socket_mode: the signature was checked on the raw body at the front door.
        try:
            request = AsyncBoltRequest(body=body, mode="socket_mode", context={REFERENCE: reference})
            response = await self._bolt.async_dispatch(request)
        except Exception as error:
            # Some errors escape Bolt's own handling.
            response = await on_error(error, body, {REFERENCE: reference})
        if response.status == 409:
            raise LeaseLost
        return response.status

    async def _apologise(self, workspace: str, body: dict[str, Any], reference: str) -> bool:
        """Say that it went wrong; return False where Slack is out of reach, and it should be tried later."""
        text = apology(reference)
        try:
            client = await self._client_of(workspace)
            if client is None:
                logger.error("reference %s: nobody can be told, the app is not installed there", reference)
                return True
            await post(client, said(body), Message(text, (section(text),)))
        except LeaseLost:
            raise
        except Exception as error:
            logger.exception("reference %s: the apology could not be posted", reference)
            return not out_of_reach(error)
        return True


def _conversation(event: Event) -> Conversation:
    """Return what keeps events in order: the thread in a channel, a direct message, else the person."""
    body = json.loads(event.body)
    direct = bool(event.channel and event.channel.startswith("D"))
    thread = None if direct else body["event"].get("thread_ts") or event.message_ts or event.user
    return event.workspace, event.channel, thread
