"""What people write into forms and files to import: no mention, broadcast or link of theirs comes out anywhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest

from bot.app import Bot
from bot.local import LocalSlack, View
from knowledge.workspaces import Settings
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, declares, settled
from tests.handlers.test_asks import AT_WORK, MLOPS, answers, carried, put, told
from tests.handlers.test_injection import EVIL, IDS, is_harmless


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


async def curators(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    slack.workspace.members[ANN].admin = True
    await bot.workspaces.save(TEAM, Settings(curators=(BEN,)), ANN, clock.now())


async def opened(slack: LocalSlack, bot: Bot, action: str, user: str = BEN) -> View:
    if slack.workspace.modals.get(user):
        await slack.close(user, everything=True)
    home = await slack.open_home(user)
    await slack.press(user, home, "home_section:team")
    await settled(bot)
    view = (await slack.press(user, slack.workspace.homes[user], action)).view
    assert view is not None
    return view


@pytest.mark.parametrize("evil", EVIL, ids=IDS)
async def test_what_people_write_about_a_question(slack: LocalSlack, bot: Bot, clock: Clock, evil: str) -> None:
    """Question, note of a hand-over, answer, question back, and what is written in threads."""
    text = f"Zebra {evil}"[:1500]
    await curators(slack, bot, clock)
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, {"mlops-engineer": "learning"})
    mine = await put(slack, bot, clock, question=text)
    [card] = told(slack, DEE)
    handed = (await slack.press(DEE, card, "asked:hand_over")).view
    assert handed is not None
    await slack.submit(DEE, handed, {"whom": CAI, "note": text})
    await carried(bot, clock)
    [second] = told(slack, CAI)
    await answers(slack, CAI, second, text)
    await carried(bot, clock)
    back = (await slack.press(ANN, mine, "asking:back")).view
    assert back is not None
    await slack.submit(ANN, back, {"question": text})
    await carried(bot, clock)
    await slack.say(CAI, text, slack.dm(CAI), thread_ts=second.ts)
    await carried(bot, clock)
    await slack.say(ANN, text, slack.dm(ANN), thread_ts=mine.ts)
    await carried(bot, clock)
    assert is_harmless(slack) > 50


@pytest.mark.parametrize("evil", EVIL, ids=IDS)
async def test_what_is_kept_of_an_answer(slack: LocalSlack, bot: Bot, clock: Clock, evil: str) -> None:
    """Both agree, a curator publishes it under a name of the same kind, and the next one asks for it."""
    text = f"Zebra {evil}"[:1500]
    await curators(slack, bot, clock)
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock, question=text)
    [theirs] = told(slack, DEE)
    await answers(slack, DEE, theirs, text)
    await carried(bot, clock)
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    await slack.press(ANN, mine, "keep:yes")
    form = (await slack.press(DEE, theirs, "keep:form")).view
    assert form is not None
    await slack.submit(DEE, form, {"answer": text, "how": ["show"]})
    await carried(bot, clock)
    review = await opened(slack, bot, "team_edit:p0")
    await slack.submit(BEN, review, {"team_name": text[:80], "team_question": text[:300]})
    await carried(bot, clock)
    await slack.command(CAI, f"/genai-role {text[:300]}")
    assert is_harmless(slack) > 50


@pytest.mark.parametrize("evil", EVIL, ids=IDS)
async def test_what_curators_write(slack: LocalSlack, bot: Bot, clock: Clock, evil: str) -> None:
    await curators(slack, bot, clock)
    written = {
        "team_name": f"Zebra {evil}"[:80],
        "team_names": f"Zebu {evil}"[:80],
        "team_question": f"What is {evil}"[:300],
        "team_answer": evil[:2500],
        "team_topics": f"gnus {evil}"[:60],
    }
    for values in (
        written,
        {**written, "team_name": "Zebra", "team_topics": "gnus"},
        {"team_name": written["team_name"]},
    ):
        await slack.submit(BEN, await opened(slack, bot, "team_new"), {**values, "team_roles": ["mlops-engineer"]})
    word = {"team_name": f"Gnu {evil}"[:80], "team_entry_id": "mlops-engineer"}
    await slack.submit(BEN, await opened(slack, bot, "team_word"), word)
    await opened(slack, bot, "team_list")
    settings = (await slack.command(ANN, "/genai-role settings")).view
    assert settings is not None
    await slack.submit(ANN, settings, {"question_days": evil[:100]})
    for typed in ("zebra", written["team_name"], written["team_question"], word["team_name"], "who gnus"):
        await slack.command(CAI, f"/genai-role {typed}")
    await opened(slack, bot, "team_export:entries")
    await settled(bot)
    assert is_harmless(slack) > 50


def as_csv(rows: Sequence[dict[str, str]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.parametrize("evil", EVIL[::2], ids=IDS[::2])
async def test_what_stands_in_files_to_import(slack: LocalSlack, bot: Bot, clock: Clock, evil: str, kind: str) -> None:
    await curators(slack, bot, clock)
    short = evil.replace(";", " ")[:60]
    entries = [
        {
            "name": f"Zebra {short}"[:80],
            "question": f"What is {short}?",
            "answer": evil[:500],
            "roles": "mlops-engineer",
        },
        {"name": short, "question": short, "answer": "", "roles": short},
    ]
    people = [
        {"id": CAI, "roles": "mlops-engineer:lead", "topics": f"zebras {short}"[:60]},
        {"id": short, "roles": short, "topics": short},
    ]
    for what, rows in (("entries", entries), ("people", people)):
        for some in (rows, rows[:1], [{**rows[0], short: short}]):
            pasted = as_csv(some) if kind == "csv" else json.dumps([listed(row) for row in some])
            form = await opened(slack, bot, "team_import")
            checked = await slack.submit(BEN, form, {"team_what": what, "team_rows": pasted[:3000]})
            if checked.view is not None:
                await slack.submit(BEN, checked.view)
            await settled(bot)
    for typed in ("zebra", entries[0]["name"], "who zebras", f"who {people[0]['topics']}"):
        await slack.command(ANN, f"/genai-role {typed}")
    await opened(slack, bot, "team_export:entries")
    await opened(slack, bot, "team_export:people")
    await settled(bot)
    assert is_harmless(slack) > 40


def listed(row: dict[str, str]) -> dict[str, object]:
    """Return a row as JSON has it, with lists."""
    return {name: [value] if name in ("roles", "topics") else value for name, value in row.items()}
