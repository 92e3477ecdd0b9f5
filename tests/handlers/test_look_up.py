"""`/genai-role …`: a card, candidates, a comparison, help, or an honest no; always in the response itself."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Outcome
from knowledge.answers import Answer, Candidates, Subject
from knowledge.guide import Guide, Question
from tests.conftest import ANN, BEN, CAI, EVA, Start, declares, settled, words


def actions_of(reply: Outcome) -> dict[str, str]:
    """Return the buttons of a reply: their words by action id."""
    return {
        element["action_id"]: element["text"]["text"]
        for block in reply.blocks
        if block["type"] == "actions"
        for element in block["elements"]
        if element["type"] == "button"
    }


def title(reply: Outcome) -> str:
    return str(reply.blocks[0]["text"]["text"]) if reply.blocks and reply.blocks[0]["type"] == "header" else ""


@pytest.mark.parametrize(
    ("typed", "heading"),
    [
        ("mlops", "MLOps Engineer"),
        ("MLOps Engineer", "MLOps Engineer"),
        ("  MLOPS   engineer ", "MLOps Engineer"),
        ("mlops-engineer", "MLOps Engineer"),
        ("ml ops", "MLOps Engineer"),
        ("mlops enginer", "MLOps Engineer"),
        ("`mlops`", "MLOps Engineer"),
        (":robot_face: mlops :tada:", "MLOps Engineer"),
        ("<@U0BEN000001|ben> mlops", "MLOps Engineer"),
        ("*mlops*", "MLOps Engineer"),
        ("prompt writer", "Prompt Engineer"),
        ("data scientist", "Data Scientist"),
        ("ai-safety-engineer", "AI Safety Engineer (emerging role)"),
        ("AI UX designer", "UX Designer for AI Systems"),
        ("PyTorch", "PyTorch"),
        ("c++", "C++"),
        ("A/B testing", "A/B testing"),
        ("k8s", "Kubernetes"),
        ("best practices", "Best practices"),
        ("future trends", "Future trends"),
        ("which role deploys models to production?", "MLOps Engineer"),
    ],
)
async def test_an_entry_is_found_by(slack: LocalSlack, bot: Bot, typed: str, heading: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert title(reply).casefold().startswith(heading.casefold()), reply.text[:200]


async def test_the_answer_is_ephemeral_and_in_the_response_itself(slack: LocalSlack, bot: Bot) -> None:
    before = len(slack.calls)
    reply = await slack.command(ANN, "/genai-role mlops")
    await settled(bot)
    assert reply.status == 200
    assert '"response_type": "ephemeral"' in reply.body
    assert reply.ephemeral_to == ANN
    assert len(slack.calls) == before


async def test_a_role_card_holds_what_the_role_is_and_who_does_it(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, EVA, {"mlops-engineer": "learning"})
    reply = await slack.command(ANN, "/genai-role mlops")
    assert reply.message is not None
    shown = words(reply.message)
    for heading in ("*Responsibilities*", "*Skills*", "*Tools:*", "*Example*", "*Works with*", "*Who does it here:*"):
        assert heading in shown
    role = bot.guide.catalog.roles["mlops-engineer"]
    for statement in (*role.summary, *role.responsibilities, *role.skills):
        assert statement.text in shown.replace("&amp;", "&")
        assert statement.text in reply.text or len(reply.text) > 3900
    assert "<https://genai-team.slack.com/team/U0BEN000001|Ben Book> (lead)" in shown
    assert "Eva Ek> (learning, out of office)" in shown
    assert "Source: *MLOps Engineer* (roles/mlops-engineer)" in shown
    assert actions_of(reply) == {
        "declare_role": "I do this",
        "ask_someone": "Ask someone",
        "compare_role": "Compare",
        "more_about_role": "More",
        "share_answer": "Share in channel",
        "rate_answer:helpful": "Helpful",
        "rate_answer:not": "Not helpful",
    }


async def test_a_card_says_so_where_nobody_does_it(slack: LocalSlack, bot: Bot) -> None:
    assert "nobody has declared it yet" in (await slack.command(ANN, "/genai-role mlops")).text
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    assert "nobody else has declared it yet" in (await slack.command(ANN, "/genai-role mlops")).text


async def test_a_facet_shows_that_part_alone(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role what skills does a data engineer need?")
    assert reply.message is not None
    shown = words(reply.message)
    assert "*Skills*" in shown
    assert "*Works with*" not in shown
    assert actions_of(reply)["open_entry"] == "Whole card"


async def test_a_tool_card_says_who_uses_it_for_what(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role kubernetes")
    tool = bot.guide.catalog.tools["kubernetes"]
    assert tool.summary[0].text in reply.text
    for note in tool.used_by:
        assert f"{bot.guide.catalog.roles[note.role].name}: {note.text}" in reply.text


class Unsure:
    """A guide that is sure of nothing: when that is so is the matching's affair."""

    def __init__(self, guide: Guide) -> None:
        self._guide = guide

    def __getattr__(self, name: str) -> Any:
        return getattr(self._guide, name)

    async def ask(self, question: Question) -> Answer:
        roles = self._guide.catalog.roles
        entries = (roles["data-scientist"], roles["ai-qa-specialist"], self._guide.catalog.tools["pytorch"])
        return Candidates(entries, Subject(), 0.4)


