"""Keeping an answer, through the front door: both sides agree, a curator publishes, the next who asks is served."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from bot.app import Bot
from bot.local import LocalSlack, Message
from knowledge.people import Terms, Visibility
from knowledge.team import TeamEntry, published
from tests.conftest import ANN, BEN, CAI, DEE, GUS, TEAM, Clock, declares, interact, rows, words
from tests.databases import BOTH, empty_tables
from tests.handlers.test_asks import AT_WORK, MLOPS, QUESTION, all_told, answers, buttons, carried, put, told

ANSWER = "Set the alias of the registry back to the version before."
YES, NO, LOOK, NOT = "keep:yes", "keep:no", "keep:form", "keep:not"


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest, database: str) -> str:
    return database if request.param == "sqlite" else str(request.getfixturevalue("postgres"))


@pytest_asyncio.fixture(autouse=True)
async def empty(bot: Bot) -> None:
    if bot.engine.dialect.name == "postgresql":
        await empty_tables(bot.engine)


async def solved(
    slack: LocalSlack, bot: Bot, clock: Clock, *, terms: Terms | None = None, how: tuple[str, ...] = ()
) -> tuple[Message, Message]:
    """Have Ann's question answered by Dee, and solved; return the messages of both."""
    await declares(bot, slack, DEE, MLOPS)
    if terms is not None:
        await bot.people.declare(TEAM, DEE, MLOPS, {}, clock.now(), terms)
    mine = await put(slack, bot, clock, how=how)
    [theirs] = told(slack, DEE)
    await answers(slack, DEE, theirs, ANSWER)
    await carried(bot, clock)
    await slack.press(ANN, mine, "asking:solved")
    await carried(bot, clock)
    return mine, theirs


async def agrees(slack: LocalSlack, user: str, card: Message, answer: str | None = None, *, named: bool = False) -> str:
    """Let whoever answered agree in the form; return what it says then."""
    opened = await slack.press(user, card, LOOK)
    assert opened.view is not None
    values: dict[str, Any] = {} if answer is None else {"answer": answer}
    done = await slack.submit(user, opened.view, values | ({"how": ["show"]} if named else {}))
    assert done.view is not None, done.errors
    return words(done.view)


async def entries(bot: Bot) -> tuple[TeamEntry, ...]:
    return (await bot.team.known(TEAM, now=True)).entries


