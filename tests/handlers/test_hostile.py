"""What people write may be anything: it comes back escaped, within Slack's limits, and notifies nobody.

The `slack` fixture checks every message that comes of it.
"""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Member
from tests.conftest import ANN, BEN, CAI, DEE, EVA, TEAM, declares, rows, settled, words

HOSTILE = (
    "<!channel> <!here> <!everyone> <!subteam^S123>",
    "@here @channel @everyone",
    "<@U0BEN000001> <@W0BEN000001|ben>",
    "&lt;!channel&gt; &amp;lt;",
    "<https://evil.example|https://good.example>",
    "*bold* _it_ ~no~ `code` ```block",
    "> quoted\n\n# heading\r\n\t\x00\x07",
    "|> |>|> <|> <https://x|y|z>",
    "\u202e\u200b\ufeff𝕄𝕃𝕆𝕡𝕤 👩‍💻🏳️‍🌈 ﷽ \U000e0041",
    "'; DROP TABLE declarations; --",
    "${{7*7}} {{x}} %s %n {0}",
    "%00%0a&payload={}",
)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_question_may_be_anything(slack: LocalSlack, bot: Bot, text: str) -> None:
    for typed in (text, f"who {text}", f"compare {text} and {text}", f"mlops {text}"):
        reply = await slack.command(ANN, f"/genai-role {typed}")
        assert (reply.status, reply.error) == (200, None)
        assert reply.text
        for said in (await slack.say(ANN, f"<@BOT> {typed}", GENERAL), await slack.say(ANN, typed)):
            await settled(bot)
            assert len(slack.replies(said)) == 1


@pytest.mark.parametrize("sign", ["x", "mlops ", "<", "&amp;", "*", "ﷺ", "who ", "a vs "])
async def test_a_question_may_be_very_long(slack: LocalSlack, bot: Bot, sign: str) -> None:
    text = (sign * 40_000)[:40_000]
    reply = await slack.command(ANN, f"/genai-role {text}")
    assert (reply.status, reply.error) == (200, None)
    posted = await slack.say(ANN, f"<@BOT> {text}", GENERAL)
    await settled(bot)
    assert len(slack.replies(posted)) == 1


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_topic_may_be_anything(slack: LocalSlack, bot: Bot, text: str) -> None:
    topic = f"zebra {' '.join(text.replace(',', ' ').split())}"[:60]
    form = (await slack.command(BEN, "/genai-role me")).view
    saved = await slack.submit(BEN, form, {"topics": topic})
    assert saved.errors == {}
    await settled(bot)
    assert await rows(bot, "declarations")
    for reply in (
        await slack.command(ANN, f"/genai-role who {topic}"),
        await slack.command(BEN, "/genai-role my data"),
    ):
        assert (reply.status, reply.error) == (200, None)
    assert "zebra" in words(await slack.open_home(BEN))
    await slack.command(BEN, "/genai-role me")
    await settled(bot)


@pytest.mark.parametrize("text", [*HOSTILE, "N" * 5000, "<" * 400, ""])
async def test_a_name_or_title_may_be_anything(slack: LocalSlack, bot: Bot, text: str) -> None:
    for user in (BEN, CAI, DEE, EVA):
        slack.workspace.add_members([Member(user, text, title=text, tz=text[:40])])
        await declares(
            bot, slack, user, {"mlops-engineer": "lead"}, tuple(f"{'<' * 50}kubernetes {at}" for at in range(9))
        )
    card = await slack.command(ANN, "/genai-role mlops")
    assert (card.status, card.error) == (200, None)
    asked = await slack.command(ANN, "/genai-role who kubernetes")
    assert (asked.status, asked.error) == (200, None)
    assert (await slack.press(ANN, card, "ask_someone")).error is None
    data = await slack.command(BEN, "/genai-role my data")
    assert (data.status, data.error) == (200, None)
    for reply in (card, asked):
        assert reply.message is not None
        # Each person stands in one whole link.
        shown = words(reply.message)
        assert shown.count("<https://genai-team.slack.com/team/") >= 3
        for part in shown.split("<https://genai-team.slack.com/team/")[1:]:
            label = part.partition("|")[2]
            assert ">" in label
            assert "|" not in label.partition(">")[0]
    await settled(bot)


async def test_as_much_as_may_be_declared_fits_everywhere(slack: LocalSlack, bot: Bot) -> None:
    roles = list(bot.guide.catalog.roles)
    topics = tuple(f"{'&' * 50}{at:02d}" for at in range(20))
    for user in (BEN, CAI, DEE, EVA):
        await declares(bot, slack, user, dict.fromkeys(roles, "learning"), topics)
    assert len(await rows(bot, "declarations")) == 4 * 36
    assert (await slack.command(BEN, "/genai-role my data")).error is None
    assert (await slack.command(BEN, "/genai-role me")).view is not None
    assert await slack.open_home(BEN)
    for role in roles:
        assert (await slack.command(ANN, f"/genai-role who {role}")).error is None
    await settled(bot)
    assert TEAM in str(await rows(bot, "members"))
