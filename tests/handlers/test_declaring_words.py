"""What people are told of what they declare: true for whoever they are, on whichever terms, in whichever workspace."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest

from bot.app import Bot
from bot.local import LocalSlack, Member
from handlers import ids
from knowledge.people import Member as Profile
from knowledge.people import Terms, Visibility
from knowledge.workspaces import Settings
from tests.conftest import ANN, BEN, GUS, TEAM, Clock, settled, words

OTTO = "U0OTTO00001"
MEMBERS_ONLY = "while you are not a full member of this workspace"
NAMED = ("Others who ask", "What others see of you in the directory")
COUNTED = ("only that somebody here does this",)
ASKED = ("Asked again on", "fades on", "I ask you")
NOT_ASKED = "You are not asked whether it is still right, and it does not fade."
VISIBILITIES: tuple[Visibility, ...] = ("open", "ask_first", "hidden")


@dataclass(frozen=True)
class Case:
    """Hold one combination."""

    user: str
    visibility: Visibility
    asks: bool

    @property
    def member(self) -> bool:
        return self.user == ANN

    def check(self, said: str) -> None:
        """Hold a text against what is so."""
        assert (any(text in said for text in NAMED)) == (self.member and self.visibility == "open")
        assert (any(text in said for text in COUNTED)) == (self.member and self.visibility == "ask_first")
        assert (MEMBERS_ONLY in said) == (not self.member)
        assert any(text in said for text in ASKED) == (self.member and self.asks)
        assert (NOT_ASKED in said) == (not self.member or not self.asks)


CASES = [Case(*one) for one in itertools.product((ANN, GUS, OTTO), VISIBILITIES, (True, False))]


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_what_is_said_of_a_declaration_is_so(slack: LocalSlack, bot: Bot, clock: Clock, case: Case) -> None:
    slack.workspace.add_members([Member(OTTO, "Otto Outside", home="T0OTHER0001")])
    await bot.workspaces.save(TEAM, Settings(starts_messages=case.asks), BEN, clock.now())
    if case.user == OTTO:
        # Whoever belongs to another company declared it before they did.
        await bot.people.declare(TEAM, OTTO, {}, {"gdpr": "GDPR"}, clock.now(), Terms(case.visibility))
        await bot.people.remember(TEAM, Profile(OTTO, "Otto Outside", is_guest=True), clock.now())
        form = (await slack.command(OTTO, "/genai-role me")).view
        assert form is not None and "Only people of this workspace declare here" in words(form)
        await slack.close(OTTO)
    else:
        form = (await slack.command(case.user, "/genai-role me")).view
        assert form is not None and "or are a guest here" in words(form)
        saved = await slack.submit(case.user, form, {"topics": "GDPR", "visibility": case.visibility})
        assert saved.view is not None
        case.check(words(saved.view))
        await settled(bot)
    case.check(words(await slack.open_home(case.user)))


@pytest.mark.parametrize("user", [ANN, GUS])
async def test_a_click_is_told_the_same(slack: LocalSlack, bot: Bot, clock: Clock, user: str) -> None:
    await slack.open_home(user)
    await slack.say(user, "I'm the MLOps lead and know MLflow")
    await settled(bot)
    offer = slack.messages(slack.dm(user))[-1]
    await slack.press(user, offer, f"{ids.CONFIRM}:0")
    await settled(bot)
    Case(user, "open", True).check(words(slack.messages(slack.dm(user))[-1]))


async def test_before_slack_says_who_somebody_is_nobody_is_promised_anything(slack: LocalSlack, bot: Bot) -> None:
    slack.fail("users.info", status=500, times=9)
    form = (await slack.command(GUS, "/genai-role me")).view
    assert form is not None
    saved = await slack.submit(GUS, form, {"topics": "GDPR"})
    assert saved.view is not None
    assert "if you are a guest, nobody is shown this" in words(saved.view)
