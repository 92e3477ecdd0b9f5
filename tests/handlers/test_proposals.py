"""What is found while declaring, the terms on which one is suggested, and what is declared with one click."""

from __future__ import annotations

import json

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message
from knowledge.people import Terms
from tests.conftest import ANN, BEN, BUSY_SECONDS, CAI, LATE_SECONDS, TEAM, Clock, declares, rows, settled, words
from tests.databases import ON_BOTH
from tests.handlers.test_declaring import element, form

BUTTON_VALUE = 2000


async def offer(slack: LocalSlack, bot: Bot, said: str, user: str = ANN) -> Message:
    await slack.say(user, said)
    await settled(bot)
    return slack.messages(slack.dm(user))[-1]


def values(message: Message) -> list[str]:
    return [button["value"] for block in message.blocks for button in block.get("elements", ()) if "value" in button]


# Searching


async def test_all_roles_are_offered_before_anything_is_typed(slack: LocalSlack, bot: Bot) -> None:
    view = await form(slack, bot)
    for level in ("lead", "practitioner", "learning"):
        assert len(await slack.suggest(ANN, view, f"roles_{level}", "")) == 16


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("data eng", "data-engineer"),
        ("DATA-ENGINEER", "data-engineer"),
        ("mle", "machine-learning-engineer"),
        ("llmops", "mlops-engineer"),
        ("kubeflow", "mlops-engineer"),
        ("ethics pol", "ai-ethics-specialist"),
    ],
)
async def test_roles_are_found_by_names_titles_and_tools(slack: LocalSlack, bot: Bot, typed: str, first: str) -> None:
    found = await slack.suggest(ANN, await form(slack, bot), "roles_lead", typed)
    assert found[0]["value"] == first


@pytest.mark.parametrize("typed", ["zebracorn", "<!channel>x", "*" * 3000, "\u202e"])
async def test_a_search_for_anything_is_answered(slack: LocalSlack, bot: Bot, typed: str) -> None:
    view = await form(slack, bot)
    assert len(await slack.suggest(ANN, view, "roles_lead", typed)) <= 16
    assert len(await slack.suggest(ANN, view, "topics_found", typed)) <= 100


async def test_topics_of_colleagues_are_offered_in_their_words(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, topics=("Release Trains", "Airflow"))
    view = await form(slack, bot)
    offered = await slack.suggest(ANN, view, "topics_found", "release tr")
    assert [one["value"] for one in offered] == ["release tr", "Release Trains"]
    assert [one["value"] for one in await slack.suggest(ANN, view, "topics_found", "")] == ["Airflow", "Release Trains"]


@pytest.mark.parametrize("visibility", ["ask_first", "hidden"])
async def test_topics_of_those_who_are_not_shown_are_not_offered(slack: LocalSlack, bot: Bot, visibility: str) -> None:
    view = await form(slack, bot, user=BEN)
    await slack.submit(BEN, view, {"topics": "Release Trains", "visibility": visibility})
    assert await slack.suggest(ANN, await form(slack, bot), "topics_found", "") == []


@pytest.mark.parametrize(
    ("typed", "kept"), [("k8s", "Kubernetes"), ("Airflow", "Airflow"), ("zebra lore", "zebra lore")]
)
async def test_a_topic_has_one_spelling(slack: LocalSlack, bot: Bot, typed: str, kept: str) -> None:
    view = await form(slack, bot)
    assert (await slack.suggest(ANN, view, "topics_found", typed))[0]["value"] == kept
    await slack.submit(ANN, view, {"topics": typed})
    assert list((await bot.people.declaration(TEAM, ANN)).topics.values()) == [kept]
    await slack.submit(BEN, await form(slack, bot, user=BEN), {"topics": typed.upper()})
    assert list((await bot.people.declaration(TEAM, BEN)).topics.values()) == [kept]


async def test_ones_own_spelling_can_be_changed(slack: LocalSlack, bot: Bot) -> None:
    await slack.submit(ANN, await form(slack, bot), {"topics": "zebra lore"})
    await slack.close(ANN)
    await slack.submit(ANN, await form(slack, bot), {"topics": "Zebra Lore"})
    assert (await bot.people.declaration(TEAM, ANN)).topics == {"zebra lore": "Zebra Lore"}


async def test_topics_typed_and_chosen_are_put_together(slack: LocalSlack, bot: Bot) -> None:
    view = await form(slack, bot)
    await slack.submit(ANN, view, {"topics": "GDPR, k8s", "topics_found": ["Kubernetes", "LoRA"]})
    assert set((await bot.people.declaration(TEAM, ANN)).topics.values()) == {"GDPR", "Kubernetes", "LoRA"}


# Terms


