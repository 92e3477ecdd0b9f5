"""A new key comes first at one process while another doesn't have it yet: nothing is lost, nobody is brought back."""

from __future__ import annotations

import pytest
from slack_bolt.response import BoltResponse

from bot.app import Bot
from bot.intake import inbox_event
from bot.local import GENERAL, LocalSlack
from handlers.errors import on_error
from storage.inbox import LEASE
from storage.keys import UnknownKey, new_key
from tests.bot.test_postgres import ENVELOPE
from tests.conftest import ANN, BEN, CAI, Clock, Start, declares, rows, settled, words
from tests.databases import BOTH, KEY, ON_POSTGRES
from tests.handlers.test_asks import put

NEW = f"{new_key()},{KEY}"


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


async def polled(bot: Bot) -> None:
    await bot.worker.poll()
    await settled(bot)


async def test_an_event_of_a_process_with_a_new_key_is_answered_by_one_that_has_it(
    slack: LocalSlack, start: Start, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with start(encryption_keys=NEW) as newer:
        await newer.worker.stop(0)
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    clock.move(seconds=LEASE.total_seconds() + 1)
    async with start() as older:
        for _ in range(50):
            await polled(older)
            clock.move(seconds=1)
        assert [row["state"] for row in await rows(older, "inbox")] == ["claimed"]
    said = [record.getMessage() for record in caplog.records if "put the missing key back" in record.getMessage()]
    assert len(said) == 1
    assert slack.replies(posted) == []
    clock.move(seconds=LEASE.total_seconds())
    clock.move(minutes=10)
    async with start(encryption_keys=NEW) as newer:
        await polled(newer)
        assert len(slack.replies(posted)) == 1
        assert [row["state"] for row in await rows(newer, "inbox")] == ["done"]


async def test_who_is_forgotten_at_a_process_with_a_new_key_stays_so_at_one_without_it(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    async with start(encryption_keys=NEW) as newer:
        for user in (BEN, CAI):
            await declares(newer, slack, user, {"mlops-engineer": "lead"})
        assert (await slack.command(BEN, "/genai-role forget me")).text.startswith("Done: I deleted everything")
        kept = await rows(newer, "forgotten"), await rows(newer, "secrets")
        assert [len(some) for some in kept] == [1, 1]
    async with start() as older:
        # Each of these asks for the key of the marks.
        posted = await slack.say(ANN, "<@BOT> who knows mlops", GENERAL)
        await settled(older)
        [answer] = slack.replies(posted)
        assert "Cai Chen" in words(answer)
        assert (await rows(older, "forgotten"), await rows(older, "secrets")) == kept


@pytest.mark.usefixtures("faults")
async def test_forgetting_is_refused_rather_than_done_by_halves_where_the_key_of_the_marks_is_missing(
    slack: LocalSlack, start: Start
) -> None:
    async with start(encryption_keys=NEW) as newer:
        await declares(newer, slack, BEN, {"mlops-engineer": "lead"})
        await slack.command(ANN, "/genai-role forget me")
        kept = await rows(newer, "forgotten"), await rows(newer, "secrets")
    async with start() as older:
        said = (await slack.command(BEN, "/genai-role forget me")).text
        assert said.startswith("Sorry, something went wrong on my side. Please try again.")
        assert (await rows(older, "forgotten"), await rows(older, "secrets")) == kept
    async with start(encryption_keys=NEW) as newer:
        assert (await slack.command(BEN, "/genai-role forget me")).text.startswith("Done: I deleted everything")
        assert len(await rows(newer, "forgotten")) == 2


async def test_a_start_seals_nothing_anew(start: Start, slack: LocalSlack) -> None:
    async with start() as older:
        await slack.command(BEN, "/genai-role forget me")
        kept = await rows(older, "secrets")
    async with start(encryption_keys=NEW) as newer:
        assert await rows(newer, "secrets") == kept


@ON_POSTGRES
async def test_two_at_once_share_what_waits_by_their_keys(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start(encryption_keys=NEW) as gone:
        await gone.worker.stop(0)
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    async with start() as older, start(encryption_keys=NEW) as newer:
        clock.move(seconds=LEASE.total_seconds() + 1)
        await polled(older)
        assert [row["state"] for row in await rows(older, "inbox")] == ["claimed"]
        assert slack.replies(posted) == []
        clock.move(minutes=2)
        await polled(newer)
        assert len(slack.replies(posted)) == 1
        assert [(row["state"], row["attempts"]) for row in await rows(newer, "inbox")] == [("done", 0)]


@ON_POSTGRES
async def test_an_event_of_a_workspace_whose_token_has_a_new_key_is_left_to_a_process_that_has_it(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    event = inbox_event(ENVELOPE)
    assert event is not None
    async with start() as older, start(encryption_keys=NEW) as newer:
        assert await older.inbox.add(event, clock.now())

        async def refuses(_request: object) -> BoltResponse:
            return await on_error(UnknownKey("none opens it"), ENVELOPE)

        older.worker._bolt.async_dispatch = refuses  # type: ignore[assignment]
        older.worker.take(event)
        await settled(older)
        [row] = await rows(older, "inbox")
        assert (row["state"], row["claimed_by"], row["attempts"]) == ("claimed", "", 0)
        clock.move(seconds=2)
        await polled(newer)
        assert len(slack.called("chat.postMessage")) == 1


async def test_a_button_older_than_the_key_says_so_and_loses_nothing(
    slack: LocalSlack, start: Start, clock: Clock
) -> None:
    async with start() as older:
        await declares(older, slack, BEN, {"mlops-engineer": "lead"})
        await put(slack, older, clock)
        [card] = [one for one in slack.workspace.messages if "asking:withdraw" in str(one.blocks)]
        before = await rows(older, "asks")
    async with start(encryption_keys=new_key()) as newer:
        said = await slack.press(ANN, card, "asking:withdraw")
        assert "This button is older than the key that I use now" in str(said) + str(slack.workspace.messages)
        assert await rows(newer, "asks") == before
