"""When something fails inside: one sentence with a reference, the traceback in the log under it, nothing lost."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message
from bot.worker import MOST_AT_ONCE, PUT_BACK_SECONDS, RETRY_SECONDS, STUCK_SECONDS
from handlers.errors import apology
from storage.inbox import LEASE, MOST_TAKEN, SqlInbox
from tests.bot.test_forgotten_in_flight import Faults, held
from tests.conftest import (
    ANN,
    BEN,
    BUSY_SECONDS,
    CAI,
    TEAM,
    Clock,
    MakeGuide,
    Sleeper,
    Start,
    interact,
    rows,
    settled,
    words,
)

pytestmark = pytest.mark.usefixtures("faults")


async def break_people(bot: Bot) -> None:
    """Take the table of declarations away, on which every answer about roles and people stands."""
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE declarations RENAME TO gone"))


async def mend_people(bot: Bot) -> None:
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE gone RENAME TO declarations"))


def reference_in(said: str, caplog: pytest.LogCaptureFixture) -> str:
    """Return the reference that a person reads, having found the traceback under it in the log."""
    found = re.search(r"reference: ([0-9a-f]{8})$", said)
    assert found, said
    assert said == apology(found[1])
    told = [r for r in caplog.records if r.exc_info and f"reference {found[1]}" in r.getMessage()]
    assert told, caplog.text
    assert "no such table: declarations" in caplog.text
    return found[1]


async def test_a_command(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    await break_people(bot)
    reply = await slack.command(ANN, "/genai-role who mlops zebracorn")
    assert (reply.status, reply.ephemeral_to) == (200, ANN)
    reference_in(reply.text, caplog)
    assert "zebracorn" not in caplog.text


@pytest.mark.parametrize("place", ["channel", "thread", "dm"])
async def test_a_button(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, place: str) -> None:
    if place == "channel":
        shown: Message | None = (await slack.command(ANN, "/genai-role mlops")).message
    else:
        posted = await slack.say(ANN, "<@BOT> mlops", GENERAL if place == "thread" else None)
        shown = await slack.wait_for_reply(posted)
    await settled(bot)
    await break_people(bot)
    assert shown is not None
    pressed = await slack.press(ANN, shown, "ask_someone")
    assert (pressed.status, pressed.ephemeral_to) == (200, ANN)
    reference_in(pressed.text, caplog)
    assert "*Responsibilities*" in words(shown)


async def test_a_button_in_a_modal(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    posted = await slack.say(CAI, "mlops", GENERAL)
    opened = await slack.message_shortcut(ANN, "find_who_can_help", posted)
    await settled(bot)
    await break_people(bot)
    assert opened.view is not None
    pressed = await slack.press(ANN, opened.view, "declare_role")
    assert pressed.view is not None
    reference_in(words(pressed.view), caplog)


async def test_a_menu_at_home(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    home = await slack.open_home(ANN)
    await break_people(bot)
    await slack.press(ANN, home, "browse_roles", selected="data-engineer")
    reference_in(slack.messages(slack.dm(ANN))[-1].text, caplog)


async def test_a_shortcut(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    await break_people(bot)
    opened = await slack.shortcut(ANN, "declare_role")
    assert opened.view is not None
    reference_in(words(opened.view), caplog)


async def test_a_form_keeps_what_was_typed(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    form = (await slack.command(ANN, "/genai-role me")).view
    await break_people(bot)
    refused = await slack.submit(ANN, form, {"topics": "zebracorn"})
    assert list(refused.errors) == ["roles_lead"]
    assert not refused.closed
    reference_in(refused.errors["roles_lead"], caplog)
    assert "zebracorn" not in caplog.text
    await mend_people(bot)
    saved = await slack.submit(ANN, form)
    assert saved.view is not None
    assert "zebracorn" in words(saved.view)


@pytest.mark.parametrize("place", ["channel", "thread", "dm", "dm thread"])
async def test_a_question_is_tried_three_times_and_apologised_for(
    slack: LocalSlack, bot: Bot, sleeper: Sleeper, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    root = await slack.say(CAI, "good morning", GENERAL) if place == "thread" else None
    if place == "dm thread":
        root = await slack.say(ANN, "hello")
        await settled(bot)
    await break_people(bot)
    thread = root.ts if root else None
    where = None if place.startswith("dm") else GENERAL
    posted = await slack.say(
        ANN, "<@BOT> who knows mlops zebracorn" if where else "who knows mlops zebracorn", where, thread
    )
    await settled(bot)
    said = slack.messages(posted.channel)[-1]
    reference = reference_in(said.text, caplog)
    assert said.thread_ts == (None if place == "dm" else thread or posted.ts)
    assert sleeper.slept == list(RETRY_SECONDS)
    tracebacks = [r for r in caplog.records if r.exc_info and reference in r.getMessage()]
    assert len(tracebacks) == 3
    assert "zebracorn" not in caplog.text
    (row,) = await rows(bot, "inbox", "state != 'done'")
    assert (row["state"], row["attempts"]) == ("dead", 3)


async def test_a_passing_failure_is_not_noticed(slack: LocalSlack, bot: Bot, sleeper: Sleeper) -> None:
    slack.fail("chat.postMessage", status=429)
    slack.fail("chat.postMessage", status=500)
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    assert [m.blocks[0]["text"]["text"] for m in slack.replies(posted)] == ["MLOps Engineer"]
    # As long as Slack asked for, then a pause of our own.
    assert sleeper.slept == [1.0, 1.0]
    assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]


async def test_where_not_even_the_apology_can_be_posted_the_log_has_it(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    slack.fail("chat.postMessage", error="fatal_error", times=4)
    await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    assert "the apology could not be posted" in caplog.text
    assert [row["state"] for row in await rows(bot, "inbox")] == ["dead"]
    # The lane lives on.
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    assert len(slack.replies(posted)) == 1


@pytest.mark.parametrize("code", ["account_inactive", "token_revoked", "invalid_auth"])
async def test_without_a_valid_token_an_event_is_a_dead_letter_at_once(
    slack: LocalSlack, bot: Bot, sleeper: Sleeper, faults: None, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    slack.fail("chat.postMessage", error=code)
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    assert [row["state"] for row in await rows(bot, "inbox")] == ["dead"]
    assert len(slack.called("chat.postMessage")) == 1
    assert sleeper.slept == []
    assert "not installed any more" in caplog.text
    # With a token again it is answered.
    await bot.inbox.replay(None, bot.worker._now())
    await bot.worker.poll()
    await settled(bot)
    assert len(slack.replies(posted)) == 1


@pytest.mark.parametrize("code", ["not_in_channel", "is_archived", "restricted_action"])
async def test_where_the_channel_takes_nothing_the_person_is_told(slack: LocalSlack, bot: Bot, code: str) -> None:
    slack.fail("chat.postMessage", error=code)
    await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    told = [message for message in slack.workspace.messages if message.from_bot]
    assert [message.channel for message in told] == [slack.dm(ANN)]
    assert "I can't write in the channel" in told[0].text
    assert "MLOps Engineer" in told[0].text


async def test_blocks_that_slack_refuses_are_left_out(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("chat.postMessage", error="msg_blocks_too_long")
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    (reply,) = slack.replies(posted)
    assert not reply.blocks
    assert reply.text.startswith("MLOps Engineer")


async def test_a_failing_background_event_tells_nobody(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("views.publish", error="not_enabled", times=3)
    await slack.send_event({"type": "app_home_opened", "user": ANN, "channel": slack.dm(ANN), "tab": "home"})
    await settled(bot)
    assert slack.called("chat.postMessage") == []
    assert [row["state"] for row in await rows(bot, "inbox")] == ["dead"]


@pytest.mark.parametrize(("code", "tries"), [("not_enabled", 3), ("token_revoked", 1)])
async def test_what_another_process_took_over_is_not_given_up_here(
    slack: LocalSlack, bot: Bot, clock: Clock, caplog: pytest.LogCaptureFixture, code: str, tries: int
) -> None:
    async with held(slack, clock) as reached:
        slack.fail("views.publish", error=code, times=3)
        await slack.send_event({"type": "app_home_opened", "user": ANN, "channel": slack.dm(ANN), "tab": "home"})
        await reached()
        clock.move(seconds=2 * LEASE.total_seconds())
        assert len(await SqlInbox(bot.engine, "another process").take_over(clock.at)) == 1
    await settled(bot)
    assert len(slack.called("views.publish")) == tries and "is another process's by now" in caplog.text
    assert [(row["state"], row["claimed_by"]) for row in await rows(bot, "inbox")] == [("claimed", "another process")]
    count = bot.metrics.registry.get_sample_value
    assert [count("genai_roles_events_total", {"outcome": what}) for what in ("dead", "not_installed")] == [None, None]


async def test_an_event_that_cannot_be_written_down_is_not_acknowledged(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO gone"))
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "zebracorn"}
    envelope = {"type": "event_callback", "team_id": TEAM, "event_id": "Ev0LOST", "event": event}
    assert (await slack.send_json(envelope)).status == 503
    assert "could not be written down" in caplog.text
    assert "zebracorn" not in caplog.text
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE gone RENAME TO inbox"))
    # Slack sends it again, and it is answered once.
    assert (await slack.send_json(envelope)).status == 200
    await settled(bot)
    assert len(slack.called("chat.postMessage")) == 1


async def test_a_person_who_cannot_be_told_is_logged(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    slack.fail("chat.postMessage", error="user_not_found")
    status = await interact(
        slack,
        {
            "type": "block_actions",
            "team": {"id": "T0LOCAL0001"},
            "user": {"id": ANN},
            "response_url": f"{slack.api_url.removesuffix('/api/')}/response/long-gone",
            "actions": [{"type": "button", "action_id": "ask_someone", "value": "mlops-engineer"}],
        },
    )
    assert status == 200
    assert "the person could not be told" in caplog.text


@pytest.mark.parametrize("fault", ["500", "429", "internal_error"])
async def test_while_slack_is_out_of_reach_a_question_waits(
    slack: LocalSlack, bot: Bot, clock: Clock, fault: str
) -> None:
    how: dict[str, Any] = {"status": int(fault)} if fault.isdigit() else {"error": fault}
    slack.fail("chat.postMessage", **how, times=100)
    posted = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    (row,) = await rows(bot, "inbox")
    assert (row["state"], row["attempts"], row["claimed_by"]) == ("claimed", 3, "")
    clock.move(seconds=PUT_BACK_SECONDS - 1)
    await bot.worker.poll()
    await settled(bot)
    assert (await rows(bot, "inbox"))[0]["attempts"] == 3
    slack.api.faults.clear()
    clock.move(seconds=2)
    await bot.worker.poll()
    await settled(bot)
    assert [m.blocks[0]["text"]["text"] for m in slack.replies(posted)] == ["MLOps Engineer"]
    assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]


async def test_after_an_hour_out_of_reach_a_question_is_a_dead_letter(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    slack.fail("chat.postMessage", status=503, times=100_000)
    await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    began = clock.at
    while (await rows(bot, "inbox"))[0]["state"] == "claimed":
        clock.move(seconds=61)
        await bot.worker.poll()
        await settled(bot)
    assert timedelta(minutes=50) < clock.at - began < timedelta(minutes=70)


def hang(slack: LocalSlack, times: int) -> asyncio.Event:
    """Let so many posts hang until the workspace closes; return what tells that they do."""
    slack.api.faults = faults = Faults()
    slack.fail("chat.postMessage", hang=BUSY_SECONDS, times=times)
    return faults.met


async def test_health_tells_of_a_worker_that_stands_still(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    async def health() -> int:
        address = slack.bot_url.replace("/slack/events", "/healthz")
        async with slack._out.session.get(address) as response:
            return response.status

    clock.move(seconds=STUCK_SECONDS)
    assert await health() == 200, "there is nothing to do"
    hangs = hang(slack, 1)
    await slack.say(ANN, "<@BOT> data engineer", GENERAL)
    await asyncio.wait_for(hangs.wait(), BUSY_SECONDS)
    assert await health() == 200, "it has just begun, after a long rest"
    clock.move(seconds=STUCK_SECONDS - 1)
    assert await health() == 200
    await slack.wait_for_reply(await slack.say(BEN, "<@BOT> mlops", GENERAL))
    clock.move(seconds=STUCK_SECONDS - 1)
    assert await health() == 200, "somebody else was answered meanwhile"
    clock.move(seconds=1)
    assert await health() == 503
    slack.api.closing.set()
    await settled(bot)
    assert await health() == 200


async def test_what_waits_for_a_worker_whose_every_place_hangs_does_not_pass_for_work(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    all_hang = hang(slack, MOST_AT_ONCE)
    for at in range(MOST_AT_ONCE):
        await slack.say((ANN, BEN, CAI)[at % 3], "<@BOT> mlops", GENERAL)
    await asyncio.wait_for(all_hang.wait(), BUSY_SECONDS)
    clock.move(seconds=STUCK_SECONDS - 1)
    await slack.say(ANN, "<@BOT> data engineer", GENERAL)
    assert not bot.worker.stands_still
    clock.move(seconds=1)
    assert bot.worker.stands_still
    slack.api.closing.set()
    await settled(bot)
    assert not bot.worker.stands_still


class Gate:
    """Hold whoever waits until it is opened."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.one_waits, self.all_wait, self.opened = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.one_waits.set()
        if len(self.slept) > MOST_AT_ONCE:
            self.all_wait.set()
        await self.opened.wait()


