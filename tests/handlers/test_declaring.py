"""Declaring: the form, from every place it opens from; changing, withdrawing, and what is wrong, told in place."""

from __future__ import annotations

from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, View
from knowledge.people import MOST_A_WEEK
from knowledge.people_rows import read_people
from knowledge.workspaces import Settings
from tests.conftest import (
    ANN,
    BEN,
    BUSY_SECONDS,
    GUS,
    LATE_SECONDS,
    TABLES,
    TEAM,
    Clock,
    declares,
    rows,
    settled,
    words,
)


async def form(slack: LocalSlack, bot: Bot, door: str = "command", user: str = ANN) -> View:
    """Open the form through one of its doors."""
    match door:
        case "command":
            view = (await slack.command(user, "/genai-role me")).view
        case "shortcut":
            view = (await slack.shortcut(user, "declare_role")).view
        case "home":
            view = (await slack.press(user, await slack.open_home(user), "declare_role")).view
        case "card":
            view = (await slack.press(user, await slack.command(user, "/genai-role help"), "declare_role")).view
        case _:
            await slack.say(user, "declare me")
            await settled(bot)
            offer = slack.messages(slack.dm(user))[-1]
            view = (await slack.press(user, offer, "declare_role")).view
    assert view is not None
    assert view.title == "What I do"
    return view


def element(view: View, block_id: str) -> dict[str, Any]:
    """Return the element of a field of the form."""
    found: dict[str, Any] = next(block for block in view.blocks if block.get("block_id") == block_id)["element"]
    return found


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        (True, "You confirmed it today. Asked again on 1 June 2026; fades on about 13 July 2026 unless confirmed."),
        (False, "You confirmed it today. You are not asked whether it is still right, and it does not fade."),
    ],
)
async def test_what_was_saved_says_how_long_it_holds(
    slack: LocalSlack, bot: Bot, clock: Clock, asks: bool, told: str
) -> None:
    await bot.workspaces.save(TEAM, Settings(starts_messages=asks), ANN, clock.now())
    saved = await slack.submit(ANN, await form(slack, bot, "command"), {"roles_lead": ["data-engineer"]})
    assert saved.view is not None
    assert told in words(saved.view)


@pytest.mark.parametrize("door", ["command", "shortcut", "home", "card", "dm"])
async def test_a_person_declares_changes_and_withdraws(slack: LocalSlack, bot: Bot, door: str) -> None:
    view = await form(slack, bot, door)
    saved = await slack.submit(
        ANN,
        view,
        {"roles_lead": ["data-engineer"], "roles_learning": ["mlops-engineer"], "topics": "GDPR,  LoRA ,Airflow"},
    )
    assert saved.errors == {}
    assert saved.view is not None
    for line in ("Data Engineer (lead)", "MLOps Engineer (learning)", "LoRA", "Airflow"):
        assert line in words(saved.view)
    await slack.close(ANN)

    view = await form(slack, bot, door)
    chosen = {
        block["block_id"]: [option["value"] for option in block["element"].get("initial_options", ())]
        for block in view.blocks
        if block.get("block_id", "").startswith("roles_")
    }
    assert chosen == {"roles_lead": ["data-engineer"], "roles_practitioner": [], "roles_learning": ["mlops-engineer"]}
    assert set(element(view, "topics")["initial_value"].split(", ")) == {"GDPR", "LoRA", "Airflow"}
    await slack.submit(ANN, view, {"roles_lead": [], "roles_practitioner": ["data-engineer"]})
    declared = await bot.people.declaration(TEAM, ANN)
    assert declared.roles == {"data-engineer": "practitioner", "mlops-engineer": "learning"}
    await slack.close(ANN)

    view = await form(slack, bot, door)
    empty = await slack.submit(
        ANN, view, {"roles_practitioner": [], "roles_learning": [], "roles_lead": [], "topics": ""}
    )
    assert empty.view is not None
    assert "You declare nothing now" in words(empty.view)
    await settled(bot)
    assert await rows(bot, "declarations") == []
    assert await rows(bot, "members") == []


