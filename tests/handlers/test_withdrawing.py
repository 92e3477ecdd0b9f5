"""What somebody says that they do no longer: shown with the form, and whatever is more than that is a question."""

from __future__ import annotations

import pytest

from bot.app import Bot
from bot.local import LocalSlack
from knowledge.people import Level, Terms
from tests.conftest import ANN, BEN, TEAM, Clock, declares, rows, settled, words
from tests.databases import ON_BOTH
from tests.handlers.test_declaring import element
from tests.handlers.test_proposals import offer

ROLES: dict[str, Level] = {"data-engineer": "lead", "mlops-engineer": "learning"}


def buttons(blocks: list[dict[str, object]]) -> list[tuple[str, str]]:
    found = [one for block in blocks if isinstance(each := block.get("elements"), list) for one in each]
    return [(one["text"]["text"], one["action_id"]) for one in found]


@ON_BOTH
async def test_nothing_is_written_but_by_the_form(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    terms = Terms("hidden", 2, {"budgets": "budgets"})
    await bot.people.declare(TEAM, ANN, ROLES, {"gdpr": "GDPR", "airflow": "Airflow"}, clock.now(), terms)
    before = await rows(bot, "declarations"), await rows(bot, "terms")
    clock.move(days=3)
    shown = await offer(slack, bot, "I no longer do data engineering, GDPR and looms")
    for part in (
        "Of what you declared, this is it:\n• Data Engineer (lead)\n• Topics: GDPR\n",
        "You have not declared “looms”.",
        "“Change…” opens the form",
    ):
        assert part in shown.text and part in words(shown)
    # The one button opens the form as it is declared.
    assert buttons(shown.blocks) == [("Change…", "declare_role")]
    form = (await slack.press(ANN, shown, "declare_role")).view
    assert form is not None
    assert [one["value"] for one in element(form, "roles_lead")["initial_options"]] == ["data-engineer"]
    assert {*element(form, "topics")["initial_value"].split(", ")} == {"GDPR", "Airflow"}
    assert (await rows(bot, "declarations"), await rows(bot, "terms")) == before


async def test_whoever_did_not_declare_it_is_shown_what_they_declared(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    shown = await offer(slack, bot, "I no longer do data engineering")
    assert "You have not declared “data engineering”.\nYou declare nothing." in words(shown)
    await bot.people.declare(TEAM, ANN, {"mlops-engineer": "lead"}, {}, clock.now())
    shown = await offer(slack, bot, "I don't do data engineering any more")
    assert "You have not declared “data engineering”.\nYou declared:\n• MLOps Engineer (lead)" in words(shown)


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("R&D", "Please remove R&amp;D from my topics"),
        ("R&D", "I no longer do R&D or Kafka"),
        ("Weights & Biases", "I no longer use Weights &amp; Biases"),
        ("Weights & Biases", "I no longer use Weights and Biases"),
        ("Research and Development", "I no longer do research and development"),
        ("Research and Development", "I don't do research & development"),
        (
            "large language model evaluation for healthcare",
            "I no longer do large language model evaluation for healthcare",
        ),
        ("Helping teams", "Remove helping teams from my topics please"),
        ("Helping teams", "Remove helping teams from my topics, please!"),
        ("the Falcon", "I no longer do the Falcon"),
        ("Falcon", "I don't do the Falcon"),
        ("HR law", "I no longer do HR law or Kafka"),
        ("HR law", "I'm no longer doing HR law"),
    ],
)
async def test_what_is_declared_is_found_as_it_is_called(slack: LocalSlack, bot: Bot, topic: str, said: str) -> None:
    await declares(bot, slack, ANN, {}, (topic, "GDPR"))
    shown = words(await offer(slack, bot, said))
    assert f"Of what you declared, this is it:\n• Topics: {topic}\n" in shown.replace("&amp;", "&")


@pytest.mark.parametrize("said", ["remove everything from my topics", "I no longer do anything"])
async def test_whoever_does_nothing_any_more_reads_how_all_is_withdrawn(slack: LocalSlack, bot: Bot, said: str) -> None:
    await declares(bot, slack, ANN, ROLES, ("GDPR",))
    shown = await offer(slack, bot, said)
    assert "You declared:\n• Data Engineer (lead)" in words(shown) and "say “forget me”" in words(shown)
    assert buttons(shown.blocks) == [("Change…", "declare_role")]
    assert (await bot.people.declaration(TEAM, ANN)).roles == ROLES


@pytest.mark.parametrize(
    "said",
    [
        "I don't do data engineering. Who can help me with Airflow",
        "I no longer use ChatGPT. Tell me about the MLOps engineer",
        "I no longer use ChatGPT, explain the MLOps engineer",
        "I'm not available now. Explain the MLOps engineer",
        "I'm not available now",
        "I do not know the ML engineer any more",
        "I no longer work with the data engineer",
        "I don't do MLOps, we need an MLOps engineer",
        "I don't do looms",
        "I no longer do data engineering. MLOps Engineer",
        "I no longer do data engineering, thanks. Airflow",
        "I no longer do data engineering, Airflow remains",
    ],
)
async def test_what_says_more_is_answered_as_a_question(slack: LocalSlack, bot: Bot, said: str) -> None:
    await declares(bot, slack, ANN, ROLES, ("Airflow",))
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    shown = words(await offer(slack, bot, said))
    assert not any(part in shown for part in ("ou declared", "You have not declared", "Change…"))


async def test_the_question_behind_it_is_answered(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {}, ("Airflow",))
    await slack.say(ANN, "I don't do data engineering. Who can help me with Airflow")
    await settled(bot)
    assert "For Airflow, ask:" in words(slack.messages(slack.dm(ANN))[-1])
