"""Entries imported from the Home tab: nothing is overwritten that somebody changed since a curator saw the check."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.app import Bot
from bot.local import LocalSlack, View
from knowledge.team import Alias, TeamEntry, published, verified
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, settled, words
from tests.conftest import rows as table
from tests.databases import BOTH
from tests.handlers.test_curating import QUOTA, edited, entries, log, offices, opened

__all__ = ["offices"]
ROWS = "name,question,answer\nGPU quota,How do I get more GPU quota?,Ask Cai.\nHeron,What is Heron?,A bird."
WORDS = "name,alias_of\nOrakel,mlops-engineer\nHeron,data-engineer"
AT = "2026-03-02 09:31 UTC"


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


async def checked(slack: LocalSlack, bot: Bot, rows: str) -> View:
    form = await opened(slack, bot, "team_import")
    report = (await slack.submit(BEN, form, {"team_what": "entries", "team_rows": rows})).view
    assert report is not None and "Send it again to write it." in words(report)
    return report


async def sent(slack: LocalSlack, report: View) -> View:
    shown = (await slack.submit(BEN, report)).view
    assert shown is not None
    return shown


async def answers(bot: Bot) -> list[str]:
    return sorted(entry.answer for entry in await entries(bot))


async def test_an_edit_since_the_check_is_told_and_not_overwritten(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.team.save(TEAM, [published(replace(QUOTA, written_by=BEN), clock.at)])
    report = await checked(slack, bot, ROWS)
    clock.move(minutes=1)
    await slack.submit(ANN, await edited(slack, bot, ANN), {"team_answer": "Ask Dee."})
    before = await entries(bot)
    told = await sent(slack, report)
    assert f"line 2: changed meanwhile by <@{ANN}> at {AT}: look at the entry “GPU quota” and import again" in words(
        told
    )
    assert "line 3: added: new entry “Heron”" in words(told)
    assert "2 to write, 0 with a problem. 1 changed meanwhile, and nothing was written." in words(told)
    assert await entries(bot) == before
    # Having seen that, they decide.
    assert "2 imported." in words(await sent(slack, told))
    assert await answers(bot) == ["A bird.", "Ask Cai."]
    await settled(bot)
    assert await log(bot) == ["entries imported", "entry changed"]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        # Who retired it stands in the audit log, not in the entry.
        (f"id,{QUOTA.id},", f"changed meanwhile at {AT}: look at the entry “GPU quota” and import again"),
        ("id,,", "changed meanwhile: the entry “GPU quota” was retired or taken away; look and import again"),
    ],
)
async def test_what_was_retired_since_the_check_is_not_brought_back(
    slack: LocalSlack, bot: Bot, clock: Clock, column: str, said: str
) -> None:
    await bot.team.save(TEAM, [published(replace(QUOTA, written_by=BEN), clock.at)])
    cells = column.split(",")
    rows = [f"{cell},{row}" for cell, row in zip(cells, ROWS.splitlines(), strict=True)]
    report = await checked(slack, bot, "\n".join(rows))
    clock.move(minutes=1)
    await slack.press(ANN, await edited(slack, bot, ANN), "team_retire")
    assert f"line 2: {said}" in words(await sent(slack, report))
    assert [(one.answer, one.state) for one in await entries(bot)] == [("Ask FinOps.", "retired")]
    await settled(bot)


Change = Callable[[Bot, Clock], Awaitable[object]]


def in_the_moment_of_writing(monkeypatch: pytest.MonkeyPatch, bot: Bot, change: Change, clock: Clock) -> None:
    """Let another process write between what is read and what is written."""
    save, first = bot.team.save, [change]

    async def after_another(*arguments: Any, **more: Any) -> bool:
        if first:
            await first.pop()(bot, clock)
        return await save(*arguments, **more)

    monkeypatch.setattr(bot.team, "save", after_another)


async def test_an_edit_in_the_moment_of_writing_is_told_and_not_overwritten(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    report = await checked(slack, bot, ROWS)
    clock.move(minutes=1)

    async def edit(bot: Bot, clock: Clock) -> None:
        await bot.team.save(TEAM, [published(replace(QUOTA, answer="Ask Dee.", written_by=ANN), clock.now())])

    in_the_moment_of_writing(monkeypatch, bot, edit, clock)
    assert f"line 2: changed meanwhile by <@{ANN}> at {AT}: look at" in words(await sent(slack, report))
    assert await answers(bot) == ["Ask Dee."]
    assert await log(bot) == []


async def test_what_takes_nothing_away_does_not_hold_an_import_up(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bot.team.save(TEAM, [published(QUOTA, clock.at)])
    report = await checked(slack, bot, ROWS)
    clock.move(minutes=1)

    async def change(bot: Bot, clock: Clock) -> None:
        right = verified(published(QUOTA, clock.at), clock.now(), by_curator=True)
        await bot.team.save(TEAM, [right, published(TeamEntry("team-owl", "Owl", answer="Another one."), clock.now())])

    in_the_moment_of_writing(monkeypatch, bot, change, clock)
    assert "2 imported." in words(await sent(slack, report))
    assert await answers(bot) == ["A bird.", "Another one.", "Ask Cai."]
    await settled(bot)


async def test_an_entry_that_was_added_meanwhile_is_not_overwritten(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    report = await checked(slack, bot, ROWS)
    clock.move(minutes=1)
    await bot.team.save(TEAM, [published(replace(QUOTA, name="GPU <Quota>", names=("GPU quota",)), clock.at)])
    told = words(await sent(slack, report))
    assert f"line 2: changed meanwhile at {AT}: look at the entry “GPU quota” and import again" in told
    assert await answers(bot) == ["Ask FinOps."]


async def test_words_that_were_changed_meanwhile_are_not_overwritten(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await bot.team.save(TEAM, [], [Alias("Heron", "data-engineer", BEN, clock.at)])
    report = await checked(slack, bot, WORDS)
    clock.move(minutes=1)
    await bot.team.save(TEAM, [], [Alias("ORAKEL", "data-engineer", ANN, clock.at)])
    await bot.team.remove_alias(TEAM, "Heron")
    told = await sent(slack, report)
    assert f"line 2: changed meanwhile by <@{ANN}> at {AT}: look at the word “Orakel” and import again" in words(told)
    gone = "line 3: changed meanwhile: the word “Heron” was taken away; look and import again"
    assert gone in words(told)
    kept = (await bot.team.known(TEAM, now=True)).aliases
    assert [(one.name, one.entry_id) for one in kept] == [("ORAKEL", "data-engineer")]
    assert "2 imported." in words(await sent(slack, told))
    kept = (await bot.team.known(TEAM, now=True)).aliases
    assert [(one.name, one.entry_id) for one in kept] == [("Heron", "data-engineer"), ("Orakel", "mlops-engineer")]
    await settled(bot)


async def test_as_many_lines_as_can_be_pasted_are_remembered(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    signs = [chr(0x4E00 + at) for at in range(740)]
    many = [published(TeamEntry(f"team-{at}", sign, answer="-"), clock.at) for at, sign in enumerate(signs)]
    await bot.team.save(TEAM, many)
    report = await checked(slack, bot, "\n".join(["name,answer", *(f"{sign},x" for sign in signs)]))
    clock.move(minutes=1)
    await bot.team.save(TEAM, [published(replace(many[9], answer="y", written_by=ANN), clock.at)])
    told = words(await sent(slack, report))
    assert f"line 11: changed meanwhile by <@{ANN}>" in told and "740 to write, 0 with a problem. 1 changed" in told


async def checked_people(slack: LocalSlack, bot: Bot, user: str, rows: str) -> View:
    form = await opened(slack, bot, "team_import", user)
    report = (await slack.submit(user, form, {"team_what": "people", "team_rows": f"id,roles\n{rows}"})).view
    assert report is not None and "Send it again to write it." in words(report)
    return report


async def sent_by(slack: LocalSlack, user: str, report: View) -> str:
    shown = (await slack.submit(user, report)).view
    assert shown is not None
    return words(shown)


async def held(bot: Bot) -> dict[str, str]:
    return {row["user_id"]: row["key"] for row in await table(bot, "declarations", "kind = 'role'")}


@pytest.mark.parametrize("before", [True, False])
async def test_of_two_files_of_the_same_minute_the_second_overwrites_nothing_unseen(
    slack: LocalSlack, bot: Bot, before: bool
) -> None:
    if before:
        await sent_by(slack, BEN, await checked_people(slack, bot, BEN, f"{CAI},data-scientist:lead"))
    mine = await checked_people(slack, bot, BEN, f"{DEE},mlops-engineer:lead\n{CAI},mlops-engineer:lead")
    theirs = await checked_people(slack, bot, ANN, f"{CAI},prompt-engineer:lead")
    assert "1 imported." in await sent_by(slack, ANN, theirs)
    shown = (await slack.submit(BEN, mine)).view
    assert shown is not None
    told = "changed meanwhile: what a file said of this person is not what it was; look and import again"
    assert f"line 3: {CAI} {told}" in words(shown)
    assert f"line 2: {DEE} added" in words(shown)
    assert "2 to write, 0 with a problem. 1 changed meanwhile, and nothing was written. Send it again" in words(shown)
    assert await held(bot) == {CAI: "prompt-engineer"}
    # Having seen that, they decide.
    assert "2 imported." in await sent_by(slack, BEN, shown)
    assert await held(bot) == {CAI: "mlops-engineer", DEE: "mlops-engineer"}
    await settled(bot)


async def test_of_two_files_that_are_sent_at_once_the_second_overwrites_nothing_unseen(
    slack: LocalSlack, bot: Bot
) -> None:
    reports = {}
    for user, role in ((BEN, "mlops-engineer"), (ANN, "prompt-engineer")):
        reports[user] = await checked_people(slack, bot, user, f"{CAI},{role}:lead")
    said = await asyncio.gather(*(sent_by(slack, user, report) for user, report in reports.items()))
    assert sorted(one.count("1 imported.") for one in said) == [0, 1]
    [second] = [one for one in said if "1 imported." not in one]
    assert f"line 2: {CAI} changed meanwhile: what a file said of this person is not what it was" in second
    first = "prompt-engineer" if second == said[0] else "mlops-engineer"
    assert await held(bot) == {CAI: first}
    await settled(bot)
