"""Questions to people: what nobody else reads, whose it is, and what is left where a person is forgotten."""

from __future__ import annotations

from typing import Literal, get_args

import pytest
from sqlalchemy import text

from bot.app import Bot
from bot.local import LocalSlack, Message
from knowledge.asking import Details
from knowledge.people import Terms, Visibility
from knowledge.workspaces import Settings
from storage.marks import workspace_key
from storage.tables import metadata
from tests.conftest import ANN, BEN, CAI, DEE, TEAM, Clock, declares, rows, words
from tests.handlers.test_asks import (
    AT_WORK,
    LEARNING,
    MLOPS,
    QUESTION,
    all_told,
    answers,
    buttons,
    carried,
    put,
    state,
    told,
)


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


async def solved(slack: LocalSlack, bot: Bot, clock: Clock) -> Message:
    """Have Ann's question answered by Dee, and solved; return Ann's message."""
    mine = await put(slack, bot, clock)
    await answers(slack, DEE, told(slack, DEE)[0], "So.")
    await carried(bot, clock)
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    return mine


async def test_the_key_of_marks_stands_in_no_row(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await solved(slack, bot, clock)
    await slack.press(ANN, mine, "keep:yes")
    await carried(bot, clock)
    async with bot.engine.connect() as connection:
        key = (await workspace_key(bot.engine, connection, TEAM)).hex()
    for table in metadata.tables:
        assert key not in str(await rows(bot, table)), table
    [mark] = {row["asker_mark"] for row in await rows(bot, "asks")}
    assert {row["recipient"] for row in await rows(bot, "ask_deliveries") if not row["user_id"]} == {mark}


async def asked_back(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    """Have Ann's question answered by Dee, and Dee asked back."""
    mine = await put(slack, bot, clock)
    await answers(slack, DEE, told(slack, DEE)[0], "Words of Dee.")
    await carried(bot, clock)
    opened = await slack.press(ANN, mine, "asking:back")
    assert opened.view is not None
    await slack.submit(ANN, opened.view, {"question": "Which one?"})
    await carried(bot, clock)


@pytest.mark.parametrize("declines", [False, True])
async def test_the_words_of_whoever_is_forgotten_are_gone_after_they_were_asked_back(
    slack: LocalSlack, bot: Bot, clock: Clock, declines: bool
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await asked_back(slack, bot, clock)
    if declines:
        await slack.press(DEE, told(slack, DEE)[0], "asked:decline")
        await carried(bot, clock)
    await bot.people.forget(TEAM, DEE)
    [row] = await rows(bot, "asks")
    assert row["answer"] == ""
    assert row["further"] != ""


async def test_who_wrote_nothing_takes_nobodys_answer_along(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    mine = await put(slack, bot, clock)
    await slack.press(DEE, told(slack, DEE)[0], "asked:decline")
    await carried(bot, clock)
    await answers(slack, CAI, told(slack, CAI)[0], "Words of Cai.")
    await carried(bot, clock)
    opened = await slack.press(ANN, mine, "asking:back")
    assert opened.view is not None
    await slack.submit(ANN, opened.view, {"question": "Which one?"})
    await carried(bot, clock)
    assert [row["your_answer"] for row in (await bot.people.kept(TEAM, DEE))["ask_people"]] == [""]
    assert [row["your_answer"] for row in (await bot.people.kept(TEAM, CAI))["ask_people"]] == ["Words of Cai."]
    await slack.command(DEE, "/genai-role forget me")
    await carried(bot, clock)
    assert "Words of Cai." in mine.text
    assert "Words of Cai." in all_told(slack, ANN).replace(mine.text, "").replace(words(mine), "")


async def test_what_was_asked_back_goes_on_where_whoever_answered_is_forgotten(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    await asked_back(slack, bot, clock)
    await slack.command(DEE, "/genai-role forget me")
    await carried(bot, clock)
    [card] = told(slack, CAI)
    assert QUESTION in card.text and "Which one?" in card.text
    assert "Words of Dee." not in all_told(slack, CAI) + all_told(slack, ANN)


async def test_an_answer_on_its_way_goes_with_whoever_is_forgotten(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    [row] = await rows(bot, "asks")
    details = Details(actor=DEE, text="Words of Dee.", source="x.1")
    assert await bot.courier._desk.happened(TEAM, row["id"], "answer", details) == "done"
    await bot.people.forget(TEAM, DEE)
    await carried(bot, clock)
    assert "Words of Dee." not in all_told(slack, ANN)


async def test_who_gets_their_data_is_not_told_what_the_asker_says_of_keeping(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await solved(slack, bot, clock)
    await slack.press(ANN, mine, "keep:no")
    await carried(bot, clock)
    [kept] = (await bot.people.kept(TEAM, DEE))["keepings"]
    assert not {"asker_says", "asker_mark"} & set(kept)


async def test_one_text_that_no_key_opens_hides_no_other_data(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await solved(slack, bot, clock)
    opened = await slack.press(DEE, told(slack, DEE)[0], "keep:form")
    assert opened.view is not None
    await slack.submit(DEE, opened.view, {"answer": "As I want it kept."})
    [kept] = (await bot.people.kept(TEAM, DEE))["keepings"]
    assert kept["answer"] == "As I want it kept."
    async with bot.engine.begin() as connection:
        await connection.execute(text("UPDATE keepings SET answer = 'garbage'"))
    data = await bot.people.kept(TEAM, DEE)
    assert [one["answer"] for one in data["keepings"]] == ["(can't be read any more: its key is gone)"]
    assert data["declarations"]


async def test_nobody_reads_the_answer_of_another_as_their_own(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await declares(bot, slack, CAI, LEARNING)
    await asked_back(slack, bot, clock)
    await slack.press(DEE, told(slack, DEE)[0], "asked:decline")
    await carried(bot, clock)
    [card] = told(slack, CAI)
    assert "Which one?" in card.text
    assert "You answered" not in card.text and "Words of Dee." not in card.text


@pytest.mark.parametrize("to", [ANN, BEN])
async def test_a_hand_over_looks_the_same_whoever_it_goes_to(
    slack: LocalSlack, bot: Bot, clock: Clock, to: str
) -> None:
    """To the anonymous asker it can't go, and that must not show who they are."""
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock, how=("anonymous",))
    [card] = told(slack, DEE)
    opened = await slack.press(DEE, card, "asked:hand_over")
    assert opened.view is not None
    await slack.submit(DEE, opened.view, {"whom": to})
    await carried(bot, clock)
    assert card.text == "Thank you: I pass it on. If your colleague can't be asked now, I find somebody else."
    assert buttons(card) == []


@pytest.mark.parametrize("declares_something", [True, False])
async def test_a_curator_who_is_hidden_or_declared_nothing_is_not_named(
    slack: LocalSlack, bot: Bot, clock: Clock, declares_something: bool
) -> None:
    await bot.workspaces.save(TEAM, Settings(curators=(CAI,)), ANN, clock.now())
    if declares_something:
        await bot.people.declare(TEAM, CAI, {}, {"cooking": "cooking"}, clock.now(), Terms(visibility="hidden"))
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock, how=("curators",))
    await slack.press(DEE, told(slack, DEE)[0], "asked:decline")
    await carried(bot, clock)
    assert told(slack, CAI)
    assert "Cai" not in mine.text


async def test_no_row_tells_where_the_messages_of_an_anonymous_asker_stand(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock, how=("anonymous",))
    await answers(slack, DEE, told(slack, DEE)[0], "So.")
    await carried(bot, clock)
    theirs = [row for row in await rows(bot, "ask_deliveries") if row["user_id"] is None]
    assert theirs and {(row["ts"], row["recipient"]) for row in theirs} == {("", None)}
    found = "".join([str(await rows(bot, name)) for name in metadata.tables if name not in ("members", "declarations")])
    for message in told(slack, ANN):
        assert message.ts not in found
    assert slack.dm(ANN) not in found


Way = Literal["hides", "asks to be asked first", "withdraws", "is forgotten"]


async def drops_out(slack: LocalSlack, bot: Bot, clock: Clock, way: Way) -> None:
    """Have Dee named no more, in one of the ways there are."""
    match way:
        case "hides" | "asks to be asked first":
            seen: Visibility = "hidden" if way == "hides" else "ask_first"
            await bot.people.declare(TEAM, DEE, MLOPS, {}, clock.now(), Terms(visibility=seen))
        case "withdraws":
            await bot.people.declare(TEAM, DEE, {}, {}, clock.now())
        case "is forgotten":
            await slack.command(DEE, "/genai-role forget me")
    await carried(bot, clock)


@pytest.mark.parametrize("way", get_args(Way))
async def test_whoever_drops_out_after_answering_is_not_read_any_more(
    slack: LocalSlack, bot: Bot, clock: Clock, way: Way
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    await answers(slack, DEE, told(slack, DEE)[0], "Words of an expert.")
    await carried(bot, clock)
    assert all_told(slack, ANN).count("Dee Dorsey") >= 2, "in the message and in its thread"
    await drops_out(slack, bot, clock, way)
    assert "Dee" not in all_told(slack, ANN) and DEE not in all_told(slack, ANN)
    # The words stay for as long as whoever wrote them is not forgotten.
    assert ("Words of an expert." in mine.text) == (way != "is forgotten")
    assert ("Words of an expert." in all_told(slack, ANN)) == (way != "is forgotten")
    if way == "is forgotten":
        assert "whoever wrote the answer had it deleted" in mine.text and buttons(mine) == ["Solved"]
        await slack.press(ANN, mine, "asking:solved")
        await carried(bot, clock)
        assert await state(bot) == "solved" and buttons(mine) == []
    else:
        # Not named again for what was written while the name was hidden.
        await declares(bot, slack, DEE, MLOPS)
        await slack.press(ANN, mine, "asking:solved")
        await carried(bot, clock)
        assert "Solved" in mine.text and "Dee" not in all_told(slack, ANN)


@pytest.mark.parametrize("way", get_args(Way))
async def test_whoever_drops_out_while_they_are_asked_is_not_named(
    slack: LocalSlack, bot: Bot, clock: Clock, way: Way
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    assert "I am asking Dee Dorsey" in mine.text
    await drops_out(slack, bot, clock, way)
    assert "Dee" not in all_told(slack, ANN) and DEE not in all_told(slack, ANN)
    if way == "is forgotten":
        return
    [card] = told(slack, DEE)
    assert "is not told who you are" in card.text
    opened = await slack.press(DEE, card, "asked:answer")
    assert opened.view is not None and "Show my name with the answer" in words(opened.view)
    # What they say themselves holds: until they hide once more.
    await slack.submit(DEE, opened.view, {"answer": "So.", "how": ["show"]})
    await carried(bot, clock)
    assert "Answered by Dee Dorsey" in mine.text
    await bot.people.declare(TEAM, DEE, {}, {}, clock.now())
    await carried(bot, clock)
    assert "Dee" not in all_told(slack, ANN)


async def test_who_hides_between_two_looks_is_not_named(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    """Asked as one who may be named, though hidden by then: what counts is the moment in which it is shown."""
    await declares(bot, slack, DEE, MLOPS)
    mine = await put(slack, bot, clock)
    async with bot.engine.begin() as connection:
        await connection.execute(text("UPDATE terms SET visibility = 'hidden'"))
    await answers(slack, DEE, told(slack, DEE)[0], "So.")
    await carried(bot, clock)
    assert "Dee" not in mine.text and "So." in mine.text


async def test_an_answer_that_is_written_while_its_author_is_forgotten_is_blanked(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    [row] = await rows(bot, "asks")
    details = Details(actor=DEE, text="Words of an expert.", source="x.1")
    await bot.courier._desk.happened(TEAM, row["id"], "answer", details)
    claimed = [one for one in await bot.courier._deliveries.claim(TEAM, clock.now()) if one.what.text]
    await bot.people.forget(TEAM, DEE)
    # Slack has it by now; where it stands is noted after the person is gone.
    bot_user = told(slack, ANN)[0].user
    posted = slack.workspace.post(
        Message(slack.dm(ANN), slack.workspace.next_ts(), bot_user, "Words of an expert.", from_bot=True)
    )
    await bot.courier._deliveries.sent(claimed[0], clock.now(), place=(slack.dm(ANN), posted.ts))
    await carried(bot, clock)
    assert "Words of an expert." not in all_told(slack, ANN)


@pytest.mark.parametrize("ends", ["answered", "asked back", "solved", "silent"])
async def test_the_words_of_whoever_asked_are_taken_out_of_the_messages_of_others(
    slack: LocalSlack, bot: Bot, clock: Clock, ends: str
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    if ends == "solved":
        await solved(slack, bot, clock)
    elif ends == "silent":
        await put(slack, bot, clock)
        for _ in range(4):
            clock.move(days=2)
            await carried(bot, clock)
    else:
        await asked_back(slack, bot, clock)
    if ends == "answered":
        await answers(slack, DEE, told(slack, DEE)[0], "This one.")
        await carried(bot, clock)
    assert QUESTION in all_told(slack, DEE)
    await slack.command(ANN, "/genai-role forget me")
    await carried(bot, clock)
    left = all_told(slack, DEE)
    assert [said for said in (QUESTION, "Which one?", "Ann", ANN) if said in left] == []
    assert "keep it" not in left
    [row] = await rows(bot, "asks")
    assert (row["question"], row["asker"], row["asker_mark"]) == ("", None, None)
    clock.move(days=70)
    await carried(bot, clock)
    assert await rows(bot, "asks") == []


async def test_the_note_of_whoever_is_forgotten_is_taken_out_of_the_next_message(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, DEE, MLOPS)
    await put(slack, bot, clock)
    opened = await slack.press(DEE, told(slack, DEE)[0], "asked:hand_over")
    assert opened.view is not None
    await slack.submit(DEE, opened.view, {"whom": CAI, "note": "Cai built that."})
    await carried(bot, clock)
    [card] = told(slack, CAI)
    assert "Note from Dee Dorsey" in card.text and "Cai built that." in card.text
    await slack.command(DEE, "/genai-role forget me")
    await carried(bot, clock)
    assert "Dee" not in card.text and "Cai built that." not in card.text and QUESTION in card.text