async def test_terms_are_kept_shown_and_filled_in_again(slack: LocalSlack, bot: Bot) -> None:
    entered = {"topics": "GDPR", "not_about": "Airflow, budgets", "weekly_cap": "3", "visibility": "ask_first"}
    saved = await slack.submit(ANN, await form(slack, bot), entered)
    assert saved.view is not None
    for line in (
        "Nobody is shown your name.",
        "Not to be asked about: Airflow, budgets",
        "at most 3 times a week",
        "Ask me first: nobody sees the name",
    ):
        assert line in words(saved.view)
    assert (await bot.people.declaration(TEAM, ANN)).terms == Terms(
        "ask_first", 3, {"airflow": "Airflow", "budget": "budgets"}
    )
    await slack.close(ANN)
    again = await form(slack, bot)
    assert element(again, "weekly_cap")["initial_option"]["value"] == "3"
    assert element(again, "visibility")["initial_option"]["value"] == "ask_first"
    assert element(again, "not_about")["initial_value"] == "Airflow, budgets"
    home = words(await slack.open_home(ANN))
    assert "Ask me first: nobody sees the name" in home
    assert "Ann" not in (await slack.command(BEN, "/genai-role who gdpr")).text


async def test_the_form_begins_open_and_without_a_limit(slack: LocalSlack, bot: Bot) -> None:
    saved = await slack.submit(ANN, await form(slack, bot), {"topics": "GDPR"})
    assert (await bot.people.declaration(TEAM, ANN)).terms == Terms()
    assert saved.view is not None
    assert "Others who ask will see:" in words(saved.view)


@pytest.mark.parametrize("avoided", ["Kubernetes", "K8S", "budgets, kubernetes"])
async def test_a_topic_stands_in_one_place(slack: LocalSlack, bot: Bot, avoided: str) -> None:
    refused = await slack.submit(ANN, await form(slack, bot), {"topics": "k8s", "not_about": avoided})
    assert list(refused.errors) == ["not_about"]
    assert "stands under “Topics you can be asked about” too. Keep it in one place." in refused.errors["not_about"]
    assert await rows(bot, "declarations") == []


