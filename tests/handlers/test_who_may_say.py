"""Who may do what in words: every command, event and shortcut, as everybody; what has a value is in test_who_may.py."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Member
from handlers import ids
from tests.conftest import EVA, Clock, settled
from tests.handlers.conftest import Tables
from tests.handlers.test_who_may import ELSEWHERE, OTHERS, OUT, OWN, SETTLE, WHO, allowed, furnish, quiet
from tests.routing import listeners

Way = Callable[[LocalSlack, str], Awaitable[Any]]
NAMES, ASK = "see names", "ask a person"


def command(text: str) -> Way:
    return lambda slack, user: slack.command(user, f"{ids.COMMAND} {text}")


def mention(text: str) -> Way:
    return lambda slack, user: slack.say(user, f"<@BOT> {text}", GENERAL)


def direct(text: str) -> Way:
    return lambda slack, user: slack.say(user, text)


async def home(slack: LocalSlack, user: str) -> None:
    await slack.home_opened(user)


async def changed(slack: LocalSlack, user: str) -> None:
    await slack.send_event({"type": "user_change", "user": {"id": user, "profile": {"title": "Weaver"}}})


async def declare(slack: LocalSlack, user: str) -> None:
    await slack.shortcut(user, ids.SHORTCUT_DECLARE)


async def find(slack: LocalSlack, user: str) -> None:
    await slack.message_shortcut(user, ids.SHORTCUT_FIND, await slack.say(EVA, "who does mlops", GENERAL))


# Each with its name in the routing table, and with the right that it takes; "" where it is about whoever acts.
WAYS: Mapping[str, tuple[str, Way, str]] = {
    "nothing": ("command", command(""), ""),
    "help": ("command", command("help"), ""),
    "a role": ("command", command("mlops"), NAMES),
    "a comparison": ("command", command("compare mlops and data engineer"), ""),
    "who has a role": ("command", command("who mlops"), NAMES),
    "who knows a topic": ("command", command("who looms of Dee"), NAMES),
    "asking": ("command", command("ask someone about mlops"), ASK),
    "me": ("command", command("me"), ""),
    "my data": ("command", command("my data"), ""),
    "settings": ("command", command("settings"), SETTLE),
    "who, in a channel": ("app_mention", mention("who does mlops?"), NAMES),
    "settings, in a channel": ("app_mention", mention("settings"), ""),
    "who, directly": ("message", direct("who does mlops?"), NAMES),
    "my data, directly": ("message", direct("my data"), ""),
    "declaring, directly": ("message", direct("I'm the MLOps lead"), ""),
    "the Home tab": ("app_home_opened", home, ""),
    "a changed profile": ("user_change", changed, ""),
    "the form": ("global_shortcut", declare, ""),
    "who can help": ("message_shortcut", find, NAMES),
    "forget me, directly": ("message", direct("forget me"), ""),
    "forget me": ("command", command("forget me"), ""),
}
SLACKS = {"app_uninstalled", "tokens_revoked", "team_access_granted", "team_access_revoked"}
"""What no person causes through the bot."""


def test_every_way_in_words_has_a_case() -> None:
    found = {what if kind == "event" else kind for kind, what in listeners() if kind in OTHERS - {"error"}}
    assert found == {kind for kind, _, _ in WAYS.values()} | SLACKS


def shown_since(slack: LocalSlack, calls: int, deliveries: int) -> str:
    """Return all that was sent to Slack, by calls and as answers."""
    told = [str(call.arguments) for call in slack.calls[calls:] if call.method.startswith(("chat.", "views."))]
    return "\n".join([*told, *(attempt.text for attempt in slack.deliveries[deliveries:])])


@pytest.mark.parametrize("user", WHO, ids=["administrator", "curator", "member", "guest", "outside"])
async def test_words_do_no_more_than_whoever_says_them_may(
    slack: LocalSlack, bot: Bot, clock: Clock, tables: Tables, caplog: pytest.LogCaptureFixture, user: str
) -> None:
    slack.workspace.add_members([Member(OUT, "Otto Out", home=ELSEWHERE)])
    await furnish(slack, bot, clock)
    for name, (_, way, right) in WAYS.items():
        may_do = allowed(right, user)
        own = OWN | {"terms", "declarations", "listings"}
        if "forget me" in name:
            # Whoever is forgotten is a hash in it, and curates no more.
            own |= {"audit", "curators", "settings"}
        before = tables.rows(own)
        calls, deliveries = len(slack.calls), len(slack.deliveries)
        await way(slack, user)
        await settled(bot)
        clock.move(seconds=10)
        shown = shown_since(slack, calls, deliveries)
        assert quiet(caplog) == [], name
        assert before == tables.rows(own), name
        assert shown or name == "a changed profile", name
        # Nothing that a colleague keeps for themself, nor what only curators and administrators see.
        assert "How do we version prompts?" not in shown, name
        assert ("Dee Dorsey" in shown) == (may_do and right in (NAMES, ASK)), name
        forms = set(re.findall(r"callback_id\W+(\w+)", shown))
        assert (ids.VIEW_SETTINGS in forms) == (may_do and right == SETTLE), name
        assert (ids.VIEW_PUT in forms) == (may_do and right == ASK), name
