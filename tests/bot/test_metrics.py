"""What Prometheus is told: every request, event, answer and call counted once, and nobody named."""

from __future__ import annotations

import asyncio
import io
import math
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import get_args

import aiohttp
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from bot.app import Bot
from bot.intake import surface_of
from bot.local import GENERAL, LocalSlack
from bot.metrics import KINDS, SECONDS, MetricsSite
from bot.server import MOST_BYTES
from bot.settings import SettingsError
from bot.worker import RETRY_SECONDS
from knowledge.answers import Answer
from storage.asks import SqlAsks
from tests.asks import Asks, new_ask
from tests.conftest import ANN, BEN, CAI, LATE_SECONDS, MEMBERS, TEAM, Clock, Start, settled

JSON_TYPE = {"Content-Type": "application/json"}


def value(bot: Bot, name: str, **labels: str) -> float:
    """Return a sample of the registry; 0 where it was never counted."""
    return bot.metrics.registry.get_sample_value(f"genai_roles_{name}", labels) or 0.0


async def scrape(bot: Bot) -> str:
    """Fetch the page as Prometheus does."""
    assert bot.metrics_site.address
    async with aiohttp.ClientSession() as session, session.get(bot.metrics_site.address) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain")
        return await response.text()


def shown(page: str, name: str) -> float:
    """Return a sample without labels from a page."""
    return next(
        sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == f"genai_roles_{name}"
    )


@pytest_asyncio.fixture
async def measured(start: Start) -> AsyncIterator[Bot]:
    """The bot with its metrics on a free port."""
    async with start(metrics_port=0) as bot:
        yield bot


async def test_every_surface_is_counted(slack: LocalSlack, bot: Bot) -> None:
    card = await slack.command(ANN, "/genai-role mlops")
    await slack.press(ANN, card, "ask_someone")
    form = await slack.shortcut(ANN, "declare_role")
    await slack.submit(ANN, form.view, {"topics": "Airflow"})
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    for surface in ("command", "button", "shortcut", "view", "event"):
        assert value(bot, "requests_total", surface=surface, outcome="answered") == 1, surface
        assert value(bot, "request_seconds_count", surface=surface) == 1, surface


@pytest.mark.parametrize(
    ("body", "surface"),
    [
        ({"command": "/genai-role"}, "command"),
        ({"type": "event_callback"}, "event"),
        ({"type": "block_actions"}, "button"),
        ({"type": "view_submission"}, "view"),
        ({"type": "view_closed"}, "view"),
        ({"type": "shortcut"}, "shortcut"),
        ({"type": "message_action"}, "shortcut"),
        ({"type": "block_suggestion"}, "options"),
        ({"type": "url_verification"}, "other"),
        ({"type": 5}, "other"),
        ({}, "other"),
    ],
)
def test_surfaces(body: dict[str, object], surface: str) -> None:
    assert surface_of(body) == surface


async def test_refusals_are_counted_by_their_status(slack: LocalSlack, bot: Bot) -> None:
    await slack.post_raw(b"{}", JSON_TYPE)
    await slack.post_raw(b"not json", JSON_TYPE, signed=True)
    await slack.post_raw(b'{"type": "event_callback"}', JSON_TYPE, signed=True)
    async with slack._out.session.post(slack.bot_url, data=io.BytesIO(b"x" * (MOST_BYTES + 1))) as response:
        assert response.status == 413
    counted = {
        (surface, code): value(bot, "requests_total", surface=surface, outcome=f"refused_{code}")
        for surface in ("other", "event")
        for code in (400, 401, 413)
    }
    assert {key: count for key, count in counted.items() if count} == {
        ("other", 401): 1,
        ("other", 400): 1,
        ("event", 400): 1,
        ("other", 413): 1,
    }