async def test_a_cap_set_elsewhere_stands_in_the_form(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    await bot.people.declare(TEAM, ANN, {"data-engineer": "lead"}, {}, clock.now(), Terms("open", 4))
    await slack.submit(ANN, await form(slack, bot), {})
    assert (await bot.people.declaration(TEAM, ANN)).terms == Terms("open", 4)


# Plain words


async def test_plain_words_are_declared_with_a_click(slack: LocalSlack, bot: Bot) -> None:
    shown = await offer(slack, bot, "I'm the MLOps lead and know MLflow")
    for part in ("MLOps Engineer (lead)", "Topics: MLflow", "Nothing is recorded without your click."):
        assert part in words(shown)
    assert await rows(bot, "declarations") == []
    done = await slack.press(ANN, shown, "declare_this:0")
    assert done.status == 200
    declared = await bot.people.declaration(TEAM, ANN)
    assert (declared.roles, declared.topics) == ({"mlops-engineer": "lead"}, {"mlflow": "MLflow"})
    said = slack.messages(slack.dm(ANN))[-1]
    assert "Saved. Others who ask will see:" in said.text
    for shown_to_her in (said.text, words(said)):
        assert "Asked again on 1 June 2026; fades on about 13 July 2026 unless confirmed." in shown_to_her
    # Once more changes nothing.
    await slack.press(ANN, shown, "declare_this:0")
    assert (await bot.people.declaration(TEAM, ANN)).roles == {"mlops-engineer": "lead"}


@ON_BOTH
async def test_topics_alone_are_declared_with_a_click(slack: LocalSlack, bot: Bot) -> None:
    shown = await offer(slack, bot, "I know Airflow and k8s")
    assert shown.text.startswith("Shall I write down that you can be asked about this?\n• Topics: Airflow, k8s\n")
    await slack.press(ANN, shown, "declare_this:0")
    declared = await bot.people.declaration(TEAM, ANN)
    assert (declared.roles, declared.topics) == ({}, {"airflow": "Airflow", "kubernetes": "Kubernetes"})


@ON_BOTH
async def test_what_is_not_known_of_plain_words_is_said_and_left_out(slack: LocalSlack, bot: Bot) -> None:
    shown = await offer(slack, bot, "I'm an engineering manager and know Kubernetes")
    assert shown.text.startswith("Shall I write down that you can be asked about this?\n• Topics: Kubernetes\n")
    for told in (shown.text, words(shown)):
        assert "I know no role or subject called “engineering manager”: that is left out." in told
    form = (await slack.press(ANN, shown, "declare_role")).view
    assert form is not None
    await slack.close(ANN)
    await slack.press(ANN, shown, "declare_this:0")
    declared = await bot.people.declaration(TEAM, ANN)
    assert (declared.roles, declared.topics) == ({}, {"kubernetes": "Kubernetes"})


async def test_plain_words_are_changed_first(slack: LocalSlack, bot: Bot) -> None:
    shown = await offer(slack, bot, "I do prompt engineering, still learning")
    view = (await slack.press(ANN, shown, "declare_role")).view
    assert view is not None
    assert [one["value"] for one in element(view, "roles_learning")["initial_options"]] == ["prompt-engineer"]
    assert await rows(bot, "declarations") == []
    await slack.submit(ANN, view)
    assert (await bot.people.declaration(TEAM, ANN)).roles == {"prompt-engineer": "learning"}


async def test_a_click_adds_to_what_is_declared_and_leaves_the_terms(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    terms = Terms("ask_first", 2, {"mlflow": "MLflow"})
    await bot.people.declare(TEAM, ANN, {"data-engineer": "lead"}, {"gdpr": "GDPR"}, clock.now(), terms)
    shown = await offer(slack, bot, "I'm an MLOps engineer and know MLflow and Kubeflow")
    await slack.press(ANN, shown, "declare_this:0")
    declared = await bot.people.declaration(TEAM, ANN)
    assert declared.roles == {"data-engineer": "lead", "mlops-engineer": "practitioner"}
    assert declared.topics == {"gdpr": "GDPR", "kubeflow": "Kubeflow"}
    assert declared.terms == terms


async def test_in_a_channel_only_the_person_sees_it(slack: LocalSlack, bot: Bot) -> None:
    await slack.say(ANN, "<@BOT> I'm a data engineer", GENERAL)
    await settled(bot)
    shown = slack.workspace.messages[-1]
    assert shown.ephemeral_to == ANN
    assert "Data Engineer (practitioner)" in words(shown)


@pytest.mark.parametrize("said", ["I want to become a data engineer", "I'm looking for a data engineer"])
async def test_a_wish_is_answered_as_a_question(slack: LocalSlack, bot: Bot, said: str) -> None:
    assert "Yes, declare this" not in words(await offer(slack, bot, said))


async def test_the_longest_introduction_fits_in_a_button(slack: LocalSlack, bot: Bot) -> None:
    topics = ", ".join(f"{letter * 33}" for letter in "bcdfghj")
    shown = await offer(slack, bot, f"I'm a data engineer and know {topics}")
    assert max(map(len, values(shown))) <= BUTTON_VALUE
    assert len(json.loads(values(shown)[0])["topics"]) == 7


@pytest.mark.parametrize(
    "value",
    [
        "{",
        "[]",
        "null",
        '{"roles": []}',
        '{"roles": {"zebra": "lead"}}',
        '{"roles": {"data-engineer": "king"}, "topics": [1, "", "!!"]}',
        '{"roles": {"data-engineer": ["lead"]}, "topics": {"a": "b"}}',
    ],
)
async def test_what_stands_in_a_button_is_checked_again(slack: LocalSlack, bot: Bot, value: str) -> None:
    shown = await offer(slack, bot, "I'm a data engineer")
    next(block for block in shown.blocks if block["type"] == "actions")["elements"][0]["value"] = value
    assert (await slack.press(ANN, shown, "declare_this:0")).status == 200
    assert await rows(bot, "declarations") == []


# The title in the profile


async def test_the_title_is_proposed_at_home_and_declared_with_a_click(slack: LocalSlack, bot: Bot) -> None:
    home = await slack.open_home(BEN)
    assert "I do this: MLOps Engineer" in words(home)
    assert await rows(bot, "declarations") == []
    assert await rows(bot, "members") == []
    await slack.press(BEN, home, "declare_this:0")
    assert (await bot.people.declaration(TEAM, BEN)).roles == {"mlops-engineer": "practitioner"}
    drawn = words(slack.workspace.homes[BEN])
    assert "MLOps Engineer (practitioner)" in drawn
    assert "I do this" not in drawn


async def test_the_title_is_proposed_in_the_form(slack: LocalSlack, bot: Bot) -> None:
    view = await form(slack, bot, user=BEN)
    assert "I do this: MLOps Engineer" in words(view)
    shown = (await slack.press(BEN, view, "declare_this:0")).view
    assert shown is not None
    assert "Saved." in words(shown)
    assert (await bot.people.declaration(TEAM, BEN)).roles == {"mlops-engineer": "practitioner"}


@pytest.mark.parametrize("user", [ANN, CAI])
async def test_a_title_that_says_nothing_proposes_nothing(slack: LocalSlack, bot: Bot, user: str) -> None:
    assert "I do this" not in words(await slack.open_home(user))
    assert "I do this" not in words(await form(slack, bot, user=user))


async def test_whoever_declared_something_is_not_looked_up_for_it(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"data-engineer": "lead"})
    assert "I do this" not in words(await slack.open_home(BEN))
    assert len(slack.called("users.info")) == 1, "whether they are a guest is asked, and nothing else"


@pytest.mark.parametrize("failure", [{"status": 500, "times": 9}, {"error": "user_not_found"}, {"hang": BUSY_SECONDS}])
async def test_home_and_form_open_where_slack_does_not_say(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch, failure: dict[str, object]
) -> None:
    monkeypatch.setattr("handlers.permissions.LOOK_UP_SECONDS", LATE_SECONDS)
    monkeypatch.setattr("handlers.proposals.TITLE_SECONDS", LATE_SECONDS)
    slack.fail("users.info", **failure)  # type: ignore[arg-type]
    assert "You have declared nothing yet." in words(await slack.open_home(BEN))
    slack.fail("users.info", **failure)  # type: ignore[arg-type]
    assert (await form(slack, bot, user=BEN)).title == "What I do"
    slack.api.closing.set()
