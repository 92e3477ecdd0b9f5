"""Settings of a workspace: who may change them, what the form takes, and what each of them does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, View
from handlers.settings import NOT_YOURS
from handlers.settings_form import SWITCHES
from knowledge.people import Level
from knowledge.team import TeamEntry, published
from knowledge.workspaces import Recorded, Settings
from storage.workspaces import SETTINGS_SECONDS, SqlWorkspaces
from tests.conftest import ANN, BEN, CAI, DEE, GUS, OLD, ROB, TEAM, Clock, declares, rows, settled, words

MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}
ON = ["starts_messages", "other_languages"]
"""The switches that are on from the start."""


@pytest.fixture(autouse=True)
def ann_administers(slack: LocalSlack) -> None:
    slack.workspace.members[ANN].admin = True


async def form(slack: LocalSlack, user: str = ANN) -> View:
    opened = await slack.command(user, "/genai-role settings")
    assert opened.view is not None
    return opened.view


async def change(slack: LocalSlack, values: dict[str, Any], user: str = ANN) -> str:
    """Change settings through the form; return what the person reads then."""
    outcome = await slack.submit(user, await form(slack, user), values)
    assert not outcome.errors, outcome.errors
    assert outcome.view is not None
    shown = words(outcome.view)
    await slack.close(user, everything=True)
    return shown


# Who may


@pytest.mark.parametrize("user", [BEN, GUS])
async def test_settings_are_for_administrators(slack: LocalSlack, bot: Bot, user: str) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, bot.worker._now())
    refused = await slack.command(user, "/genai-role settings")
    assert refused.view is None
    assert refused.text == NOT_YOURS


async def test_the_permission_is_checked_on_submission_too(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    shown = await form(slack)
    slack.workspace.members[ANN].admin = False
    clock.move(minutes=5)
    outcome = await slack.submit(ANN, shown, {"question_days": "7"})
    assert outcome.errors == {"switches": NOT_YOURS}
    assert await bot.workspaces.settings(TEAM) == Settings()
    assert await rows(bot, "audit") == []


# The form


async def test_what_is_entered_holds_and_is_shown_again(slack: LocalSlack, bot: Bot) -> None:
    shown = await change(
        slack,
        {
            "switches": ["names_to_guests"],
            "default_visibility": "ask_first",
            "question_days": "7",
            "curators": [CAI, BEN],
        },
    )
    assert "Saved." in shown
    assert "kept for 7 days" in shown
    wanted = Settings("ask_first", False, 7, False, True, False, tuple(sorted((BEN, CAI))))
    assert await bot.workspaces.settings(TEAM) == wanted
    # Unchanged, the form gives the same back.
    assert "Nothing was changed." in await change(slack, {})
    assert await bot.workspaces.settings(TEAM) == wanted
    assert len(await rows(bot, "audit")) == 3


@pytest.mark.parametrize("days", ["-1", "366", "7.5", "", "many", "²", "99999999"])
async def test_days_that_are_none_are_refused_in_place(slack: LocalSlack, bot: Bot, days: str) -> None:
    outcome = await slack.submit(ANN, await form(slack), {"question_days": days})
    assert list(outcome.errors) == ["question_days"]
    assert await rows(bot, "settings") == []


@pytest.mark.parametrize("user", [GUS, ROB, OLD])
async def test_guests_bots_and_leavers_are_no_curators(slack: LocalSlack, bot: Bot, user: str) -> None:
    outcome = await slack.submit(ANN, await form(slack), {"curators": [BEN, user]})
    assert slack.workspace.members[user].name in outcome.errors["curators"]
    assert "Ben" not in outcome.errors["curators"]
    assert await rows(bot, "curators") == []


async def test_of_two_who_save_the_last_wins_and_both_are_recorded(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    slack.workspace.members[BEN].admin = True
    one, two = await form(slack), await form(slack, BEN)
    await slack.submit(ANN, one, {"question_days": "7"})
    clock.move(seconds=1)
    await slack.submit(BEN, two, {"question_days": "9"})
    assert (await bot.workspaces.settings(TEAM)).question_days == 9
    assert await bot.workspaces.recorded(TEAM, 9) == [
        Recorded(BEN, "settings changed", clock.now(), {"question_days": 7}, {"question_days": 9}),
        Recorded(
            ANN, "settings changed", clock.now() - timedelta(seconds=1), {"question_days": 30}, {"question_days": 7}
        ),
    ]


# What each does


async def test_a_new_declaration_begins_with_the_default_visibility(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, MLOPS)
    await change(slack, {"default_visibility": "ask_first"})
    opened = (await slack.command(CAI, "/genai-role me")).view
    await slack.submit(CAI, opened, {"roles_lead": ["data-engineer"]})
    # With one click, and without a form.
    offered = await slack.wait_for_reply(await slack.say(DEE, "I'm a prompt engineer"))
    await slack.press(DEE, offered, "declare_this:0")
    await settled(bot)
    found = {row["user_id"]: row["visibility"] for row in await rows(bot, "terms")}
    assert found == {BEN: "open", CAI: "ask_first", DEE: "ask_first"}
    # What was declared before stays as it is.
    assert "Ben Book" in (await slack.command(CAI, "/genai-role who mlops")).text


async def test_where_the_bot_may_not_begin_nobody_is_asked(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, MLOPS)
    await change(slack, {"switches": ["other_languages"]})
    for day in range(30):
        clock.at = clock.at.replace(month=6, day=1, hour=1) + timedelta(days=day)
        await bot.rounds.run()
    assert slack.called("chat.postMessage") == []
    # From the next working day on they are.
    await change(slack, {"switches": ON})
    for _ in range(5):
        clock.move(days=1)
        await bot.rounds.run()
    assert len(slack.called("chat.postMessage")) == 1


async def test_questions_are_kept_for_so_long(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    async def ask_in_vain() -> None:
        await slack.command(BEN, "/genai-role zebracorn")
        await settled(bot)

    await ask_in_vain()
    assert len(await rows(bot, "asked")) == 1
    clock.move(days=3)
    await change(slack, {"question_days": "3"})
    assert await rows(bot, "asked") == []
    await ask_in_vain()
    clock.move(days=3)
    await bot.worker.sweep()
    assert await rows(bot, "asked") == []
    await change(slack, {"question_days": "0"})
    await ask_in_vain()
    assert await rows(bot, "asked") == []


async def test_colleagues_are_named_to_guests_where_that_is_wanted(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, MLOPS)
    assert "Ben" not in (await slack.command(GUS, "/genai-role who mlops")).text
    await change(slack, {"switches": [*ON, "names_to_guests"]})
    assert "Ben Book" in (await slack.command(GUS, "/genai-role who mlops")).text
    await change(slack, {"switches": ON})
    assert "Ben" not in (await slack.command(GUS, "/genai-role who mlops")).text


async def test_colleagues_are_named_in_shared_channels_where_that_is_wanted(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, MLOPS)
    slack.workspace.channels[slack.channel("general")].ext_shared = True

    async def named() -> bool:
        return "Ben Book" in words(
            await slack.wait_for_reply(await slack.say(CAI, "<@BOT> who covers mlops?", GENERAL))
        )

    assert not await named()
    await change(slack, {"switches": [*ON, "names_to_guests"]})
    assert not await named()
    await change(slack, {"switches": [*ON, "names_in_shared"]})
    assert await named()


async def test_other_languages_are_understood_where_that_is_wanted(slack: LocalSlack, bot: Bot) -> None:
    asked = "/genai-role wer prüft die Qualität der Modelle?"
    understood = (await slack.command(BEN, asked)).text
    assert "German" in understood
    await change(slack, {"switches": ["starts_messages"]})
    assert "German" not in (await slack.command(BEN, asked)).text
    await change(slack, {"switches": ON})
    assert (await slack.command(BEN, asked)).text == understood


async def test_languages_are_understood_in_everything_that_reads_a_question_or_in_nothing(
    slack: LocalSlack, bot: Bot
) -> None:
    asked = "wer kennt sich mit Modellüberwachung aus?"
    on = await bot.guide.others(TEAM, asked, without=()), await bot.guide.sought(TEAM, asked)
    await change(slack, {"switches": ["starts_messages"]})
    off = await bot.guide.others(TEAM, asked, without=()), await bot.guide.sought(TEAM, asked)
    assert on[0] != off[0] and on[1] != off[1]
    await change(slack, {"switches": ON})
    assert (await bot.guide.others(TEAM, asked, without=()), await bot.guide.sought(TEAM, asked)) == on


async def test_no_explanation_of_a_switch_is_cut_by_slack(slack: LocalSlack, bot: Bot) -> None:
    assert [meaning for _, meaning in SWITCHES.values() if len(meaning) > 75] == []


async def test_curators_are_named_and_that_is_recorded(slack: LocalSlack, bot: Bot) -> None:
    await change(slack, {"curators": [BEN]})
    assert (await bot.workspaces.settings(TEAM)).curators == (BEN,)
    assert "curator" in words((await press_audit(slack)).view)


async def test_another_process_obeys_within_seconds(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, MLOPS)
    assert "Ben" not in (await slack.command(GUS, "/genai-role who mlops")).text
    # As another process would: not by way of this one's memory.
    await SqlWorkspaces(bot.engine, clock.now).save(TEAM, Settings(names_to_guests=True), ANN, clock.now())
    assert "Ben" not in (await slack.command(GUS, "/genai-role who mlops")).text
    clock.move(seconds=SETTINGS_SECONDS)
    assert "Ben Book" in (await slack.command(GUS, "/genai-role who mlops")).text


# The audit log, and one person's data


async def press_audit(slack: LocalSlack, user: str = ANN) -> Any:
    return await slack.press(user, await form(slack, user), "audit_log")


async def about(slack: LocalSlack, whom: str, what: str) -> Any:
    asked = (await slack.press(ANN, await form(slack), "a_persons_data")).view
    return await slack.submit(ANN, asked, {"person": whom, "what": what})


async def test_administrators_read_who_changed_what(slack: LocalSlack, bot: Bot) -> None:
    assert "Nothing was recorded yet." in words((await press_audit(slack)).view)
    await slack.close(ANN, everything=True)
    await change(slack, {"question_days": "7", "switches": [*ON, "names_to_guests"], "curators": [BEN]})
    shown = words((await press_audit(slack)).view)
    for line in (
        "2 March 2026, 09:30",
        "Name colleagues to guests: no → yes",
        "questions are kept: 30 → 7",
        "curator named",
    ):
        assert line in shown


async def test_the_audit_log_names_people_and_entries(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    entry = published(TeamEntry("team-quota", "GPU <quota>", answer="Ask FinOps."), clock.now())
    await bot.team.save(TEAM, [entry])
    for what, after in (
        ("entry changed", {"entry": "team-quota"}),
        ("entry merged", {"entry": "team-gone", "into": "team-quota"}),
        ("word added", {"entry": "mlops-engineer"}),
    ):
        await bot.workspaces.record(TEAM, Recorded(BEN, what, clock.now(), after=after, about=CAI))
    log = (await press_audit(slack)).view
    shown = words(log)
    assert f"<@{BEN}>: entry changed – <@{CAI}>" in shown and f"member {BEN}" not in shown
    for line in (
        "Entry: “GPU &lt;quota&gt;”",
        "Entry: team-gone, which is not there any more",
        "Into: “GPU &lt;quota&gt;”",
        "Entry: “MLOps Engineer”",
    ):
        assert line in shown
    exported = (await slack.press(ANN, log, "audit_export")).view
    assert exported is not None
    [text] = [block["text"]["text"] for block in exported.blocks[1:] if block["type"] == "section"]
    found = {line["action"]: line for line in map(json.loads, text.splitlines())}
    assert found["entry changed"]["words"] == "entry changed; Entry: “GPU <quota>”"
    assert (found["entry changed"]["by"], found["entry changed"]["after"]) == (BEN, {"entry": "team-quota"})


async def test_administrators_export_the_audit_log(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    for number in range(210):
        at = clock.now() + timedelta(minutes=number)
        await bot.workspaces.record(TEAM, Recorded(ANN, "entries imported", at, after={"lines": number}))
    log = (await press_audit(slack)).view
    found: list[int] = []
    pressed: Any = await slack.press(ANN, log, "audit_export")
    for _ in range(9):
        parts = [block["text"]["text"] for block in pressed.view.blocks[1:] if block["type"] == "section"]
        lines = [json.loads(line) for part in parts for line in part.splitlines()]
        assert {line["by"] for line in lines} == {ANN}
        found += [line["after"]["lines"] for line in lines]
        if "Older ones" not in str(pressed.view.blocks):
            break
        pressed = await slack.press(ANN, pressed.view, "audit_export")
    assert found == list(reversed(range(210)))
    slack.workspace.members[ANN].admin = False
    clock.move(minutes=5)
    await slack.press(ANN, log, "audit_export")
    # Three lie over each other by then: it stands where the button was.
    assert NOT_YOURS in [words(view) for view in slack.workspace.modals[ANN]]


@pytest.mark.parametrize("action", ["audit_log", "a_persons_data"])
async def test_who_is_no_administrator_any_more_sees_neither(
    slack: LocalSlack, bot: Bot, clock: Clock, action: str
) -> None:
    shown = await form(slack)
    slack.workspace.members[ANN].admin = False
    clock.move(minutes=5)
    pressed = await slack.press(ANN, shown, action)
    assert pressed.view is not None
    assert words(pressed.view) == NOT_YOURS


async def test_an_administrator_exports_a_persons_data(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, MLOPS, ("hand-made looms",))
    outcome = await about(slack, BEN, "export")
    assert "hand-made looms" in words(outcome.view)
    [entry] = await bot.workspaces.recorded(TEAM, 9)
    assert (entry.who, entry.what, len(entry.about)) == (ANN, "person exported", 64)
    assert "Ben" not in str(await rows(bot, "audit"))


async def test_an_administrator_erases_a_person(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, MLOPS)
    asked = await about(slack, BEN, "erase")
    assert "can't be undone" in words(asked.view)
    assert len(await rows(bot, "declarations")) == 1
    done = await slack.submit(ANN, asked.view, {})
    assert done.view is not None
    assert "I deleted everything I kept about this person (3 rows)" in words(done.view)
    assert await rows(bot, "declarations") == []
    [entry] = await bot.workspaces.recorded(TEAM, 9)
    [mark] = [row["mark"] for row in await rows(bot, "forgotten")]
    assert (entry.who, entry.what, entry.about, entry.after) == (ANN, "person erased", mark, {"rows": 3})
    assert BEN not in str(await rows(bot, "audit"))
    await slack.close(ANN, everything=True)
    assert f"hash {mark[:12]}" in words((await press_audit(slack)).view)


async def test_who_erases_themself_is_not_named_by_it(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, MLOPS)
    asked = await about(slack, ANN, "erase")
    await slack.submit(ANN, asked.view, {})
    assert ANN not in str(await rows(bot, "audit"))


@pytest.mark.parametrize("step", ["person", "erase"])
async def test_neither_step_is_done_for_who_is_no_administrator(
    slack: LocalSlack, bot: Bot, clock: Clock, step: str
) -> None:
    await declares(bot, slack, BEN, MLOPS)
    shown = (await slack.press(ANN, await form(slack), "a_persons_data")).view
    if step == "erase":
        shown = (await slack.submit(ANN, shown, {"person": BEN, "what": "erase"})).view
    slack.workspace.members[ANN].admin = False
    clock.move(minutes=5)
    outcome = await slack.submit(ANN, shown, {} if step == "erase" else {"person": BEN, "what": "export"})
    assert NOT_YOURS in (outcome.errors.get("person") or words(outcome.view))  # type: ignore[arg-type]
    assert len(await rows(bot, "declarations")) == 1
    assert await rows(bot, "audit") == []


async def test_a_person_has_to_be_chosen(slack: LocalSlack, bot: Bot) -> None:
    shown = (await slack.press(ANN, await form(slack), "a_persons_data")).view
    outcome = await slack.submit(ANN, shown, {})
    assert list(outcome.errors) == ["person"]


# The Home tab


async def at_home(slack: LocalSlack, bot: Bot, user: str) -> View:
    home = await slack.open_home(user)
    await settled(bot)
    return home


async def test_administrators_find_the_settings_on_the_home_tab(slack: LocalSlack, bot: Bot) -> None:
    for user in (BEN, GUS):
        assert "Workspace" not in words(await at_home(slack, bot, user))
    await slack.press(ANN, await at_home(slack, bot, ANN), "home_section:workspace")
    shown = slack.workspace.homes[ANN]
    assert "Write to people of my own accord: yes" in words(shown)
    assert "Nobody is suggested" not in words(shown)
    opened = await slack.press(ANN, shown, "workspace_settings")
    assert opened.view is not None
    assert opened.view.title == "Workspace settings"


async def test_roles_with_nobody_left_are_shown_to_administrators(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, MLOPS)
    await bot.people.forget(TEAM, BEN)
    await slack.press(ANN, await at_home(slack, bot, ANN), "home_section:workspace")
    shown = words(slack.workspace.homes[ANN])
    assert "MLOps Engineer" in shown
    assert "Nobody is named as a curator" in shown
    await declares(bot, slack, CAI, MLOPS)
    await slack.press(ANN, slack.workspace.homes[ANN], "home_section:workspace")
    assert "MLOps Engineer" not in words(slack.workspace.homes[ANN])