async def test_where_it_is_not_sure_it_offers_up_to_three_candidates(slack: LocalSlack, start: Start) -> None:
    make = start.make_guide
    start.make_guide = lambda *ports: cast(Guide, Unsure(make(*ports)))
    async with start():
        reply = await slack.command(ANN, "/genai-role something vague")
        assert reply.text.startswith("I'm not sure what you mean. Did you mean one of these?\n• Data Scientist\n")
        assert "PyTorch" in actions_of(reply).values()
        assert len(actions_of(reply)) == 3
        for at, heading in enumerate(("Data Scientist", "AI Quality Assurance", "PyTorch"), 1):
            again = await slack.command(ANN, "/genai-role something vague")
            opened = await slack.press(ANN, again, f"open_entry:{at}")
            assert opened.messages == [again.message]
            assert title(opened).startswith(heading)


@pytest.mark.parametrize("typed", ["zxqv wplk", "what is the weather in Paris", "blockchain yield farming"])
async def test_with_nothing_near_it_says_so_and_how_to_browse(slack: LocalSlack, bot: Bot, typed: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert reply.text.startswith("I don't know that.")
    assert "/genai-role help" in reply.text
    menu = reply.blocks[-1]["elements"][0]
    assert len(menu["options"]) == 16
    picked = await slack.press(ANN, reply, "browse_roles", selected="data-engineer")
    assert title(picked) == "Data Engineer"


@pytest.mark.parametrize("typed", ["", "   ", "help", "HELP!", "list all roles", "hello", "thanks"])
async def test_help_for_nothing_help_and_greetings(slack: LocalSlack, bot: Bot, typed: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert reply.ephemeral_to == ANN
    assert reply.text
    if typed.strip().casefold() not in ("hello", "thanks"):
        assert len(reply.blocks[-1]["elements"][0]["options"]) == 16
        for role in bot.guide.catalog.roles.values():
            assert role.name in reply.text
        for command in ("compare", "who", "me", "my data", "forget me"):
            assert f"/genai-role {command}" in reply.text
    else:
        assert len(reply.blocks) == 2


@pytest.mark.parametrize(
    "typed",
    [
        "compare mlops and data engineer",
        "compare MLOps with data engineer",
        "mlops vs data engineer",
        "MLOps Engineer vs. Data Engineer",
        "what is the difference between mlops and a data engineer?",
    ],
)
async def test_two_roles_stand_side_by_side(slack: LocalSlack, bot: Bot, typed: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert title(reply) == "MLOps Engineer and Data Engineer"
    columns = [block["fields"] for block in reply.blocks if "fields" in block]
    assert all(len(pair) == 2 for pair in columns)
    assert "*MLOps Engineer*" in columns[0][0]["text"]
    assert "*Data Engineer*" in columns[0][1]["text"]
    assert actions_of(reply)["share_answer"] == "Share in channel"


async def test_a_comparison_clears_up_the_confusion(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role machine learning engineer vs mlops engineer")
    roles = bot.guide.catalog.roles
    notes = [n.text for n in roles["mlops-engineer"].confused_with if n.role == "machine-learning-engineer"]
    assert notes
    assert "How to tell them apart" in reply.text
    assert notes[0] in reply.text


@pytest.mark.parametrize("typed", ["compare", "compare mlops", "compare mlops and mlops", "compare zzz and qqq", "vs"])
async def test_a_comparison_without_two_roles_is_answered_with_how(slack: LocalSlack, bot: Bot, typed: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert reply.status == 200
    assert reply.text


@pytest.mark.parametrize("typed", ["what is a payload", "payload", "payload=notjson", "a&payload=1", "100% a=b; c"])
async def test_any_word_may_stand_in_a_command(slack: LocalSlack, bot: Bot, typed: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert (reply.status, reply.error) == (200, None)
    assert reply.ephemeral_to == ANN


async def test_a_channel_may_be_called_payload(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role mlops", fields={"channel_name": "payload-team"})
    assert title(reply) == "MLOps Engineer"


async def test_a_command_works_where_the_bot_is_not_a_member(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role mlops", channel="finance")
    assert title(reply) == "MLOps Engineer"
    pressed = await slack.press(ANN, reply, "ask_someone")
    assert pressed.ephemeral_to == ANN


async def test_a_command_is_answered_while_slack_is_down(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, CAI, {"mlops-engineer": "lead"})
    # Who declared something is known; nobody is named to somebody who may be a guest.
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    slack.fail("*", status=500, times=100)
    reply = await slack.command(ANN, "/genai-role who mlops", channel=GENERAL)
    assert "Cai Chen" in reply.text