async def test_each_side_is_asked_once_in_its_own_thanks(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await solved(slack, bot, clock)
    assert "Solved: thank you" in mine.text and "May your question and its answer be kept" in mine.text
    assert "your answer solved it" in theirs.text and "May your answer be kept" in theirs.text
    assert buttons(mine) == ["Yes, keep it", "No, don't"]
    assert buttons(theirs) == ["Look at it, and keep it…", "No, don't"]
    # In place: nobody got a further message for it.
    assert len(told(slack, DEE)) == 1
    assert await entries(bot) == () and await rows(bot, "keepings") == []


async def test_both_agree_and_the_pair_is_proposed(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await solved(slack, bot, clock)
    await slack.press(ANN, mine, YES)
    await carried(bot, clock)
    assert "kept once the other side agrees" in mine.text
    assert await entries(bot) == ()
    said = await agrees(slack, DEE, theirs, "Edited: use the registry.", named=True)
    assert "Thank you" in said
    await carried(bot, clock)
    [entry] = await entries(bot)
    assert (entry.state, entry.source, entry.question, entry.answer) == (
        *("proposed", "kept", QUESTION, "Edited: use the registry."),
    )
    assert entry.roles[0] == "mlops-engineer"
    assert (entry.written_by, entry.shown_author) == (DEE, "Dee Dorsey")
    for card in (mine, theirs):
        assert "it is proposed for your team" in card.text
        assert buttons(card) == ["Don't keep it after all"]
    # What is proposed answers nobody yet.
    assert "Edited" not in (await slack.command(CAI, f"/genai-role {QUESTION}")).text
    # Nothing of it is kept a second time.
    assert [row["answer"] for row in await rows(bot, "keepings")] == [""]


async def test_without_the_box_no_name_and_no_id_stands_with_it(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await solved(slack, bot, clock)
    await agrees(slack, DEE, theirs)
    await slack.press(ANN, mine, YES)
    await carried(bot, clock)
    [entry] = await entries(bot)
    assert (entry.answer, entry.written_by, entry.shown_author) == (ANSWER, "", "")
    assert ANN not in str(entry) and "Ann" not in str(entry)


@pytest.mark.parametrize("visibility", ["ask_first", "hidden"])
async def test_who_is_hidden_is_never_named_by_it(
    slack: LocalSlack, bot: Bot, clock: Clock, visibility: Visibility
) -> None:
    mine, theirs = await solved(slack, bot, clock, terms=Terms(visibility=visibility))
    await slack.press(ANN, mine, YES)
    opened = await slack.press(DEE, theirs, LOOK)
    assert opened.view is not None
    assert "Your name is not shown with it." in words(opened.view)
    # Whoever ticks what is not offered is not named either.
    forged = {
        "type": "view_submission",
        "user": {"id": DEE, "name": "x", "team_id": TEAM},
        "team": {"id": TEAM},
        "view": {
            **{"id": opened.view.id, "type": "modal", "callback_id": "keep"},
            "private_metadata": opened.view.private_metadata,
            "state": {
                "values": {
                    "answer": {"input": {"value": ANSWER}},
                    "how": {"input": {"selected_options": [{"value": "show"}]}},
                }
            },
        },
    }
    assert await interact(slack, forged) == 200
    await carried(bot, clock)
    [entry] = await entries(bot)
    assert (entry.written_by, entry.shown_author) == ("", "")
    assert "Dee" not in all_told(slack, ANN) and DEE not in all_told(slack, ANN)


async def test_an_anonymous_asker_agrees_and_is_known_to_nobody(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await solved(slack, bot, clock, how=("anonymous",))
    await agrees(slack, DEE, theirs)
    await slack.press(ANN, mine, YES)
    await carried(bot, clock)
    assert "it is proposed for your team" in mine.text
    [row] = await rows(bot, "keepings")
    assert row["asker_mark"] is None
    assert [(row["asker"], row["asker_mark"]) for row in await rows(bot, "asks")] == [(None, None)]
    assert ANN not in str(await entries(bot))
    # It can be taken back all the same.
    await slack.press(ANN, mine, NO)
    await carried(bot, clock)
    assert await entries(bot) == ()
    assert "It is not kept" in mine.text


@pytest.mark.parametrize("who", ["asker", "answerer"])
@pytest.mark.parametrize("when", ["first", "proposed"])
async def test_one_no_is_enough_and_a_yes_is_taken_back(
    slack: LocalSlack, bot: Bot, clock: Clock, who: str, when: str
) -> None:
    mine, theirs = await solved(slack, bot, clock)
    if when == "proposed":
        await slack.press(ANN, mine, YES)
        await agrees(slack, DEE, theirs)
        await carried(bot, clock)
        assert len(await entries(bot)) == 1
    user, card, action = (ANN, mine, NO) if who == "asker" else (DEE, theirs, NOT)
    await slack.press(user, card, action)
    await carried(bot, clock)
    assert await entries(bot) == ()
    assert "It is not kept for your team." in card.text and buttons(card) == []
    for card in (mine, theirs):
        assert not {"Yes, keep it", "Look at it, and keep it…", "Don't keep it after all"} & {*buttons(card)}
    # A form that was open all the time comes too late.
    [row] = await rows(bot, "keepings")
    assert (row["outcome"], row["answer"], row["shown_author"]) == ("withdrawn", "", "")


async def test_both_agree_at_once_and_one_entry_comes_of_it(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await solved(slack, bot, clock)
    opened = await slack.press(DEE, theirs, LOOK)
    assert opened.view is not None
    await asyncio.gather(
        *(slack.press(ANN, mine, YES) for _ in range(3)),
        *(slack.submit(DEE, opened.view, {}) for _ in range(3)),
    )
    await carried(bot, clock)
    assert [entry.state for entry in await entries(bot)] == ["proposed"]


async def test_nobody_else_can_say_it(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await solved(slack, bot, clock)
    for user in (CAI, GUS):
        for card, action in ((mine, YES), (mine, NO), (theirs, LOOK), (theirs, NOT)):
            await slack.press(user, card, action)
    assert await rows(bot, "keepings") == []
    assert not slack.workspace.modals.get(CAI)


@pytest.mark.parametrize("who", [ANN, DEE])
async def test_whoever_is_forgotten_takes_what_is_proposed_along(
    slack: LocalSlack, bot: Bot, clock: Clock, who: str
) -> None:
    mine, theirs = await solved(slack, bot, clock)
    await slack.press(ANN, mine, YES)
    await agrees(slack, DEE, theirs, named=True)
    await carried(bot, clock)
    assert len(await entries(bot)) == 1
    await slack.command(who, "/genai-role forget me")
    assert await entries(bot) == () and await rows(bot, "keepings") == []


async def test_what_the_team_has_answered_is_shown_before_anybody_is_asked(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    entry = TeamEntry(
        *("team-1", "Model rollback", (), QUESTION, ANSWER),
        source="kept",
        written_by=DEE,
        shown_author="Dee Dorsey",
    )
    await bot.team.save(TEAM, [published(entry, clock.at)])
    await declares(bot, slack, BEN, MLOPS)
    await declares(bot, slack, CAI, MLOPS)
    clock.move(days=12 - 5)
    reply = await slack.command(ANN, "/genai-role who mlops")
    opened = await slack.press(ANN, reply, "ask_put")
    assert opened.view is not None
    typed = {"question": "How do we roll back our model?", "whom": CAI, "how": ["anonymous"]}
    shown = (await slack.submit(ANN, opened.view, typed)).view
    assert shown is not None
    for said in ("Your team answered this:", ANSWER, "From your team, verified 7 days ago by Dee Dorsey."):
        assert said in words(shown)
    assert await rows(bot, "asks") == [] and told(slack, CAI) == []
    done = (await slack.submit(ANN, shown)).view
    assert done is not None and "on its way" in words(done)
    await carried(bot, clock)
    [card] = told(slack, CAI)
    assert "A colleague asks you" in card.text and "How do we roll back our model?" in card.text
    assert told(slack, BEN) == []
