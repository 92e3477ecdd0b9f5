"""What a person can see and delete of what is kept about them."""

from __future__ import annotations

import json

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from handlers.personal import LONGEST_PART, MOST_PARTS, as_json, verb_in
from storage.tables import metadata
from tests.conftest import ANN, BEN, TEAM, declares, rows, settled
from tests.databases import ON_BOTH


def code_in(blocks: object) -> str:
    assert isinstance(blocks, list | tuple)
    texts = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert all(len(text) <= 3000 for text in texts)
    joined = "\n".join(text.removeprefix("```").removesuffix("```") for text in texts)
    return joined.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


async def test_my_data_shows_everything_as_json(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"}, ("GDPR & co <3",))
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("secret of Ben",))
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await settled(bot)
    reply = await slack.command(ANN, "/genai-role my data")
    shown = await slack.press(ANN, reply, "my_data_as_json")
    assert shown.view is not None
    found = json.loads(code_in(shown.view.blocks))
    assert found["person"] == ANN
    assert {name for name, table in metadata.tables.items() if "user_id" in table.c} <= set(found)
    assert {row["label"] for row in found["declarations"]} == {"", "GDPR & co <3"}
    assert [row["name"] for row in found["members"]] == ["Ann Archer"]
    assert found["terms"][0]["visibility"] == "open"
    assert [row["subject"]["roles"] for row in found["threads"]] == [["mlops-engineer"]]
    # Answered: the words are gone, the id is not.
    assert [row["message"] for row in found["inbox"]] == [""]
    assert "Ben" not in str(found)


async def test_who_has_nothing_sees_nothing(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role my data")
    shown = await slack.press(ANN, reply, "my_data_as_json")
    assert shown.view is not None
    assert not any(row for row in json.loads(code_in(shown.view.blocks)).values() if isinstance(row, list))


async def test_a_message_that_waits_is_shown_with_its_words(slack: LocalSlack, bot: Bot) -> None:
    await bot.worker.stop(1)
    await slack.say(ANN, "<@BOT> what is ``` mlops", GENERAL)
    [row] = await rows(bot, "inbox")
    assert "mlops" not in row["body"]
    kept = await bot.people.kept(row["workspace"], ANN)
    assert "what is ``` mlops" in json.loads(code_in(as_json(kept).blocks))["inbox"][0]["message"]


@pytest.mark.parametrize("sign", ["a", "<", "&", "ü", "\n", "`", "😀"])
@pytest.mark.parametrize("count", [1, LONGEST_PART, 200_000])
def test_json_of_any_length_fits_and_says_what_is_missing(sign: str, count: int) -> None:
    shown = as_json({"message": sign * count})
    code = code_in(shown.blocks)
    assert len(shown.blocks) <= MOST_PARTS + 1
    assert ("not all of it" in shown.text) is (count == 200_000)
    if count == 1:
        assert json.loads(code) == {"message": sign}


async def test_what_does_not_fit_is_read_part_by_part(slack: LocalSlack, bot: Bot) -> None:
    await bot.worker.stop(1)
    for number in range(40):
        await slack.say(ANN, f"<@BOT> number {number} {'what is mlops ' * 80}", GENERAL)
    reply = await slack.command(ANN, "/genai-role my data")
    shown = await slack.press(ANN, reply, "my_data_as_json")
    found, parts, count = "", 1, 0
    while count < parts:
        assert shown.view is not None
        [note] = [block["elements"][0]["text"] for block in shown.view.blocks if block["type"] == "context"]
        parts = int(note.partition("part ")[2].partition(" of ")[2].partition(".")[0])
        count += 1
        assert f"part {count} of {parts}" in note and "people export" in note
        found += code_in(shown.view.blocks) + "\n"
        if count < parts:
            shown = await slack.press(ANN, shown.view, "my_data_as_json:next")
    assert parts > 1
    told = json.loads(found)["inbox"]
    assert {one["message"].split()[2] for one in told} == {str(number) for number in range(40)}
    assert shown.view is not None
    back = await slack.press(ANN, shown.view, "my_data_as_json:previous")
    assert back.view is not None and f"part {parts - 1} of {parts}" in str(back.view.blocks)


async def test_forget_me_says_what_is_left(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    assert "keyed hash" in str((await slack.command(ANN, "/genai-role forget me")).blocks)
    [mark] = await rows(bot, "forgotten")
    assert ANN not in str(mark)
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    assert await rows(bot, "forgotten") == []


@ON_BOTH
@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("hide me", "who sees it; or change it, or withdraw it."),
        ("please remove me from the directory", "who sees it; or change it, or withdraw it."),
        ("Change my declaration!", "who sees it; or change it, or withdraw it."),
        ("show me my data", "What I keep about you."),
        ("what do you have on me?", "What I keep about you."),
        ("Delete everything about me", "Done: I deleted everything"),
        ("please erase all my data", "Done: I deleted everything"),
    ],
)
async def test_what_people_want_with_their_own_data_is_read_in_other_words_too(
    slack: LocalSlack, bot: Bot, said: str, answer: str
) -> None:
    await declares(bot, slack, ANN, {"mlops-engineer": "lead"})
    await slack.say(ANN, said)
    await settled(bot)
    assert answer in slack.messages(slack.dm(ANN))[-1].text
    left = (await bot.people.declaration(TEAM, ANN)).roles
    assert bool(left) is not answer.startswith("Done:")


@pytest.mark.parametrize(
    "said", ["delete everything", "how do I delete my data pipeline", "hide my prompt", "forget it"]
)
def test_nobody_is_forgotten_who_does_not_say_so(said: str) -> None:
    assert verb_in(said) is None
