"""Whatever field it comes by, nothing that the bot shows is a mention, a broadcast or a link of the writer's making.

Every message and view that the workspace received is looked through, sign by sign; that they are well formed and
notify nobody, the `slack` fixture checks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Member
from knowledge.team import Alias, TeamEntry
from tests.asks import new_ask
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, declares, settled, shown_by

EVIL = (
    "<!channel> <!here|here> <!everyone> <!subteam^S0EVIL|@team> @here @channel #general",
    "<@U0EVIL00001> <@U0EVIL00001|ben> <#C0EVIL00001|general> @everyone",
    "<https://evil.example|https://good.example> https://evil.example <mailto:me@evil.example|you>",
    "&lt;!channel&gt; &amp;lt;!here&gt; <<!channel>>",
    "```<!channel>``` `<!here>` *<!everyone>*",
    "|<https://evil.example|>|> <|https://evil.example>",
    "<!date^1392734382^{date}^https://evil.example|soon>",
    "\u202eevil\u202c \u2066x\u2069 \x00\x07\x1b[31m\x7f\x85 ok",
    "<!channel>" * 4000,
)
IDS = [text[:20].encode("unicode_escape").decode() for text in EVIL]
LIVE = re.compile(r"<(?:!|[@#][A-Z0-9]*EVIL|(?:https?://|mailto:)[^|>]*evil)", re.IGNORECASE)
BARE = re.compile(r"(?<![\w;])@(?:here|channel|everyone)\b|https?://evil|#general")
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def texts(thing: Any, markup: bool = False) -> Iterator[tuple[str, bool, bool]]:
    """Go through all that is drawn: the text, whether it is markup, and whether bare words in it stay what they are."""
    match thing:
        case {"type": "mrkdwn", "text": str(said)}:
            yield said, True, thing.get("verbatim") is True
        case {"type": "plain_text", "text": str(said)}:
            yield said, False, True
        case {"type": "broadcast" | "user" | "usergroup" | "channel"}:
            yield f"<!{thing}>", True, True
        case {"type": "link", "url": str(url)}:
            yield f"<{url}|>", True, True
        case dict():
            for name, part in thing.items():
                if name == "text" and isinstance(part, str):
                    # The text of a message: Slack parses no bare words in what apps post.
                    yield part, thing.get("type") != "text", True
                elif name not in ("private_metadata", "value"):
                    yield from texts(part)
        case list():
            for part in thing:
                yield from texts(part)


def is_harmless(slack: LocalSlack) -> int:
    """Look through everything that was shown, and return how many texts that was."""
    seen = 0
    for shown, where in shown_by(slack):
        assert not shown.get("link_names"), where
        assert shown.get("parse") in (None, "none"), where
        for said, is_markup, verbatim in texts(shown):
            seen += 1
            if is_markup:
                assert not LIVE.search(said), (where, said[:300])
                assert verbatim or not BARE.search(said), (where, said[:300])
            assert not UNSEEN.search(said), (where, said[:300])
    return seen


def test_what_is_looked_for_is_found() -> None:
    assert all(LIVE.search(text) or UNSEEN.search(text) or BARE.search(text) for text in EVIL[:3] + EVIL[4:])
    [(said, is_markup, verbatim)] = texts(
        {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "@here"}}]}
    )
    assert (said, is_markup, verbatim) == ("@here", True, False)
    assert LIVE.search(next(texts({"type": "rich_text_section", "elements": [{"type": "broadcast"}]}))[0])


@pytest.mark.parametrize("evil", EVIL, ids=IDS)
async def test_what_is_asked(slack: LocalSlack, bot: Bot, evil: str) -> None:
    for typed in (evil, f"who {evil}", f"mlops {evil}", f"compare {evil} and mlops", f"me {evil}", f"help {evil}"):
        await slack.command(ANN, f"/genai-role {typed}"[:8000])
    for typed in (evil, f"who knows {evil}", f"I do {evil}"):
        await slack.say(ANN, f"<@BOT> {typed}"[:12000], GENERAL)
        await slack.say(ANN, typed[:12000])
    posted = await slack.say(BEN, evil[:12000], GENERAL)
    await slack.message_shortcut(ANN, "find_who_can_help", posted)
    await settled(bot)
    assert is_harmless(slack) > 50


@pytest.mark.parametrize("evil", EVIL, ids=IDS)
async def test_what_is_declared_and_what_a_profile_says(slack: LocalSlack, bot: Bot, clock: Clock, evil: str) -> None:
    one = evil.replace(",", " ")
    for user in (BEN, CAI, DEE):
        slack.workspace.add_members([Member(user, evil[:80], title=evil[:200], tz=evil[:40])])
        await declares(bot, slack, user, {"mlops-engineer": "lead"}, (f"zebra {one}"[:60],))
    form = (await slack.command(BEN, "/genai-role me")).view
    await slack.submit(BEN, form, {"topics": f"zebra {one}"[:60], "not_about": one[:60]})
    await settled(bot)
    shown = await slack.command(ANN, "/genai-role mlops")
    await slack.press(ANN, shown, "ask_someone")
    await slack.command(ANN, f"/genai-role who zebra {one}"[:300])
    for typed in ("my data", "me", "who mlops"):
        await slack.command(BEN, f"/genai-role {typed}")
    home = await slack.open_home(BEN)
    await slack.press(BEN, home, "home_section:directory")
    await settled(bot)
    assert is_harmless(slack) > 50


@pytest.mark.parametrize("evil", EVIL, ids=IDS)
async def test_what_a_team_keeps_and_what_people_ask_each_other(
    slack: LocalSlack, bot: Bot, clock: Clock, evil: str
) -> None:
    now = clock.now()
    entry = TeamEntry(
        "team-one",
        f"Zebra {evil}"[:80],
        (f"Zebu {evil}"[:80],),
        f"What is {evil}"[:300],
        evil[:2500],
        ("mlops-engineer",),
        (evil[:60],),
        written_by=BEN,
        shown_author=evil[:80],
        published_at=now,
        verified_at=now,
        state="published",
        changed_at=now,
    )
    await bot.team.save(TEAM, [entry], [Alias(f"gnu {evil}"[:80], "mlops-engineer", BEN, now)])
    await declares(bot, slack, DEE, {"mlops-engineer": "lead"})
    slack.workspace.members[ANN].admin = True
    for typed in (entry.name, entry.names[0], entry.question, f"gnu {evil}"[:80], "zebra"):
        await slack.command(ANN, f"/genai-role {typed}")
        await slack.say(ANN, f"<@BOT> {typed}", GENERAL)
    home = await slack.open_home(ANN)
    for section in ("team", "directory"):
        home = (await slack.press(ANN, home, f"home_section:{section}")).view or home
    ask = new_ask("a1", ANN, TEAM, asked=DEE, question=evil[:2000], now=now)
    await bot.courier._asks.create(replace(ask, about=evil[:120], note=evil[:500], further=evil[:500]), now)
    await bot.courier.run()
    await settled(bot)
    assert is_harmless(slack) > 50


@pytest.mark.parametrize(
    "said",
    [
        "I'm a &lt;!channel&gt; manager and know Kubernetes",
        "I'm a <https://evil.example|boss> and know Kubernetes and &lt;@U0EVIL00001&gt;",
        "I no longer do &lt;!here&gt; or &lt;https://evil.example|looms&gt;",
        "I'm a https://evil.example @here\u202e and know Kubernetes",
    ],
)
async def test_what_people_say_of_themselves_is_shown_as_words(slack: LocalSlack, bot: Bot, said: str) -> None:
    await slack.say(ANN, said)
    await settled(bot)
    shown = slack.messages(slack.dm(ANN))[-1].text
    assert "I know no role or subject called" in shown or "You have not declared" in shown
    assert is_harmless(slack)