async def test_what_is_declared_is_found(slack: LocalSlack, bot: Bot) -> None:
    await slack.submit(BEN, await form(slack, bot, user=BEN), {"roles_lead": ["mlops-engineer"], "topics": "Airflow"})
    await settled(bot)
    assert (
        "Ben Book – declared “Airflow”; MLOps Engineer, lead · confirmed today"
        in (await slack.command(ANN, "/genai-role who airflow")).text
    )
    assert "Ben Book (lead)" in (await slack.command(ANN, "/genai-role mlops")).text


async def test_one_role_stands_at_one_level(slack: LocalSlack, bot: Bot) -> None:
    view = await form(slack, bot)
    refused = await slack.submit(ANN, view, {"roles_lead": ["data-engineer"], "roles_learning": ["data-engineer"]})
    assert refused.errors == {"roles_learning": "Data Engineer stands under “I lead” too. Keep it in one place."}
    assert not refused.closed
    assert await rows(bot, "declarations") == []


@pytest.mark.parametrize(
    ("topics", "said"),
    [
        (", ".join(f"topic{at}" for at in range(100)), "These are 100 topics; at most 20 fit."),
        ("x" * 61, "is too long: at most 60 letters a topic."),
        ("!!!", "“!!!” has no letters in it."),
        ("GDPR, ???", "“???” has no letters in it."),
        ("<!channel>", "has no letters in it."),
    ],
)
async def test_topics_that_do_not_fit_are_told_in_place(slack: LocalSlack, bot: Bot, topics: str, said: str) -> None:
    refused = await slack.submit(ANN, await form(slack, bot), {"topics": topics})
    assert list(refused.errors) == ["topics"]
    assert said in refused.errors["topics"]
    assert await rows(bot, "declarations") == []


async def test_the_same_topic_in_other_words_counts_once(slack: LocalSlack, bot: Bot) -> None:
    await slack.submit(ANN, await form(slack, bot), {"topics": "Kubernetes, k8s, kubernetes,, \n K8S "})
    topics = (await bot.people.declaration(TEAM, ANN)).topics
    assert list(topics.values()) == ["Kubernetes"]


async def test_topics_as_long_as_allowed_fit(slack: LocalSlack, bot: Bot) -> None:
    longest = ", ".join(f"{at:02d}{chr(97 + at) * 58}" for at in range(20))
    saved = await slack.submit(ANN, await form(slack, bot), {"topics": longest})
    assert saved.errors == {}
    again = await form(slack, bot)
    assert element(again, "topics")["initial_value"]
    assert (await slack.submit(ANN, again)).errors == {}
    assert len(await rows(bot, "declarations")) == 20


