"""The directory on the Home tab: opened, filtered, searched, and turned page by page."""

from __future__ import annotations

import re

import pytest

from bot.app import Bot
from bot.local import LocalSlack, View
from knowledge.people import Member as Profile
from knowledge.people import Terms
from tests.conftest import ANN, BEN, CAI, EVA, GUS, TEAM, Clock, declares, words
from tests.handlers.test_home import buttons, current, go


def people_on(view: View) -> list[str]:
    """Return the names of the people on a page, in order."""
    shown = [block["text"]["text"] for block in view.blocks if block["type"] == "section"]
    return [found[1] for text in shown if (found := re.match(r"\*([^*]+)\*\n", text))]


def has(view: View, action_id: str) -> bool:
    return f"'action_id': '{action_id}'" in str(view.blocks)


async def turn(slack: LocalSlack, user: str, control: str, selected: str | None = None) -> View:
    pressed = await slack.press(user, slack.workspace.homes[user], f"directory:{control}", selected=selected)
    assert pressed.status == 200
    return slack.workspace.homes[user]


async def team(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead", "data-engineer": "learning"}, ("Airflow",))
    await declares(bot, slack, CAI, {"mlops-engineer": "practitioner"}, ("GDPR",))
    await declares(bot, slack, EVA, {"data-engineer": "lead"}, ("Kubernetes",))


async def test_a_member_sees_who_declared_what(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    view = await go(slack, ANN, "directory")
    assert current(view) == ["Directory"]
    assert people_on(view) == ["Ben Book", "Cai Chen", "Eva Ek"]
    shown = words(view)
    for part in (
        "*3 people* in the directory.",
        "MLOps Engineer (lead), Data Engineer (learning)",
        "Topics: Airflow",
        "18:30 there (UTC+9), outside working hours · confirmed today",
        "out of office",
        "MLOps Engineer (2)",
        "Data Engineer (2)",
        "Prompt Engineer (0)",
    ):
        assert part in shown


async def test_nobody_is_listed_who_does_not_want_to_be(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    for user, visibility in ((BEN, "ask_first"), (CAI, "hidden")):
        form = (await slack.command(user, "/genai-role me")).view
        await slack.submit(user, form, {"visibility": visibility})
        await slack.close(user, everything=True)
    assert people_on(await go(slack, ANN, "directory")) == ["Eva Ek"]


async def test_whoever_left_unnoticed_is_not_in_it_and_leaves_no_gap(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.directory.PAGE", 2)
    await team(slack, bot)
    clock.move(hours=2)
    slack.workspace.members[BEN].deleted = True
    assert people_on(await go(slack, ANN, "directory")) == ["Cai Chen", "Eva Ek"]
    # For an hour nobody is looked up again.
    called = len(slack.called("users.info"))
    await go(slack, ANN, "directory")
    assert len(slack.called("users.info")) == called


async def test_the_directory_leaves_look_ups_to_answers(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.members.MOST_LOOK_UPS", 2)
    monkeypatch.setattr("handlers.home.LEFT_TO_ANSWERS", 1)
    await team(slack, bot)
    clock.move(hours=2)
    slack.workspace.members[BEN].deleted = slack.workspace.members[EVA].deleted = True
    assert people_on(await go(slack, ANN, "directory")) == ["Cai Chen", "Eva Ek"]
    assert "Eva" not in (await slack.command(ANN, "/genai-role data engineer")).text


async def test_a_search_that_does_not_look_everybody_through_says_so(
    slack: LocalSlack, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.directory.MOST_COUNTED", 1)
    monkeypatch.setattr("storage.directory.MOST_LOOKED_THROUGH", 1)
    await declares(bot, slack, ANN, {"prompt-engineer": "lead"})
    slack.workspace.members[BEN].name = "Anton Book"
    slack.workspace.members[CAI].name = "Anton Chen"
    await team(slack, bot)
    await go(slack, EVA, "directory")
    await turn(slack, EVA, "role", "mlops-engineer")
    view = await turn(slack, EVA, "search", "an")
    assert "Nobody found so far for “an” for MLOps Engineer." in words(view)
    assert "type more letters" in words(view)
    assert people_on(await turn(slack, EVA, "search", "anton c")) == ["Anton Chen"]


async def test_it_is_filtered_by_role_and_topic_and_begun_anew(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    view = await go(slack, ANN, "directory")
    assert not has(view, "directory:clear")
    view = await turn(slack, ANN, "role", "mlops-engineer")
    assert people_on(view) == ["Ben Book", "Cai Chen"]
    assert "*2 people* declared MLOps Engineer." in words(view)
    offered = await slack.suggest(ANN, view, "directory:topic", "air")
    assert [one["text"]["text"] for one in offered] == ["Airflow"]
    view = await turn(slack, ANN, "topic", offered[0]["value"])
    assert people_on(view) == ["Ben Book"]
    assert "Declared MLOps Engineer and “Airflow”" in words(view)
    view = await turn(slack, ANN, "role", "prompt-engineer")
    assert "Nobody is in the directory for Prompt Engineer and “Airflow”." in words(view)
    view = await turn(slack, ANN, "clear")
    assert people_on(view) == ["Ben Book", "Cai Chen", "Eva Ek"]
    assert not has(view, "directory:clear")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("book", ["Ben Book"]),
        ("BEN", ["Ben Book"]),
        ("e", ["Eva Ek"]),
        ("airflow", ["Ben Book"]),
        ("k8s", ["Eva Ek"]),
        ("zebra", []),
        ("!!", ["Ben Book", "Cai Chen", "Eva Ek"]),
        ("<!channel> & <@U1>", []),
        ('"zebra" ' * 300, []),
        ("\x01" * 3000, ["Ben Book", "Cai Chen", "Eva Ek"]),
    ],
)
async def test_it_is_searched_by_name_and_topic(slack: LocalSlack, bot: Bot, typed: str, found: list[str]) -> None:
    await team(slack, bot)
    await go(slack, ANN, "directory")
    view = await turn(slack, ANN, "search", typed)
    assert people_on(view) == found
    if not found:
        assert "Nobody is in the directory for" in words(view)
    assert people_on(await turn(slack, ANN, "search", "")) == ["Ben Book", "Cai Chen", "Eva Ek"]


async def test_whom_to_ask_is_a_press_away(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    view = await go(slack, ANN, "directory")
    assert not has(view, "ask_someone")
    await turn(slack, ANN, "role", "mlops-engineer")
    await slack.press(ANN, slack.workspace.homes[ANN], "ask_someone")
    assert "For MLOps Engineer, ask:" in slack.messages(slack.dm(ANN))[-1].text


async def test_an_empty_workspace_says_so_and_how_to_begin(slack: LocalSlack, bot: Bot) -> None:
    view = await go(slack, ANN, "directory")
    assert "Nobody is in the directory yet." in words(view)
    assert "python -m bot people import FILE" in words(view)
    assert has(view, "declare_role")


async def test_two_hundred_and_fifty_are_paged_while_somebody_declares(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    now = clock.now()
    for number in range(250):
        user = f"U0M{number:04}"
        await bot.people.declare(TEAM, user, {"data-scientist": "practitioner"}, {}, now)
        await bot.people.remember(TEAM, Profile(user, f"Member {number:03}"), now)
    view = await go(slack, ANN, "directory")
    seen = people_on(view)
    pages = [seen]
    while has(view, "directory:next"):
        if len(pages) == 3:
            await declares(bot, slack, BEN, {"data-scientist": "lead"})
        view = await turn(slack, ANN, "next")
        pages.append(people_on(view))
        seen = seen + pages[-1]
    assert seen == [f"Member {number:03}" for number in range(250)], "Ben stands before the page that was open"
    for page in reversed(pages[:-1]):
        view = await turn(slack, ANN, "back")
        assert people_on(view) == page
    # Who came in before the first page that was seen is on a page before it now.
    assert people_on(await turn(slack, ANN, "back")) == ["Ben Book"]


async def test_a_guest_sees_no_colleague_whatever_is_pressed(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    mine = await go(slack, ANN, "directory")
    assert "Directory" not in buttons(await slack.open_home(GUS))
    # What stands on a member's tab, sent by a guest.
    for control, value in (("role", "mlops-engineer"), ("search", "ben"), ("clear", None)):
        await turn(slack, ANN, "role", "mlops-engineer")
        await slack.press(GUS, slack.workspace.homes[ANN], f"directory:{control}", selected=value)
        assert current(slack.workspace.homes[GUS]) == ["Me"]
        assert "Ben" not in words(slack.workspace.homes[GUS])
    assert await slack.suggest(GUS, slack.workspace.homes[ANN], "directory:topic", "air") == []
    assert mine


async def test_me_shows_what_others_see_word_for_word(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    listed = await go(slack, ANN, "directory")
    at = next(at for at, block in enumerate(listed.blocks) if block.get("text", {}).get("text", "").startswith("*Ben"))
    mine = await slack.open_home(BEN)
    assert [block["text"] for block in mine.blocks if block["type"] == "section"].count(listed.blocks[at]["text"]) == 1
    assert "Asked again on 1 June 2026" in words(mine)


@pytest.mark.parametrize(
    ("visibility", "said"),
    [("ask_first", "you want to be asked first"), ("hidden", "Others see nothing of this: you are hidden.")],
)
async def test_me_says_why_others_see_nothing(
    slack: LocalSlack, bot: Bot, clock: Clock, visibility: str, said: str
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    terms = Terms(visibility)  # type: ignore[arg-type]
    await bot.people.declare(TEAM, BEN, {"mlops-engineer": "lead"}, {}, clock.now(), terms)
    assert said in words(await slack.open_home(BEN))


async def test_forged_places_harm_nobody(slack: LocalSlack, bot: Bot) -> None:
    await team(slack, bot)
    view = await go(slack, ANN, "directory")
    for forged in ("zebra", "[1]", '["a"]', '["\\u0000", "x"]', ""):
        view.body["private_metadata"] = '{"section": "directory", "role": "zebra", "cleared": "x"}'
        view.blocks.append(
            {
                "type": "actions",
                "block_id": "forged",
                "elements": [
                    {
                        "type": "button",
                        "action_id": "directory:next",
                        "value": forged,
                        "text": {"type": "plain_text", "text": "x"},
                    }
                ],
            }
        )
        assert (await slack.press(ANN, view, "directory:next", value=forged)).status == 200
        view = slack.workspace.homes[ANN]
        assert current(view) == ["Directory"]
        assert people_on(view) == []
