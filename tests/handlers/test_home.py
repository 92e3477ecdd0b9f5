"""The Home tab: its sections, for whom they are, and where a person is after pressing something."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.app import Bot
from bot.local import LocalSlack, View
from bot.settings import Settings
from handlers.payloads import Actor
from handlers.permissions import MOST_LOOK_UPS
from handlers.places import Place, place_in
from tests.conftest import ANN, BEN, CAI, GUS, OLD, TEAM, Clock, Start, declares, settled, words


def buttons(view: View) -> list[str]:
    """Return the labels of the row of buttons."""
    return [element["text"]["text"] for element in view.blocks[0]["elements"]]


def current(view: View) -> list[str]:
    """Return the marked buttons of the row."""
    return [element["text"]["text"] for element in view.blocks[0]["elements"] if element.get("style") == "primary"]


async def go(slack: LocalSlack, user: str, section: str) -> View:
    """Press the button of a section, on the Home tab that the person has or opens."""
    home = slack.workspace.homes.get(user) or await slack.open_home(user)
    assert (await slack.press(user, home, f"home_section:{section}")).status == 200
    return slack.workspace.homes[user]


async def test_a_newcomer_reads_what_to_do_first_in_three_steps(slack: LocalSlack, bot: Bot) -> None:
    home = await slack.open_home(ANN)
    assert current(home) == ["Me"]
    shown = words(home)
    assert home.blocks[1]["text"]["text"] == "Start here"
    assert [shown.count(f"*{step}. ") for step in (1, 2, 3, 4)] == [1, 1, 1, 0]
    assert "You have declared nothing yet." in shown


@pytest.mark.parametrize("user", [BEN, GUS, OLD])
async def test_home_is_drawn_for_everybody(slack: LocalSlack, bot: Bot, user: str) -> None:
    assert "You have declared nothing yet." in words(await slack.open_home(user))


async def test_in_a_crowd_nobody_is_called_a_guest_and_the_tab_is_drawn_again(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    slack.workspace.members[CAI].admin = True
    for number in range(MOST_LOOK_UPS):
        await bot.standings.of(bot.clients[0], Actor(TEAM, TEAM, f"U0M{number:08}"))
    home = await slack.open_home(CAI)
    assert "One moment" in words(home)
    assert "guest" not in words(home)
    assert "Workspace" not in buttons(home)
    clock.move(minutes=1)
    await bot.standings.catch_up()
    home = slack.workspace.homes[CAI]
    assert "One moment" not in words(home)
    assert {"Workspace", "Directory"} <= set(buttons(home))


async def test_me_shows_what_one_declares(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"}, ("GDPR",))
    shown = words(await slack.open_home(ANN))
    assert "Data Engineer (lead)" in shown
    assert "Topics: GDPR" in shown
    assert "Start here" not in shown


async def test_every_section_opens_and_is_marked(slack: LocalSlack, bot: Bot) -> None:
    home = await slack.open_home(ANN)
    names = [element["action_id"].partition(":")[2] for element in home.blocks[0]["elements"]]
    seen = set()
    for name, label in zip(names, buttons(home), strict=True):
        view = await go(slack, ANN, name)
        assert current(view) == [label]
        seen.add(words(view))
    assert len(seen) == len(names) >= 4


async def test_roles_are_browsed(slack: LocalSlack, bot: Bot) -> None:
    home = await go(slack, ANN, "roles")
    [menu] = [block["elements"][0] for block in home.blocks[1:] if block["type"] == "actions"]
    assert len(menu["options"]) == len(bot.guide.catalog.roles)
    for role in bot.guide.catalog.roles.values():
        assert role.summary[0].text in words(home)
    await slack.press(ANN, home, "browse_roles", selected="prompt-engineer")
    shown = slack.messages(slack.dm(ANN))[-1]
    assert shown.blocks[0]["text"]["text"] == "Prompt Engineer"


async def test_the_messages_tab_needs_nothing(slack: LocalSlack, bot: Bot) -> None:
    before = len(slack.calls)
    event = {"type": "app_home_opened", "user": ANN, "channel": slack.dm(ANN), "tab": "messages"}
    assert (await slack.send_event(event)).status == 200
    await settled(bot)
    assert slack.calls[before:] == []


async def test_a_guest_is_told_what_guests_do_not_see(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    home = await slack.open_home(GUS)
    assert "Guests can look up every role" in words(home)
    assert buttons(home) == ["Me", "Browse roles", "Privacy", "Help"]
    for section in ("roles", "privacy", "help"):
        assert "Ben" not in words(await go(slack, GUS, section))


# Where a person is


async def test_the_section_stays_open_after_a_form(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    home = await go(slack, ANN, "privacy")
    await slack.press(ANN, home, "my_data")
    [shown] = slack.workspace.modals[ANN]
    assert "Data Engineer (lead)" in words(shown)
    await slack.press(ANN, shown, "forget_me")
    [shown] = slack.workspace.modals[ANN]
    assert "Done: I deleted everything" in words(shown)
    assert current(slack.workspace.homes[ANN]) == ["Privacy"]
    assert "You have declared nothing yet." in words(await go(slack, ANN, "me"))


async def test_what_is_declared_from_home_is_drawn_there(slack: LocalSlack, bot: Bot) -> None:
    form = (await slack.press(ANN, await slack.open_home(ANN), "declare_role")).view
    await slack.submit(ANN, form, {"roles_lead": ["data-engineer"]})
    await settled(bot)
    home = slack.workspace.homes[ANN]
    assert current(home) == ["Me"]
    assert "Data Engineer (lead)" in words(home)


async def test_a_tab_that_is_opened_again_shows_the_section_that_was_open(slack: LocalSlack, bot: Bot) -> None:
    await go(slack, ANN, "help")
    assert current(await slack.open_home(ANN)) == ["Help"]


async def test_a_press_on_a_tab_that_was_drawn_anew_meanwhile_counts(slack: LocalSlack, bot: Bot) -> None:
    old = await slack.open_home(ANN)
    await go(slack, ANN, "help")
    assert (await slack.press(ANN, old, "home_section:privacy")).status == 200
    assert current(slack.workspace.homes[ANN]) == ["Privacy"]


async def test_a_section_that_is_gone_is_the_first(slack: LocalSlack, bot: Bot) -> None:
    home = await slack.open_home(ANN)
    home.blocks[0]["elements"][1]["action_id"] = "home_section:zebra"
    await slack.press(ANN, home, "home_section:zebra")
    assert current(slack.workspace.homes[ANN]) == ["Me"]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"section": 7, "zebra": "x"}', "[" * 3000])
def test_a_place_that_cannot_be_read_is_the_first_section(text: str) -> None:
    assert place_in(text) == Place()


async def test_forget_me_at_home_deletes_and_shows_it(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    home = await slack.open_home(ANN)
    pressed = await slack.press(ANN, home, "forget_me")
    assert pressed.status == 200
    assert "You have declared nothing yet." in words(slack.workspace.homes[ANN])


# Support


@pytest.mark.parametrize(
    ("contact", "shown"),
    [
        ("", "Ask the administrator who installed me."),
        ("help@example.org", "<mailto:help@example.org|help@example.org>"),
        (
            "https://example.org/bot?a=1&b=2",
            "<https://example.org/bot?a=1&amp;b=2|https://example.org/bot?a=1&amp;b=2>",
        ),
    ],
)
async def test_help_says_how_to_reach_whoever_runs_it(
    slack: LocalSlack, start: Start, contact: str, shown: str
) -> None:
    async with start(support_contact=contact):
        assert shown in words(await go(slack, CAI, "help"))


@pytest.mark.parametrize("contact", ["ask me", "javascript:alert(1)", "a@b>|<!here>", "ftp://example.org"])
def test_a_contact_that_is_no_address_is_refused(contact: str) -> None:
    with pytest.raises(ValidationError, match="neither an e-mail address nor a URL"):
        Settings(_env_file=None, support_contact=contact)  # type: ignore[call-arg]