async def test_saving_does_not_wait_for_slack(slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    view = await form(slack, bot)
    # The form has asked for the title.
    asked = len(slack.called("users.info"))
    monkeypatch.setattr("handlers.members.PROFILE_SECONDS", LATE_SECONDS)
    slack.fail("users.info", hang=BUSY_SECONDS)
    saved = await slack.submit(ANN, view, {"topics": "GDPR"})
    assert saved.view is not None
    assert len(slack.called("users.info")) == asked
    slack.api.closing.set()
    await settled(bot)
    assert len(slack.called("users.info")) == asked + 1


@pytest.mark.parametrize("status", [429, 500])
async def test_saving_works_while_slack_does_not(slack: LocalSlack, bot: Bot, status: int) -> None:
    view = await form(slack, bot)
    slack.fail("users.info", status=status, times=4)
    saved = await slack.submit(ANN, view, {"topics": "GDPR"})
    assert saved.view is not None
    await settled(bot)
    assert len(await rows(bot, "declarations")) == 1
    assert await rows(bot, "members") == []


async def test_a_guest_who_declares_is_not_suggested(slack: LocalSlack, bot: Bot) -> None:
    await slack.submit(GUS, await form(slack, bot, user=GUS), {"topics": "Airflow"})
    await settled(bot)
    assert "Gus" not in (await slack.command(ANN, "/genai-role who airflow")).text


async def test_the_home_tab_is_drawn_anew_after_a_change_from_it(slack: LocalSlack, bot: Bot) -> None:
    view = await form(slack, bot, "home")
    assert "You have declared nothing yet." in words(slack.workspace.homes[ANN])
    await slack.submit(ANN, view, {"roles_lead": ["data-engineer"]})
    await settled(bot)
    assert "Data Engineer (lead)" in words(slack.workspace.homes[ANN])


async def test_a_slow_click_is_apologised_for(slack: LocalSlack, bot: Bot, clock: Clock, faults: None) -> None:
    slack.fail("views.open", error="expired_trigger_id")
    reply = await slack.command(ANN, "/genai-role me")
    assert reply.text.startswith("Sorry, something went wrong on my side.")
    assert reply.ephemeral_to == ANN


# My data, forget me


async def test_my_data_tells_everything(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("Airflow",))
    reply = await slack.command(BEN, "/genai-role my data")
    assert reply.ephemeral_to == BEN
    for part in ("MLOps Engineer (lead)", "Airflow", "Ben Book", "MLOps lead", "Asia/Tokyo", "active"):
        assert part in reply.text
    assert "nothing" in (await slack.command(ANN, "/genai-role my data")).text
    form = (await slack.press(BEN, reply, "declare_role")).view
    assert form is not None
    gone = await slack.press(BEN, reply, "forget_me")
    assert gone.text.startswith("Done: I deleted everything")


@pytest.mark.parametrize("typed", ["forget me", "Forget me!", "please forget me", "delete my data"])
async def test_forget_me_leaves_no_row_of_the_person(slack: LocalSlack, bot: Bot, typed: str) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"}, ("GDPR",))
    await declares(bot, slack, BEN, {"data-engineer": "learning"})
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await slack.say(ANN, "what is a data engineer")
    await settled(bot)
    assert all([ANN in str(await rows(bot, table)) for table in TABLES])
    reply = await slack.command(ANN, f"/genai-role {typed}")
    assert reply.text.startswith("Done: I deleted everything I kept about you")
    assert not any([ANN in str(await rows(bot, table)) for table in TABLES])
    assert len(await rows(bot, "declarations")) == 1
    again = await slack.command(ANN, "/genai-role forget me")
    assert again.text == "Done: nothing about you is left to delete."
    # Told to Slack once more, the events are still known.
    assert len(await rows(bot, "inbox")) == 2


@pytest.mark.parametrize("cap", [0, 999, MOST_A_WEEK])
async def test_a_weekly_cap_from_a_file_stays_when_the_form_is_saved(slack: LocalSlack, bot: Bot, cap: int) -> None:
    row = {"id": ANN, "topics": ["GDPR"], "weekly_cap": cap}
    [read] = read_people([(1, row)], bot.guide.people_names())
    assert read.listed is not None and read.listed.terms is not None, read.problems
    await bot.people.declare(TEAM, ANN, {}, {"gdpr": "GDPR"}, Clock().now(), read.listed.terms)
    assert (await slack.submit(ANN, await form(slack, bot), {})).errors == {}
    assert (await bot.people.declaration(TEAM, ANN)).terms.weekly_cap == cap


async def test_a_file_gives_no_weekly_cap_that_the_form_does_not_take(bot: Bot) -> None:
    row = {"id": ANN, "topics": ["GDPR"], "weekly_cap": MOST_A_WEEK + 1}
    [read] = read_people([(1, row)], bot.guide.people_names())
    assert read.listed is None and "weekly_cap" in read.problems[0]


async def test_no_topic_becomes_two_when_the_form_is_saved_again(slack: LocalSlack, bot: Bot) -> None:
    [named] = [one for one in bot.guide.catalog.tools.values() if "," in one.name]
    await slack.submit(ANN, await form(slack, bot), {"topics": named.names[0]})
    await slack.close(ANN)
    before = (await bot.people.declaration(TEAM, ANN)).topics
    await slack.submit(ANN, await form(slack, bot), {})
    assert (await bot.people.declaration(TEAM, ANN)).topics == before
    assert len(before) == 1
