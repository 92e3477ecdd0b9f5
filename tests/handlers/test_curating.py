"""Curators keep what their team knows: added, changed, retired, imported, exported; nobody else, whatever is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from bot.app import Bot
from bot.local import LocalSlack, View
from handlers import ids
from knowledge.people import Member, Terms, Visibility
from knowledge.team import Alias, TeamEntry, published
from knowledge.workspaces import Settings
from storage import tables
from tests.conftest import ANN, BEN, CAI, DEE, EVA, GUS, TEAM, Clock, declares, interact, rows, settled, words

QUOTA = TeamEntry("team-quota", "GPU quota", question="How do I get more GPU quota?", answer="Ask FinOps.")
ENTRY = {
    "team_name": "GPU quota",
    "team_names": "more GPUs, quota of GPUs",
    "team_question": "How do I get more GPU quota?",
    "team_answer": "Ask FinOps.",
    "team_roles": ["ai-infrastructure-architect"],
    "team_topics": "FinOps",
}
STANDINGS = {"guest": GUS, "member": CAI, "curator": BEN, "administrator": ANN}


@pytest_asyncio.fixture(autouse=True)
async def offices(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    slack.workspace.members[ANN].admin = True
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())


async def home(slack: LocalSlack, bot: Bot, user: str = BEN) -> View:
    shown = await slack.open_home(user)
    await slack.press(user, shown, "home_section:team")
    await settled(bot)
    return slack.workspace.homes[user]


async def opened(slack: LocalSlack, bot: Bot, action: str, user: str = BEN) -> View:
    if slack.workspace.modals.get(user):
        await slack.close(user, everything=True)
    view = (await slack.press(user, await home(slack, bot, user), action)).view
    assert view is not None
    return view


async def entries(bot: Bot) -> tuple[TeamEntry, ...]:
    return (await bot.team.known(TEAM, now=True)).entries


async def log(bot: Bot) -> list[str]:
    """Return what was noted of this; what happened at the same moment stands there in any order."""
    noted = [one.what for one in await bot.workspaces.recorded(TEAM, 20)]
    return sorted(what for what in noted if what.split()[0] in ("entry", "word", "entries", "people"))


async def test_an_entry_is_added_changed_retired_and_brought_back(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    empty = await opened(slack, bot, "team_new")
    assert "There is nothing here yet." in words(slack.workspace.homes[BEN])
    saved = await slack.submit(BEN, empty, {**ENTRY, "team_author": ["show"]})
    assert saved.view is not None and "“GPU quota” answers in this workspace" in words(saved.view)
    await settled(bot)
    assert "*1* answer" in words(slack.workspace.homes[BEN])
    answer = (await slack.command(CAI, "/genai-role how do I get more gpu quota?")).text
    assert "Ask FinOps." in answer
    assert "From your team, added by Ben Book on 2 March 2026, verified today." in answer
    clock.move(days=3)
    found = await opened(slack, bot, "team_list")
    assert f"published, changed on 2 March 2026 by <@{BEN}>" in words(found)
    form = (await slack.press(ANN, await opened(slack, bot, "team_list", ANN), "team_edit:0")).view
    assert form is not None and "Cancel" in str(form.blocks) + "Cancel"
    changed = await slack.submit(ANN, form, {"team_answer": "Ask Cai.", "team_author": []})
    assert changed.errors == {}
    [entry] = await entries(bot)
    assert (entry.answer, entry.names, entry.written_by, entry.shown_author) == (
        *("Ask Cai.", ("more GPUs", "quota of GPUs")),
        *(ANN, ""),
    )
    form = (await slack.press(BEN, await opened(slack, bot, "team_list"), "team_edit:0")).view
    assert form is not None
    verified = (await slack.press(BEN, form, "team_verify")).view
    assert verified is not None and "verified as of today" in words(verified)
    form = (await slack.press(BEN, await opened(slack, bot, "team_list"), "team_edit:0")).view
    assert form is not None
    gone = (await slack.press(BEN, form, "team_retire")).view
    assert gone is not None and "is retired" in words(gone)
    assert "From your team" not in (await slack.command(CAI, "/genai-role gpu quota")).text
    form = (await slack.press(BEN, await opened(slack, bot, "team_list"), "team_edit:0")).view
    assert (await slack.submit(BEN, form)).errors == {}
    assert "Ask Cai." in (await slack.command(CAI, "/genai-role gpu quota")).text
    await settled(bot)
    told = ["entry added", "entry changed", "entry changed", "entry retired", "entry verified"]
    assert await log(bot) == told


async def test_nobodys_name_is_shown_by_the_tick_of_another(slack: LocalSlack, bot: Bot) -> None:
    await slack.submit(BEN, await opened(slack, bot, "team_new"), {**ENTRY, "team_author": ["show"]})
    form = (await slack.press(ANN, await opened(slack, bot, "team_list", ANN), "team_edit:0")).view
    assert form is not None
    await slack.submit(ANN, form, {"team_answer": "Ask Cai."})
    [entry] = await entries(bot)
    assert (entry.answer, entry.written_by, entry.shown_author) == ("Ask Cai.", ANN, "")
    # Who ticked it themself finds it ticked.
    form = (await slack.press(ANN, await opened(slack, bot, "team_list", ANN), "team_edit:0")).view
    assert form is not None
    await slack.submit(ANN, form, {"team_author": ["show"]})
    form = (await slack.press(ANN, await opened(slack, bot, "team_list", ANN), "team_edit:0")).view
    assert form is not None
    await slack.submit(ANN, form, {"team_answer": "Ask Dee."})
    [entry] = await entries(bot)
    assert (entry.answer, entry.shown_author) == ("Ask Dee.", "Ann Archer")


async def test_what_is_wrong_is_told_in_place(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)], [Alias("Orakel", "mlops-engineer")])
    form = await opened(slack, bot, "team_new")
    for values, wrong in (
        ({"team_name": "gpu quotas", "team_answer": "x"}, {"team_name"}),
        ({"team_name": "Orakel", "team_answer": "x"}, {"team_name"}),
        ({"team_name": "!?", "team_answer": "x"}, {"team_name"}),
        ({"team_name": "Falcon"}, {"team_roles"}),
        ({"team_name": "Falcon", "team_answer": "x", "team_names": "GPU quota"}, {"team_names"}),
        ({"team_name": "Falcon", "team_answer": "x", "team_question": QUOTA.question}, {"team_question"}),
        ({"team_name": "Falcon", "team_answer": "x", "team_topics": ",".join(map(str, range(11)))}, {"team_topics"}),
    ):
        empty = {"team_names": "", "team_question": "", "team_answer": "", "team_topics": ""}
        refused = await slack.submit(BEN, form, empty | values)
        assert set(refused.errors) == wrong, values
    assert len(await entries(bot)) == 1


async def edited(slack: LocalSlack, bot: Bot, user: str) -> View:
    """Open the form of the first entry in the list."""
    form = (await slack.press(user, await opened(slack, bot, "team_list", user), "team_edit:0")).view
    assert form is not None
    return form


def shown_in(form: View, name: str) -> str:
    [found] = [block["element"].get("initial_value", "") for block in form.blocks if block.get("block_id") == name]
    return str(found)


@pytest.mark.parametrize(("action", "said"), [("team_retire", "It is not retired"), ("team_verify", "*Save* it")])
async def test_no_button_drops_what_is_typed(slack: LocalSlack, bot: Bot, clock: Clock, action: str, said: str) -> None:
    odd = TeamEntry("team-odd", "GPU quota", ("a,  b", "c"), "How do I\nget it?", " Ask FinOps. ", (), ("x , y",))
    await bot.team.save(TEAM, [published(odd, clock.at)])
    [before] = await entries(bot)
    clock.move(days=1)
    for typed in ({"team_answer": "Ask Cai."}, {"team_author": ["show"]}, {"team_topics": "FinOps"}):
        form = await edited(slack, bot, BEN)
        await slack.enter(BEN, form, typed)
        kept = (await slack.press(BEN, form, action)).view
        assert kept is not None and said in words(kept)
        assert await entries(bot) == (before,)
    # What was typed is still there, and is saved.
    form = await edited(slack, bot, BEN)
    await slack.enter(BEN, form, {"team_answer": "Ask Cai."})
    kept = (await slack.press(BEN, form, action)).view
    assert kept is not None and shown_in(kept, "team_answer") == "Ask Cai."
    assert (await slack.submit(BEN, kept)).errors == {}
    [after] = await entries(bot)
    assert (after.answer, after.verified_at, after.state) == ("Ask Cai.", clock.at, "published")
    # Untouched, it does what it says.
    done = (await slack.press(BEN, await edited(slack, bot, BEN), action)).view
    assert done is not None and ("is retired" in words(done) or "is verified" in words(done))
    await settled(bot)


async def test_of_two_curators_the_second_is_told_what_the_first_changed(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    clock.move(minutes=1)
    theirs, mine = await edited(slack, bot, ANN), await edited(slack, bot, BEN)
    await slack.submit(ANN, theirs, {"team_answer": "Ask <Dee> now.", "team_roles": ["ai-product-manager"]})
    told = (await slack.submit(BEN, mine, {"team_answer": "Ask Cai.", "team_topics": "FinOps"})).view
    assert told is not None
    said = words(told)
    assert f"<@{ANN}> changed this entry while you had it open" in said
    assert "*Answer* is now: Ask &lt;Dee&gt; now." in said
    assert "*Whose field it is* is now: AI Product Manager" in said
    assert "*Topics" not in said and "*Name*" not in said
    assert (shown_in(told, "team_answer"), shown_in(told, "team_topics")) == ("Ask Cai.", "FinOps")
    [entry] = await entries(bot)
    assert (entry.answer, entry.written_by) == ("Ask <Dee> now.", ANN)
    # Having read that, they decide.
    saved = (await slack.submit(BEN, told)).view
    assert saved is not None and "Saved." in words(saved)
    [entry] = await entries(bot)
    assert (entry.answer, entry.topics, entry.written_by) == ("Ask Cai.", ("FinOps",), BEN)
    await settled(bot)


@pytest.mark.parametrize("action", ["team_retire", "team_verify"])
async def test_nobody_verifies_or_retires_what_they_have_not_seen(
    slack: LocalSlack, bot: Bot, clock: Clock, action: str
) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    clock.move(minutes=1)
    theirs, mine = await edited(slack, bot, ANN), await edited(slack, bot, BEN)
    await slack.submit(ANN, theirs, {"team_answer": "Ask Dee."})
    [before] = await entries(bot)
    clock.move(minutes=1)
    told = (await slack.press(BEN, mine, action)).view
    assert told is not None and "*Answer* is now: Ask Dee." in words(told)
    assert await entries(bot) == (before,)
    await settled(bot)


async def test_of_two_who_save_in_the_same_moment_one_is_told(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    clock.move(minutes=1)
    mine = await edited(slack, bot, BEN)
    change, first = bot.team.change, [published(replace(QUOTA, answer="Ask Dee.", written_by=ANN), clock.now())]

    async def after_another(*arguments: Any) -> TeamEntry | None:
        # Between what is read and what is written another process writes.
        if first:
            await bot.team.save(TEAM, [first.pop()])
        return await change(*arguments)

    monkeypatch.setattr(bot.team, "change", after_another)
    told = (await slack.submit(BEN, mine, {"team_answer": "Ask Cai."})).view
    assert told is not None and "*Answer* is now: Ask Dee." in words(told)
    assert [one.answer for one in await entries(bot)] == ["Ask Dee."]
    await settled(bot)


async def test_a_proposal_that_another_published_is_shown_with_what_was_typed(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.team.save(TEAM, [replace(QUOTA, changed_at=clock.at)])
    clock.move(minutes=1)
    theirs, mine = await edited(slack, bot, ANN), await edited(slack, bot, BEN)
    published_by_ann = (await slack.submit(ANN, theirs, {"team_answer": "Ask Dee."})).view
    assert published_by_ann is not None and "Saved." in words(published_by_ann)
    told = (await slack.submit(BEN, mine, {"team_answer": "Ask Cai."})).view
    assert told is not None and "It answers now." in words(told) and "*Answer* is now: Ask Dee." in words(told)
    assert shown_in(told, "team_answer") == "Ask Cai."
    await settled(bot)
    assert await log(bot) == ["entry published"]


async def test_an_entry_that_was_retired_meanwhile_is_not_brought_back_unknowingly(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    clock.move(minutes=1)
    theirs, mine = await edited(slack, bot, ANN), await edited(slack, bot, BEN)
    await slack.press(ANN, theirs, "team_retire")
    told = (await slack.submit(BEN, mine, {"team_answer": "Ask Cai."})).view
    assert told is not None and "It is retired now." in words(told)
    assert "None of what it says was changed." in words(told) and shown_in(told, "team_answer") == "Ask Cai."
    assert [one.state for one in await entries(bot)] == ["retired"]
    await settled(bot)


async def test_the_same_form_twice_is_saved_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    clock.move(minutes=1)
    form = await edited(slack, bot, BEN)
    values = {"team_name": {"value": "GPU quota"}, "team_answer": {"value": "Ask Cai."}}
    for _ in range(2):
        await interact(slack, submission(BEN, ids.VIEW_TEAM_ENTRY, form.private_metadata, values))
        assert "Saved." in slack.deliveries[-1].text
    await settled(bot)
    assert await log(bot) == ["entry changed"]


async def test_the_list_is_searched_and_turned(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    many = [published(TeamEntry(f"team-{at:02}", f"Bird number {at:02}", answer="x"), clock.at) for at in range(20)]
    await bot.team.save(TEAM, many, [Alias("Orakel", "mlops-engineer", BEN, clock.at)])
    found = await opened(slack, bot, "team_list")
    assert "21 in all. Page 1 of 3." in words(found)
    second = (await slack.press(BEN, found, "team_list:next")).view
    assert second is not None and "Bird number 08" in words(second) and "Page 2 of 3." in words(second)
    one = (await slack.submit(BEN, second, {"team_query": "numb 17"})).view
    assert one is not None and "1 in all. Page 1 of 1." in words(one) and "Bird number 17" in words(one)
    none = (await slack.submit(BEN, one, {"team_query": "zebra"})).view
    assert none is not None and "Nothing fits that." in words(none)
    await settled(bot)


async def test_a_word_is_added_and_removed(slack: LocalSlack, bot: Bot) -> None:
    form = await opened(slack, bot, "team_word")
    assert [one["value"] for one in await slack.suggest(BEN, form, "team_target", "kubern")][-1] == "kubernetes"
    refused = await slack.submit(BEN, form, {"team_name": "k8s", "team_entry_id": "mlops-engineer"})
    assert refused.errors == {"team_name": "That names Kubernetes already."}
    saved = await slack.submit(BEN, form, {"team_name": "Orakel", "team_entry_id": "mlops-engineer"})
    assert saved.view is not None and "“Orakel” is read as MLOps Engineer" in words(saved.view)
    assert "Your team says “Orakel”" in (await slack.command(CAI, "/genai-role orakel")).text
    found = await opened(slack, bot, "team_list")
    removed = (await slack.press(BEN, found, "team_unword:0")).view
    assert removed is not None and "not one of your team's words any more" in words(removed)
    assert "Your team says" not in (await slack.command(CAI, "/genai-role orakel")).text
    await settled(bot)
    assert await log(bot) == ["word added", "word removed"]


async def test_a_word_that_means_something_else_is_changed_when_it_is_sent_again(slack: LocalSlack, bot: Bot) -> None:
    typed = {"team_name": "Orakel", "team_entry_id": "mlops-engineer"}
    await slack.submit(BEN, await opened(slack, bot, "team_word"), typed)
    form = await opened(slack, bot, "team_word", ANN)
    again = await slack.submit(ANN, form, typed)
    assert again.errors == {"team_name": "“Orakel” is read as MLOps Engineer already."}
    other = await slack.submit(ANN, form, {"team_name": "Orakels", "team_entry_id": "data-engineer"})
    assert other.errors == {"team_name": "“Orakel” is your team's word for MLOps Engineer, in any form."}
    entry = await opened(slack, bot, "team_new", ANN)
    refused = await slack.submit(ANN, entry, {"team_name": "Orakel", "team_answer": "x"})
    assert refused.errors == {"team_name": "“Orakel” is your team's word for MLOps Engineer already."}
    form = await opened(slack, bot, "team_word", ANN)
    typed = {"team_name": "orakel", "team_entry_id": "data-engineer"}
    asked = (await slack.submit(ANN, form, typed)).view
    assert asked is not None
    told = (
        f"*“Orakel” is read as MLOps Engineer now*, added on 2 March 2026 by <@{BEN}>. Nothing is saved yet: save again"
    )
    assert told in words(asked) and shown_in(asked, "team_name") == "orakel"
    assert "Your team says “Orakel” for MLOps" in (await slack.command(CAI, "/genai-role orakel")).text
    saved = (await slack.submit(ANN, asked, {})).view
    assert saved is not None and "“orakel” is read as Data Engineer from now on" in words(saved)
    assert (await bot.team.known(TEAM, now=True)).aliases[0].entry_id == "data-engineer"
    await settled(bot)
    assert await log(bot) == ["word added", "word changed"]


async def test_a_word_that_got_another_meaning_meanwhile_is_asked_about_anew(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.team.save(TEAM, [], [Alias("Orakel", "mlops-engineer")])
    form = await opened(slack, bot, "team_word")
    asked = (await slack.submit(BEN, form, {"team_name": "Orakel", "team_entry_id": "data-engineer"})).view
    assert asked is not None
    await bot.team.save(TEAM, [], [Alias("Orakel", "prompt-engineer", ANN, clock.now())])
    anew = (await slack.submit(BEN, asked, {})).view
    assert anew is not None and "“Orakel” is read as Prompt Engineer now" in words(anew)
    assert [one.entry_id for one in (await bot.team.known(TEAM, now=True)).aliases] == ["prompt-engineer"]
    await bot.team.remove_alias(TEAM, "Orakel")
    saved = (await slack.submit(BEN, anew, {})).view
    assert saved is not None and "is read as Data Engineer from now on" in words(saved)
    await settled(bot)


PASTED = "name,question,answer,alias_of\nFalcon,What is Falcon?,A store.,\nOrakel,,,mlops-engineer\n"


async def test_entries_are_imported_after_a_dry_run(slack: LocalSlack, bot: Bot) -> None:
    form = await opened(slack, bot, "team_import")
    bad = await slack.submit(BEN, form, {"team_what": "entries", "team_rows": PASTED + "Heron,,,\n"})
    assert bad.view is not None
    assert "2 to write, 1 with a problem. Mend them and check again" in words(bad.view)
    assert "line 4: refused: roles: Without an answer, say at least whose field it is." in words(bad.view)
    again = await slack.submit(BEN, bad.view)
    assert again.view is not None and await entries(bot) == ()
    checked = await slack.submit(BEN, again.view, {"team_rows": PASTED})
    assert checked.view is not None
    assert "line 2: added: new entry “Falcon”\nline 3: added: new word “Orakel”" in words(checked.view)
    assert await entries(bot) == ()
    # What was changed since the check is checked again.
    other = await slack.submit(BEN, checked.view, {"team_rows": PASTED.replace("A store", "A shop")})
    assert other.view is not None and await entries(bot) == ()
    done = await slack.submit(BEN, other.view)
    assert done.view is not None and "2 imported." in words(done.view)
    assert [(one.name, one.answer, one.written_by) for one in await entries(bot)] == [("Falcon", "A shop.", BEN)]
    await settled(bot)
    assert await log(bot) == ["entries imported"]


async def test_people_are_imported_after_a_dry_run(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, DEE, {"data-engineer": "lead"})
    await slack.command(DEE, "/genai-role forget me")
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    pasted = f"id,roles,topics\n{CAI},mlops-engineer:lead,Airflow\n{DEE},mlops-engineer:lead,\n"
    pasted += f"{ANN},mlops-engineer:lead,\n"
    form = await opened(slack, bot, "team_import")
    checked = await slack.submit(BEN, form, {"team_what": "people", "team_rows": pasted})
    assert checked.view is not None
    report = (
        f"line 2: {CAI} added",
        # The same of who asked to be forgotten and of who declared something, seen or not.
        "line 3: left as it is",
        "line 4: left as it is",
    )
    assert [line for line in report if line not in words(checked.view)] == []
    assert await log(bot) == ["people checked"]
    # What somebody says themself meanwhile is seen before anything is written.
    await declares(bot, slack, CAI, {"prompt-engineer": "lead"})
    again = await slack.submit(BEN, checked.view)
    assert again.view is not None and "line 2: left as it is" in words(again.view)
    assert "There is nothing to write." in words(again.view)
    more = await slack.submit(BEN, again.view, {"team_rows": f"{pasted}{EVA},mlops-engineer:lead,\n"})
    assert more.view is not None
    done = await slack.submit(BEN, more.view)
    assert done.view is not None and "1 imported." in words(done.view)
    assert f"line 5: {EVA} added" in words(done.view) and "line 4: left as it is" in words(done.view)
    found = {row["user_id"]: row["key"] for row in await rows(bot, "declarations", "kind = 'role'")}
    assert found == {ANN: "data-engineer", CAI: "prompt-engineer", EVA: "mlops-engineer"}
    broken = await slack.submit(BEN, await opened(slack, bot, "team_import"), {"team_rows": "who\nme\n"})
    assert "there is no column 'who'" in broken.errors["team_rows"]
    await settled(bot)


async def test_what_is_exported_says_whether_it_is_all(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)], [Alias("Orakel", "mlops-engineer")])
    await declares(bot, slack, CAI, {"data-engineer": "lead"}, ("Airflow",))
    shown = words(await opened(slack, bot, "team_export:entries"))
    assert "2 lines, to copy." in shown and "team-quota,GPU quota,,How do I get more GPU quota?,Ask FinOps." in shown
    assert f"python -m bot entries export FILE.csv --workspace {TEAM}" in shown
    assert f"{CAI},Cai Chen" in words(await opened(slack, bot, "team_export:people"))
    await settled(bot)


async def test_what_curators_export_is_what_colleagues_may_see(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, CAI, {"data-engineer": "lead"}, ("Airflow",))
    hidden: tuple[tuple[str, Visibility], ...] = ((DEE, "hidden"), (ANN, "ask_first"))
    for user, visibility in hidden:
        secret = Terms(visibility)
        await bot.people.declare(TEAM, user, {"data-engineer": "lead"}, {"x": "Secret topic"}, clock.at, secret)
    terms = Terms("open", 7, {"gdpr": "GDPR matters"})
    await bot.people.declare(TEAM, CAI, {"data-engineer": "lead"}, {"airflow": "Airflow"}, clock.at, terms)
    for user in (BEN, ANN):
        shown = words(await opened(slack, bot, "team_export:people", user))
        assert f"{CAI},Cai Chen" in shown and "1 lines, to copy. Only of people who let" in shown
        for private in (DEE, ANN, "Secret topic", "GDPR matters", "weekly_cap", "visibility"):
            assert private not in shown
    await settled(bot)


async def test_curators_export_nobody_whom_colleagues_do_not_see(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    for user in (CAI, DEE, EVA, ANN):
        await declares(bot, slack, user, {"data-engineer": "lead"})
    await bot.people.remember(TEAM, Member(DEE, "Dee", availability="deactivated"), clock.at)
    await bot.people.remember(TEAM, Member(ANN, "Ann", is_guest=True), clock.at)
    async with bot.engine.begin() as connection:
        await connection.execute(tables.terms.update().where(tables.terms.c.user_id == EVA).values(faded=True))
    shown = words(await opened(slack, bot, "team_export:people"))
    assert f"{CAI},Cai Chen" in shown and "1 lines, to copy." in shown
    assert [user for user in (DEE, EVA, ANN) if user in shown] == []
    await settled(bot)


async def test_what_is_exported_says_how_much_is_missing(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    many = [published(TeamEntry(f"team-{at:03}", f"Bird {at}", answer="x" * 400), clock.at) for at in range(200)]
    await bot.team.save(TEAM, many)
    shown = words(await opened(slack, bot, "team_export:entries"))
    assert "and not all of them" in shown
    await settled(bot)


def press(user: str, action: str, value: str, trigger: str = "1.1") -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": user, "name": "x", "team_id": TEAM},
        "team": {"id": TEAM},
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
        "trigger_id": trigger,
    }


def submission(user: str, callback: str, metadata: str, values: dict[str, Any]) -> dict[str, Any]:
    state = {block: {"input": element} for block, element in values.items()}
    view = {"id": "V1", "type": "modal", "callback_id": callback, "private_metadata": metadata}
    return {
        "type": "view_submission",
        "user": {"id": user, "name": "x", "team_id": TEAM},
        "team": {"id": TEAM},
        "view": {**view, "state": {"values": state}},
    }


BUTTONS: tuple[str, ...] = (
    "team_new",
    "team_word",
    "team_list",
    "team_edit:0",
    "team_retire",
    "team_verify",
)
BUTTONS += ("team_unword:0", "team_import", "team_export:entries", "team_export:people")
TYPED = {"team_name": {"type": "plain_text_input", "value": "Forged"}, "team_answer": {"value": "x"}}
CHOSEN = {"team_entry_id": {"selected_option": {"value": "mlops-engineer"}}}
PASTE = {"team_rows": {"value": PASTED}, "team_what": {"selected_option": {"value": "entries"}}}


@pytest.mark.parametrize("standing", ["guest", "member"])
async def test_nobody_else_can_do_anything_of_it(slack: LocalSlack, bot: Bot, clock: Clock, standing: str) -> None:
    user = STANDINGS[standing]
    await bot.team.save(TEAM, [published(QUOTA, clock.at)], [Alias("Orakel", "mlops-engineer")])
    before = await bot.team.known(TEAM, now=True)
    assert "home_section:team" not in str((await slack.open_home(user)).blocks)
    for action in BUTTONS:
        value = "Orakel" if "unword" in action else QUOTA.id
        sent = len(slack.called("chat.postMessage"))
        assert await interact(slack, press(user, action, value)) == 200
        [refusal] = slack.called("chat.postMessage")[sent:]
        assert "Only curators can do that" in refusal.arguments["text"], action
    for callback, values in (
        (ids.VIEW_TEAM_ENTRY, TYPED),
        (ids.VIEW_TEAM_WORD, TYPED | CHOSEN),
        (ids.VIEW_TEAM_IMPORT, PASTE),
        (ids.VIEW_TEAM_LIST, {"team_query": {"value": "GPU"}}),
    ):
        for metadata in ("", QUOTA.id):
            assert await interact(slack, submission(user, callback, metadata, values)) == 200
            assert "Only curators can do that" in slack.deliveries[-1].text
    for menu in (ids.TEAM_ROLES, ids.TEAM_TARGET):
        asked = {**press(user, "", ""), "type": "block_suggestion", "action_id": menu, "value": "ml", "block_id": "b"}
        assert await interact(slack, asked) == 200
        assert json.loads(slack.deliveries[-1].text) == {"options": []}
    assert not slack.called("views.open")
    assert await bot.team.known(TEAM, now=True) == before
    assert await log(bot) == []
    await settled(bot)


@pytest.mark.parametrize("standing", ["curator", "administrator"])
async def test_whoever_may_can_do_all_of_it(slack: LocalSlack, bot: Bot, clock: Clock, standing: str) -> None:
    user = STANDINGS[standing]
    await bot.team.save(TEAM, [published(QUOTA, clock.at)], [Alias("Orakel", "mlops-engineer")])
    for action in ("team_new", "team_word", "team_list", "team_import", "team_export:entries", "team_export:people"):
        assert "Only curators" not in words(await opened(slack, bot, action, user))
    await settled(bot)


async def test_a_curator_who_is_none_any_more_is_refused_at_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    form = await opened(slack, bot, "team_new")
    clock.move(seconds=6)
    await bot.workspaces.save(TEAM, Settings(), ANN, clock.now())
    refused = await slack.submit(BEN, form, {"team_name": "Falcon", "team_answer": "x"})
    assert refused.view is not None and "Only curators can do that" in words(refused.view)
    assert await entries(bot) == ()


@pytest.mark.parametrize("value", ["", "team-other", "[", '["x", -1]', '["x", 1e9]', "[" * 900, "null"])
async def test_a_tampered_value_changes_nothing(slack: LocalSlack, bot: Bot, clock: Clock, value: str) -> None:
    await bot.team.save("T0OTHER", [published(TeamEntry("team-other", "Theirs", answer="x"), clock.at)])
    for action in ("team_list", "team_edit:0", "team_retire", "team_verify", "team_unword:0"):
        trigger = slack.workspace.new_trigger(BEN).id
        assert await interact(slack, press(BEN, action, value, trigger)) == 200
    await interact(slack, submission(BEN, ids.VIEW_TEAM_ENTRY, value or "x", TYPED))
    assert "not there any more" in slack.deliveries[-1].text
    assert await entries(bot) == ()
    assert [one.name for one in (await bot.team.known("T0OTHER", now=True)).entries] == ["Theirs"]
    assert await log(bot) == []
    await settled(bot)
