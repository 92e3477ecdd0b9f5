"""Keeping an answer, through the front door: both sides agree, a curator publishes, the next who asks is served."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.app import Bot
from bot.local import LocalSlack, Message, View
from knowledge.keeping import Consent, Keeping, with_consent
from knowledge.people import Terms, Visibility
from knowledge.team import TeamEntry, published
from knowledge.team_rows import plan, rows_of
from knowledge.workspaces import Settings
from tests.conftest import ANN, BEN, CAI, DEE, EVA, GUS, TEAM, Clock, declares, interact, rows, settled, words
from tests.databases import BOTH
from tests.handlers.test_asks import AT_WORK, MLOPS, QUESTION, all_told, answers, buttons, carried, put, told

ANSWER = "Set the alias of the registry back to the version before."
TURNED_DOWN = "It was not added to what your team knows."
YES, NO, LOOK, NOT = "keep:yes", "keep:no", "keep:form", "keep:not"


@pytest.fixture(autouse=True)
def at_work(clock: Clock) -> None:
    clock.at = AT_WORK


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


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


async def proposed(
    slack: LocalSlack, bot: Bot, clock: Clock, *, named: bool = True, terms: Terms | None = None
) -> tuple[Message, Message]:
    """Have both agree, with Ben as the curator; return the messages of both."""
    await bot.workspaces.save(TEAM, Settings(curators=(BEN, EVA)), ANN, clock.now())
    mine, theirs = await solved(slack, bot, clock, terms=terms)
    await slack.press(ANN, mine, YES)
    await agrees(slack, DEE, theirs, named=named)
    await carried(bot, clock)
    return mine, theirs


async def reviewed(slack: LocalSlack, bot: Bot, user: str = BEN, place: str = "p0") -> View:
    """Open what waits for curators, from their Home tab."""
    shown = await slack.open_home(user)
    await slack.press(user, shown, "home_section:team")
    await settled(bot)
    opened = await slack.press(user, slack.workspace.homes[user], f"team_edit:{place}")
    assert opened.view is not None
    return opened.view


async def recorded(bot: Bot) -> list[tuple[str, str]]:
    return [(one.what, one.who) for one in await bot.workspaces.recorded(TEAM, 20) if one.what.startswith("entry")]


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
    assert "once whoever asked agrees too" in said
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
    [row] = await rows(bot, "keepings")
    assert (row["outcome"], row["answer"], row["shown_author"]) == (
        *("open" if when == "first" else "rejected", "", ""),
    )


@pytest.mark.parametrize("said", ["nothing", "yes"])
@pytest.mark.parametrize("who", ["asker", "answerer"])
async def test_a_no_looks_to_the_other_side_like_no_answer(
    slack: LocalSlack, bot: Bot, clock: Clock, who: str, said: str
) -> None:
    mine, theirs = await solved(slack, bot, clock)
    other = theirs if who == "asker" else mine

    async def other_agrees() -> str:
        if who == "asker":
            return await agrees(slack, DEE, theirs)
        await slack.press(ANN, mine, YES)
        return ""

    if said == "yes":
        await other_agrees()
        await carried(bot, clock)
    before = (other.text, buttons(other), other.edited_ts)
    assert "It is kept once the other side agrees too." in other.text or said == "nothing"
    await slack.press(ANN if who == "asker" else DEE, mine if who == "asker" else theirs, NO if who == "asker" else NOT)
    await carried(bot, clock)
    assert (other.text, buttons(other), other.edited_ts) == before
    data = await bot.people.kept(TEAM, DEE)
    assert [row["outcome"] for row in data["keepings"]] == ["open"]
    if said == "nothing":
        # Whoever agrees after that is thanked as always, and nothing comes of it.
        done = await other_agrees()
        assert "It is kept once whoever asked agrees too" in done or who == "answerer"
        await carried(bot, clock)
        assert "You agree. It is kept once the other side agrees too." in other.text
    assert await entries(bot) == ()


def test_a_no_is_for_good() -> None:
    no = with_consent(Keeping("team-1", answerer_says="yes", answer="So."), Consent("asker", yes=False))
    assert (no.outcome, no.answer) == ("open", "")
    assert with_consent(no, Consent("asker", yes=True)) == no


async def test_what_is_taken_back_looks_to_the_other_side_like_what_is_turned_down(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    mine, theirs = await solved(slack, bot, clock)
    await slack.press(ANN, mine, YES)
    await agrees(slack, DEE, theirs)
    await carried(bot, clock)
    await slack.press(ANN, mine, NO)
    await carried(bot, clock)
    assert TURNED_DOWN in theirs.text and buttons(theirs) == []
    assert "It is not kept for your team." in mine.text


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


async def test_a_curator_publishes_it_and_the_next_who_asks_is_served(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    mine, theirs = await proposed(slack, bot, clock)
    form = await reviewed(slack, bot)
    for said in ("Both who asked and who answered agreed", "By Dee Dorsey", "Don't add it"):
        assert said in words(form)
    done = await slack.submit(BEN, form, {"team_name": "Model rollback", "team_topics": "MLflow"})
    assert done.view is not None and "Saved." in words(done.view), done.errors
    await carried(bot, clock)
    [entry] = await entries(bot)
    assert (entry.state, entry.written_by, entry.shown_author) == ("published", DEE, "Dee Dorsey")
    assert (entry.name, entry.topics) == ("Model rollback", ("MLflow",))
    assert await recorded(bot) == [("entry published", BEN)]
    for card in (mine, theirs):
        assert "It was kept" in card.text and buttons(card) == []
    clock.move(days=12)
    served = await slack.command(CAI, "/genai-role how do we roll back a model?")
    assert ANSWER in served.text
    assert "From your team, verified 12 days ago by Dee Dorsey." in served.text
    # Who asked is not known any more, and a consent comes too late.
    assert [row["asker_mark"] for row in await rows(bot, "keepings")] == [None]
    await slack.command(DEE, "/genai-role forget me")
    clock.move(seconds=5)
    [entry] = await entries(bot)
    assert (entry.state, entry.written_by, entry.shown_author) == ("published", "", "")


async def test_words_that_a_curator_changed_stand_under_nobodys_name(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await proposed(slack, bot, clock)
    await slack.submit(BEN, await reviewed(slack, bot), {"team_answer": "Other words."})
    [entry] = await entries(bot)
    assert (entry.answer, entry.written_by, entry.shown_author) == ("Other words.", "", "")


async def test_whoever_became_hidden_meanwhile_is_not_named(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await proposed(slack, bot, clock)
    await bot.people.declare(TEAM, DEE, MLOPS, {}, clock.now(), Terms(visibility="hidden"))
    await slack.submit(BEN, await reviewed(slack, bot), {})
    [entry] = await entries(bot)
    assert (entry.state, entry.written_by, entry.shown_author) == ("published", "", "")


async def test_a_curator_does_not_see_who_is_not_to_be_named(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await proposed(slack, bot, clock, named=False, terms=Terms(visibility="hidden"))
    form = await reviewed(slack, bot)
    listed = await slack.press(BEN, slack.workspace.homes[BEN], "team_list")
    assert listed.view is not None
    for view in (form, listed.view, slack.workspace.homes[BEN]):
        assert not {said for said in ("Dee", DEE, "Ann Archer", ANN) if said in str(view.blocks)}


async def test_what_is_turned_down_is_told_to_both(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, theirs = await proposed(slack, bot, clock)
    done = await slack.press(BEN, await reviewed(slack, bot), "team_reject")
    assert done.view is not None and "Both who asked and who answered read so" in words(done.view)
    await carried(bot, clock)
    assert await entries(bot) == ()
    for card in (mine, theirs):
        assert TURNED_DOWN in card.text and card.text.lower().count("thank you") == 1
    assert await recorded(bot) == [("entry rejected", BEN)]


async def test_a_duplicate_is_offered_and_merged_as_another_wording(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    old = TeamEntry("team-1", "Rollback", (), "How can a model be rolled back?", "With the alias.")
    mine, _ = await proposed(slack, bot, clock)
    await bot.team.save(TEAM, [published(old, clock.at)])
    form = await reviewed(slack, bot)
    assert "Your team has something like it already." in words(form) and "Rollback" in words(form)
    done = await slack.press(BEN, form, "team_merge:0")
    assert done.view is not None and "answers this question too" in words(done.view)
    await carried(bot, clock)
    [entry] = await entries(bot)
    assert (entry.id, entry.names, entry.answer) == ("team-1", (QUESTION,), "With the alias.")
    assert "already answers this question too now" in mine.text
    assert await recorded(bot) == [("entry merged", BEN)]
    assert "With the alias." in (await slack.command(CAI, f"/genai-role {QUESTION}")).text


async def test_two_curators_decide_at_once_and_one_is_told_that_it_is_settled(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await proposed(slack, bot, clock)
    forms = [await reviewed(slack, bot), await reviewed(slack, bot, EVA)]
    done = await asyncio.gather(slack.submit(BEN, forms[0], {}), slack.submit(EVA, forms[1], {}))
    said = sorted(words(one.view)[:5] for one in done if one.view is not None)
    assert said == ["Saved", "That "] or said == ["Saved", "Saved"], said
    assert [what for what, _ in await recorded(bot)].count("entry published") == 1
    assert [entry.state for entry in await entries(bot)] == ["published"]


async def test_a_consent_that_is_taken_back_while_a_curator_looks(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    mine, _ = await proposed(slack, bot, clock)
    form = await reviewed(slack, bot)
    await slack.press(ANN, mine, NO)
    done = await slack.submit(BEN, form, {})
    assert done.view is not None and "not there any more" in words(done.view)
    assert await entries(bot) == ()


async def test_only_curators_decide(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await proposed(slack, bot, clock)
    [entry] = await entries(bot)
    for action, value in (("team_reject", entry.id), ("team_merge:0", f'["{entry.id}", "{entry.id}"]')):
        for user in (ANN, GUS):
            pressed = {
                "type": "block_actions",
                "user": {"id": user, "name": "x", "team_id": TEAM},
                "team": {"id": TEAM},
                "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
                "trigger_id": "1.1",
            }
            assert await interact(slack, pressed) == 200
            assert "Only curators can do that" in all_told(slack, user)
    assert [one.state for one in await entries(bot)] == ["proposed"]
    await settled(bot)


async def test_what_is_proposed_is_decided_in_its_own_form_alone(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await proposed(slack, bot, clock)
    [entry] = await entries(bot)
    known = await bot.team.known(TEAM, now=True)
    # Neither by a file, in which it does not stand either: its sides may still take it back.
    assert list(rows_of(known)) == []
    row: dict[str, Any] = {"id": entry.id, "name": entry.name, "answer": "Other.", "state": "published"}
    [planned] = plan([(1, row)], known, bot.guide.checker(known), lambda: "team-x", BEN, clock.now())
    assert planned.made is None and "look at it on the Home tab" in planned.problems[0]
    # Nor by a button that was drawn for what is published.
    for action in ("team_verify", "team_retire"):
        pressed = {
            "type": "block_actions",
            "user": {"id": BEN, "name": "x", "team_id": TEAM},
            "team": {"id": TEAM},
            "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": entry.id}],
            "trigger_id": slack.workspace.new_trigger(BEN).id,
        }
        assert await interact(slack, pressed) == 200
    await settled(bot)
    assert [one.state for one in await entries(bot)] == ["proposed"]
