"""Log lines name the request, event and workspace they belong to, and hold neither a token nor what people wrote."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from bot.logs import about, set_up_logging
from bot.settings import Settings
from handlers.errors import apology
from tests.conftest import ANN, CAI, TEAM, Start, interact, settled

WORD = "zebracorn"
SetUp = Callable[..., io.StringIO]


@pytest.fixture
def set_up(root_logging: logging.Logger) -> SetUp:
    """Set logging up as the command line does, into a text."""
    written = io.StringIO()

    def start(
        form: Literal["text", "json"] = "json", level: Literal["DEBUG", "INFO"] = "INFO", **given: Any
    ) -> io.StringIO:
        settings = Settings(_env_file=None, log_format=form, log_level=level, **given)  # type: ignore[call-arg]
        set_up_logging(settings, written)
        return written

    return start


def lines(written: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


async def live(slack: LocalSlack, bot: Bot) -> None:
    """Let every kind of thing happen once, with the word in all that people type."""
    await slack.command(ANN, f"/genai-role mlops {WORD}")
    await slack.say(ANN, f"<@BOT> who knows mlops {WORD}", GENERAL)
    await slack.say(ANN, f"what about {WORD}")
    form = (await slack.command(ANN, "/genai-role me")).view
    await slack.submit(ANN, form, {"topics": WORD})
    posted = await slack.say(CAI, f"help with {WORD}", GENERAL)
    await slack.message_shortcut(ANN, "find_who_can_help", posted)
    await slack.send_event({"type": "some_day", "text": WORD})
    await slack.send_json({"type": "event_callback", "text": WORD})
    await interact(slack, {"type": "view_submission", "view": WORD, "team": {"id": TEAM}})
    await settled(bot)
    slack.fail("chat.postMessage", error="channel_not_found", times=9)
    await slack.say(ANN, f"<@BOT> and {WORD} again", GENERAL)
    await settled(bot)
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE declarations RENAME TO gone"))
    await slack.command(ANN, f"/genai-role who mlops {WORD}")
    await slack.say(ANN, f"<@BOT> who knows mlops and {WORD}", GENERAL)
    await settled(bot)
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO lost"))
    await slack.say(ANN, f"<@BOT> {WORD}", GENERAL)


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
async def test_neither_tokens_nor_words_are_logged(
    slack: LocalSlack, start: Start, set_up: SetUp, form: str, level: str
) -> None:
    # Without the bot's own secrets: nothing logs them, so that nothing has to be blotted out.
    written = set_up(form, level)
    async with start() as bot:
        await live(slack, bot)
    log = written.getvalue()
    assert "reference" in log and "Traceback" in log
    assert "[secret]" not in log
    assert slack.bot_token not in log
    assert slack.signing_secret not in log
    assert "Bearer" not in log
    assert WORD not in log


@pytest.mark.usefixtures("faults")
async def test_the_reference_that_a_person_reads_is_the_request_of_the_log(
    slack: LocalSlack, bot: Bot, set_up: SetUp
) -> None:
    written = set_up()
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE declarations RENAME TO gone"))
    reply = await slack.command(ANN, "/genai-role who mlops")
    failed = [line for line in lines(written) if "exception" in line]
    assert failed
    assert {line["workspace"] for line in failed} == {TEAM}
    assert {reply.text} == {apology(line["request"]) for line in failed}


@pytest.mark.usefixtures("faults")
async def test_lines_of_an_event_name_it_and_its_workspace(slack: LocalSlack, bot: Bot, set_up: SetUp) -> None:
    written = set_up()
    slack.fail("chat.postMessage", error="fatal_error")
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    await slack.send_event(event, event_id="Ev0ONE", team_id="T0OTHER0001")
    await settled(bot)
    (failed,) = [line for line in lines(written) if line["level"] == "ERROR"]
    assert (failed["event"], failed["workspace"]) == ("Ev0ONE", "T0OTHER0001")


@pytest.mark.usefixtures("faults")
async def test_an_event_that_is_not_written_down_has_both_ids(slack: LocalSlack, bot: Bot, set_up: SetUp) -> None:
    written = set_up()
    async with bot.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE inbox RENAME TO gone"))
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    await slack.send_json({"type": "event_callback", "team_id": TEAM, "event_id": "Ev0LOST", "event": event})
    (failed,) = [line for line in lines(written) if line["level"] == "ERROR"]
    assert (failed["event"], failed["workspace"]) == ("Ev0LOST", TEAM)
    assert f"reference {failed['request']}: " in failed["message"]


async def test_work_after_an_answer_keeps_the_ids(slack: LocalSlack, bot: Bot, set_up: SetUp) -> None:
    written = set_up()
    form = (await slack.command(ANN, "/genai-role me")).view
    slack.fail("users.info", error="fatal_error")
    await slack.submit(ANN, form, {"topics": "Airflow"})
    await settled(bot)
    (line,) = [line for line in lines(written) if "users.info" in line["message"]]
    assert line["workspace"] == TEAM and line["request"]


def test_text_lines_end_with_the_ids(set_up: SetUp) -> None:
    written = set_up("text")
    with about(request="r1", workspace="T1"), about(event="Ev1"):
        logging.getLogger("bot").info("inside")
    logging.getLogger("bot").info("outside")
    inside, outside = written.getvalue().splitlines()
    assert inside.endswith(" INFO bot: inside [request=r1 workspace=T1 event=Ev1]")
    assert outside.endswith(" INFO bot: outside")


def test_an_id_cannot_forge_a_line(set_up: SetUp) -> None:
    written = set_up("text")
    with about(event="Ev1\n2026 ERROR bot: forged" + "x" * 100):
        logging.getLogger("bot").info("said")
    (line,) = written.getvalue().splitlines()
    assert len(line) < 200


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-123-456-abcDEF",
        "xoxp-1-2-3-abcdef",
        "xapp-1-A0-1-abcdef",
        "xoxe.xoxb-1-abcdef",
        "wss://wss-primary.slack.com/link/?ticket=0a1b-2c3d&app_id=x",
        "my signing secret",
        "first-key-0000",
        "second-key-000",
        "hunter22",
    ],
)
def test_what_is_secret_is_blotted_out_wherever_it_comes_from(set_up: SetUp, form: str, secret: str) -> None:
    written = set_up(
        form,
        slack_signing_secret=SecretStr("my signing secret"),
        encryption_keys=SecretStr("first-key-0000, second-key-000"),
        database_url="postgresql://bot:hunter22@db.example/bot",
    )
    try:
        raise RuntimeError(f"refused with {secret}")
    except RuntimeError:
        logging.getLogger("elsewhere").exception("failed with %s", secret)
    log = written.getvalue()
    assert log.count("[secret]") >= 2
    assert secret.partition("ticket=")[2][:9] not in log if "ticket" in secret else secret not in log


def test_a_line_of_json_stays_one(set_up: SetUp) -> None:
    written = set_up("json")
    logging.getLogger("bot").info("two\nlines and a xoxb-1-2-abcdef")
    (line,) = lines(written)
    assert line["message"] == "two\nlines and a [secret]"
    assert set(line) == {"time", "level", "logger", "message"}