async def test_a_rate_limit_holds_for_its_channel_alone(
    slack: LocalSlack, database: str, clock: Clock, make_guide: MakeGuide
) -> None:
    gate = Gate()
    async with Start(slack, database, clock, gate, make_guide)() as bot:  # type: ignore[arg-type]
        slack.fail("chat.postMessage", status=429, retry_after=60)  # longer than any machine takes to send the rest
        first = await slack.say(ANN, "<@BOT> mlops", GENERAL)
        await asyncio.wait_for(gate.one_waits.wait(), BUSY_SECONDS)
        threads = [await slack.say(BEN, "<@BOT> mlops", GENERAL) for _ in range(MOST_AT_ONCE // 2)]
        threads += [await slack.say(CAI, "<@BOT> mlops", GENERAL) for _ in range(MOST_AT_ONCE // 2)]
        await asyncio.wait_for(gate.all_wait.wait(), BUSY_SECONDS)
        elsewhere = await slack.say(ANN, "mlops")
        await slack.wait_for_reply(elsewhere)
        assert len(slack.called("chat.postMessage")) == 2, "the refused one, and the one elsewhere"
        gate.opened.set()
        await settled(bot)
        assert [len(slack.replies(posted)) for posted in (first, *threads)] == [1] * (MOST_AT_ONCE + 1)


async def test_what_follows_in_a_thread_waits_behind_what_was_put_back(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    root = await slack.say(CAI, "good morning", GENERAL)
    slack.fail("chat.postMessage", status=503, times=12)
    await slack.say(ANN, "<@BOT> mlops", GENERAL, root.ts)
    await settled(bot)
    slack.api.faults.clear()
    clock.move(seconds=1)
    await slack.say(ANN, "<@BOT> data engineer", GENERAL, root.ts)
    await settled(bot)
    other = await slack.say(ANN, "<@BOT> mlops", GENERAL)
    await settled(bot)
    assert slack.replies(root) == []
    assert len(slack.replies(other)) == 1
    clock.move(seconds=PUT_BACK_SECONDS)
    await slack.say(ANN, "<@BOT> prompt engineer", GENERAL, root.ts)
    await settled(bot)
    assert slack.replies(root) == [], "nor does it overtake once the time is over"
    await bot.worker.poll()
    await settled(bot)
    await bot.worker.poll()
    await settled(bot)
    texts = [m.text.split("\n")[0] for m in slack.replies(root)]
    assert [text.split()[0] for text in texts[:2]] == ["MLOps", "Data"]
    assert len(texts) == 3
    assert [row["state"] for row in await rows(bot, "inbox")] == ["done"] * 4


# Restarts


async def test_an_event_that_waits_is_worked_off_after_a_restart(slack: LocalSlack, start: Start) -> None:
    async with start() as bot:
        await bot.worker.stop(0)  # the lanes are down: what comes in is written down and waits
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
        assert [row["state"] for row in await rows(bot, "inbox")] == ["claimed"]
    assert slack.replies(posted) == []
    async with start() as bot:
        await settled(bot)
        assert len(slack.replies(posted)) == 1
        assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]
    async with start() as bot:
        await settled(bot)
        assert len(slack.replies(posted)) == 1


async def test_all_that_waits_is_taken_up_at_a_start(slack: LocalSlack, start: Start, clock: Clock) -> None:
    count = 2 * MOST_TAKEN + 1
    async with start() as bot:
        await bot.worker.stop(0)
        for number in range(count):
            await slack.send_event({"type": "app_home_opened", "user": ANN, "tab": "messages"}, event_id=f"Ev{number}")
    async with start() as bot:
        assert [row["state"] for row in await rows(bot, "inbox")] == ["done"] * count


async def test_stopping_in_the_middle_leaves_the_event_for_the_next_start(
    slack: LocalSlack, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async with start() as bot:
        slack.fail("chat.postMessage", hang=30)
        posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
        await asyncio.sleep(0)
        await bot.worker.stop(0.05)
        assert "stopped with 1 events waiting; they are handed back" in caplog.text
        assert [row["state"] for row in await rows(bot, "inbox")] == ["claimed"]
    async with start() as bot:
        await settled(bot)
        assert [row["state"] for row in await rows(bot, "inbox")] == ["done"]
        assert slack.replies(posted)


# Slack out of reach at the start


@pytest.mark.parametrize("fault", ["500", "429", "invalid_auth"])
async def test_the_bot_starts_while_slack_is_out_of_reach(
    slack: LocalSlack, start: Start, sleeper: Sleeper, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    if fault.isdigit():
        slack.fail("auth.test", status=int(fault), times=2)
    else:
        slack.fail("auth.test", error=fault)
    async with start() as bot:
        assert "MLOps Engineer" in (await slack.command(ANN, "/genai-role mlops")).text
        if fault == "invalid_auth":
            assert bot.authorize.state == "invalid_auth"
            assert "Slack refuses SLACK_BOT_TOKEN" in caplog.text
        else:
            assert bot.authorize.state == "connected"
            assert len(sleeper.slept) == 2