@pytest.mark.usefixtures("faults")
async def test_a_failure_is_not_counted_as_answered(slack: LocalSlack, bot: Bot) -> None:
    form = (await slack.command(BEN, "/genai-role me")).view
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE declarations RENAME TO gone"))
    await slack.command(ANN, "/genai-role who mlops")
    await slack.submit(BEN, form, {"topics": "GDPR"})
    assert value(bot, "requests_total", surface="command", outcome="failed") == 1
    assert value(bot, "requests_total", surface="view", outcome="failed") == 1
    # The command that opened the form, and no other.
    assert value(bot, "requests_total", surface="command", outcome="answered") == 1


@pytest.mark.usefixtures("faults")
async def test_an_event_that_is_not_written_down_is_counted(slack: LocalSlack, bot: Bot) -> None:
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO gone"))
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    await slack.send_json({"type": "event_callback", "team_id": TEAM, "event_id": "Ev1", "event": event})
    assert value(bot, "requests_total", surface="event", outcome="not_written") == 1


async def test_a_late_answer_is_counted_as_late(slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    held = asyncio.Event()
    ask = bot.guide.ask

    async def slowly(question: object) -> Answer:
        await held.wait()
        return await ask(question)  # type: ignore[arg-type]

    bot.guide.ask = slowly  # type: ignore[method-assign]
    monkeypatch.setattr("bot.intake.PATIENCE", LATE_SECONDS)
    await slack.command(ANN, "/genai-role mlops")
    held.set()
    await settled(bot)
    assert value(bot, "requests_total", surface="command", outcome="late") == 1


async def test_events_are_counted_by_what_became_of_them(slack: LocalSlack, bot: Bot) -> None:
    posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    await slack.edit(posted, "<@BOT> what is mlops now")
    await settled(bot)
    assert value(bot, "events_total", outcome="done") == 1
    assert value(bot, "events_total", outcome="repeated") == 1


@pytest.mark.usefixtures("faults")
async def test_an_event_given_up_is_counted_once_and_each_attempt_before(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("chat.postMessage", error="fatal_error", times=len(RETRY_SECONDS) + 2)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    assert value(bot, "events_total", outcome="retried") == len(RETRY_SECONDS)
    assert value(bot, "events_total", outcome="dead") == 1
    assert value(bot, "events_total", outcome="done") == 0


async def test_answers_are_counted_by_kind(slack: LocalSlack, bot: Bot) -> None:
    for asked in ("mlops", "who mlops", "compare data engineer and data scientist", "help", "zebracorn quux"):
        await slack.command(ANN, f"/genai-role {asked}")
    await settled(bot)
    assert {kind: value(bot, "answers_total", kind=kind) for kind in ("card", "people", "compare", "help", "none")} == {
        "card": 1,
        "people": 1,
        "compare": 1,
        "help": 1,
        "none": 1,
    }


def test_every_answer_has_a_kind() -> None:
    assert set(KINDS) == set(get_args(Answer))


async def test_calls_to_slack_are_counted_wherever_they_are_made(slack: LocalSlack, bot: Bot) -> None:
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await slack.open_home(ANN)
    await settled(bot)
    for method in ("auth.test", "chat.postMessage", "views.publish"):
        assert value(bot, "slack_calls_total", method=method, result="ok") == len(slack.called(method)) == 1, method
        assert value(bot, "slack_call_seconds_count", method=method) == 1


async def test_answers_by_response_url_are_counted_without_its_address(slack: LocalSlack, bot: Bot) -> None:
    card = await slack.command(ANN, "/genai-role mlops")
    await slack.press(ANN, card, "ask_someone")
    assert value(bot, "slack_calls_total", method="response_url", result="ok") == 1


@pytest.mark.usefixtures("faults")
async def test_calls_that_slack_refuses_are_counted_by_its_code(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("chat.postMessage", error="fatal_error")
    slack.fail("chat.postMessage", status=429, retry_after=7)
    slack.fail("chat.postMessage", status=503)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    results = ("fatal_error", "ratelimited", "http_503", "ok")
    counted = [value(bot, "slack_calls_total", method="chat.postMessage", result=result) for result in results]
    assert counted == [1, 1, 1, 1]
    assert value(bot, "slack_rate_limit_wait_seconds_total", method="chat.postMessage") == 7


async def test_without_a_port_nothing_listens(bot: Bot) -> None:
    assert bot.metrics_site.address is None


async def test_the_page_is_served_on_loopback(slack: LocalSlack, measured: Bot) -> None:
    await slack.command(ANN, "/genai-role mlops")
    page = await scrape(measured)
    assert measured.metrics_site.address and measured.metrics_site.address.startswith("http://127.0.0.1:")
    assert 'genai_roles_requests_total{outcome="answered",surface="command"} 1.0' in page
    assert shown(page, "database_up") == 1


async def test_a_taken_port_is_said_in_a_sentence(measured: Bot) -> None:
    assert measured.metrics_site.address
    port = int(measured.metrics_site.address.split(":")[-1].split("/")[0])
    with pytest.raises(SettingsError, match=f"METRICS_PORT {port} can't be listened on"):
        await MetricsSite(
            measured.metrics, lambda: measured.inbox.depth(Clock().now()), SqlAsks(measured.engine).counts, port
        ).start()


async def test_the_inbox_is_looked_at_when_the_page_is_fetched(slack: LocalSlack, measured: Bot, clock: Clock) -> None:
    assert shown(await scrape(measured), "inbox_waiting") == 0
    await measured.worker.stop(0)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    clock.at += timedelta(seconds=90)
    page = await scrape(measured)
    assert (shown(page, "inbox_waiting"), shown(page, "inbox_oldest_seconds")) == (1, 90)
    assert shown(page, "inbox_dead") == 0


async def test_the_page_is_there_while_the_database_is_not(slack: LocalSlack, measured: Bot) -> None:
    async with measured.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO gone"))
    page = await scrape(measured)
    assert shown(page, "database_up") == 0
    assert math.isnan(shown(page, "inbox_waiting"))


async def test_questions_to_people_are_counted_by_state(slack: LocalSlack, measured: Bot, clock: Clock) -> None:
    page = await scrape(measured)
    assert 'genai_roles_asks{state="asked"} 0.0' in page and 'genai_roles_asks{state="nobody"} 0.0' in page
    for number in range(3):
        ask = new_ask(str(number), ANN, f"T{number}", asked=CAI, question="zebracorn", now=clock.now())
        assert await Asks(measured.engine).create(ask, clock.now()) == "done"
    page = await scrape(measured)
    assert 'genai_roles_asks{state="asked"} 3.0' in page
    assert [found for found in (ANN, CAI, "zebracorn", "T1", "Prompt Engineer") if found in page] == []


async def test_questions_that_cannot_be_counted_leave_the_inbox_known(slack: LocalSlack, measured: Bot) -> None:
    async with measured.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE asks RENAME TO gone"))
    page = await scrape(measured)
    assert (shown(page, "database_up"), shown(page, "inbox_waiting")) == (1, 0)
    assert "genai_roles_asks{" not in page


async def test_no_label_names_anybody(slack: LocalSlack, measured: Bot) -> None:
    await slack.press(ANN, await slack.command(ANN, "/genai-role mlops"), "ask_someone")
    await slack.say(CAI, "<@BOT> who knows mlops", GENERAL)
    await slack.say(CAI, "zebracorn")
    await settled(measured)
    page = await scrape(measured)
    ids = [TEAM, GENERAL, slack.bot_user, slack.bot_token, "zebracorn", *(member.id for member in MEMBERS)]
    assert [found for found in ids if found in page] == []


def test_the_histograms_reach_from_a_millisecond_to_ten_seconds() -> None:
    assert (SECONDS[0], SECONDS[-1]) == (0.001, 10)
    assert 3 in SECONDS


async def test_metrics_listen_where_they_are_told_to(start: Start) -> None:
    async with start(metrics_port=0, metrics_host="127.0.0.2") as bot:
        assert (bot.metrics_site.address or "").startswith("http://127.0.0.2:")
