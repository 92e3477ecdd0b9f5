"""Still right? The question, its answers, and to whom it does not go."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import Bot
from bot.local import LocalSlack, Message
from knowledge.freshness import ASK_AGAIN, CHECK_AFTER
from knowledge.people import Level, Listed, Member, Terms, Visibility
from knowledge.workspaces import Settings
from storage.bulk import SqlPeopleInBulk
from tests.conftest import ANN, BEN, CAI, EVA, GUS, ROB, TEAM, Clock, Start, declares, rows, settled, words
from tests.databases import ON_BOTH

MLOPS: dict[str, Level] = {"mlops-engineer": "lead"}
MONDAY = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
"""A quarter after the clock of the tests begins; 11:30 in Berlin, 18:30 in Tokyo, 4:30 in Lima."""


def told(slack: LocalSlack, user: str) -> list[Message]:
    """Return what the bot wrote to a person."""
    return [message for message in slack.messages(slack.dm(user)) if message.from_bot]


async def asked(slack: LocalSlack, bot: Bot, clock: Clock, user: str = ANN) -> Message:
    """Declare something, wait for a quarter, and be asked."""
    await declares(bot, slack, user, MLOPS, ("GDPR",))
    clock.at = MONDAY
    await bot.rounds.run()
    [question] = told(slack, user)
    return question


def buttons(shown: Message) -> list[str]:
    return [
        element["text"]["text"]
        for block in shown.blocks
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]


async def test_a_quarter_later_a_person_is_asked_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    for line in ("Is this still right? You confirmed it 91 days ago.", "MLOps Engineer (lead)", "GDPR", "13 July 2026"):
        assert line in words(question)
        assert line in question.text
    assert buttons(question) == ["Yes, still right", "Change", "Stop asking me"]
    for _ in range(3):
        clock.move(minutes=1)
        await bot.rounds.run()
    assert len(told(slack, ANN)) == 1


async def test_what_is_kept_after_asking_heeds_the_schedule_of_do_not_disturb(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    slack.workspace.members[ANN].dnd = True
    await asked(slack, bot, clock)
    [kept] = await rows(bot, "members", "user_id = :user", user=ANN)
    assert kept["availability"] == "away"


async def test_whoever_is_imported_is_told_at_once_and_nothing_is_called_confirmed(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    clock.at = MONDAY
    bulk = SqlPeopleInBulk(bot.engine, random.Random(1))
    await bulk.declare_many(TEAM, [Listed(Member(ANN, "Ann", tz="Europe/Berlin"), MLOPS, {})], clock.now())
    answer = (await slack.command(BEN, "/genai-role who mlops")).text
    assert "imported on 1 June 2026, not confirmed" in answer and "confirmed today" not in answer
    await bot.rounds.run()
    [question] = told(slack, ANN)
    assert "Others entered it for you on 1 June 2026." in words(question) and "forget me" in words(question)
    await slack.press(ANN, question, "still_right:yes")
    answer = (await slack.command(CAI, "/genai-role who mlops")).text
    assert "confirmed today" in answer and "imported" not in answer


async def test_yes_confirms_and_the_question_goes(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    assert "confirmed 91 days ago" in (await slack.command(BEN, "/genai-role who mlops")).text
    await slack.press(ANN, question, "still_right:yes")
    [question] = told(slack, ANN)
    assert question.text.startswith("Thank you: confirmed today.")
    assert buttons(question) == ["Change"]
    assert "confirmed today" in (await slack.command(BEN, "/genai-role who mlops")).text
    clock.at = MONDAY + CHECK_AFTER - timedelta(hours=1)
    await bot.rounds.run()
    assert len(told(slack, ANN)) == 1
    clock.at = MONDAY + CHECK_AFTER
    await bot.rounds.run()
    assert len(told(slack, ANN)) == 2


async def test_change_opens_the_form_and_counts_as_an_answer(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    assert [row["unanswered"] for row in await rows(bot, "terms")] == [1]
    opened = await slack.press(ANN, question, "still_right:change")
    assert opened.view is not None
    assert opened.view.title == "What I do"
    [question] = told(slack, ANN)
    assert "You opened the form" in question.text
    assert buttons(question) == ["Change"]
    assert [row["unanswered"] for row in await rows(bot, "terms")] == [0]
    await slack.submit(ANN, opened.view, {})
    assert (await bot.people.declaration(TEAM, ANN)).confirmed == MONDAY


async def test_who_does_not_want_to_be_asked_is_not(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    question = await asked(slack, bot, clock)
    await slack.press(ANN, question, "still_right:stop")
    [question] = told(slack, ANN)
    assert question.text.startswith("I will not ask again.")
    assert buttons(question) == ["Change"]
    for _ in range(60):
        clock.move(days=7)
        await bot.rounds.run()
    assert len(told(slack, ANN)) == 1
    assert "Ann Archer" in (await slack.command(BEN, "/genai-role who mlops")).text


async def test_after_three_questions_without_an_answer_it_fades_and_comes_back(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await asked(slack, bot, clock)
    for number in (2, 3):
        clock.move(seconds=ASK_AGAIN.total_seconds())
        await bot.rounds.run()
        assert len(told(slack, ANN)) == number
    assert "Ann Archer" in (await slack.command(BEN, "/genai-role who mlops")).text
    clock.move(seconds=ASK_AGAIN.total_seconds())
    await bot.rounds.run()
    last = told(slack, ANN)[-1]
    assert "no answer, so you are not suggested for it any more" in last.text
    assert buttons(last) == ["Still right: bring it back", "Change"]
    assert "Ann Archer" not in (await slack.command(BEN, "/genai-role who mlops")).text
    for _ in range(10):
        clock.move(days=14)
        await bot.rounds.run()
    assert len(told(slack, ANN)) == 4
    await slack.press(ANN, last, "still_right:back")
    assert told(slack, ANN)[-1].text.startswith("Thank you: confirmed today.")
    assert "Ann Archer" in (await slack.command(BEN, "/genai-role who mlops")).text


@pytest.mark.parametrize("action", ["still_right:yes", "still_right:stop", "still_right:change"])
async def test_who_was_forgotten_meanwhile_has_nothing_to_confirm(
    slack: LocalSlack, bot: Bot, clock: Clock, action: str
) -> None:
    question = await asked(slack, bot, clock)
    await bot.people.forget(TEAM, ANN)
    await slack.press(ANN, question, action)
    [question] = told(slack, ANN)
    assert question.text == "You declare nothing any more, so there is nothing to confirm."
    assert await rows(bot, "declarations") == []


async def test_people_are_asked_in_their_own_working_hours(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    for user in (ANN, BEN, CAI):
        await declares(bot, slack, user, MLOPS)
    when: dict[str, datetime] = {}
    clock.at = MONDAY - timedelta(hours=1)
    for _ in range(30):
        clock.move(hours=1)
        await bot.rounds.run()
        for user in (ANN, BEN, CAI):
            if told(slack, user):
                when.setdefault(user, clock.at)
    assert when == {
        ANN: MONDAY,
        CAI: datetime(2026, 6, 1, 14, 30, tzinfo=UTC),
        # 9:30 on Tuesday in Tokyo.
        BEN: datetime(2026, 6, 2, 0, 30, tzinfo=UTC),
    }


async def test_a_time_zone_that_changed_counts_at_once(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, MLOPS)
    slack.workspace.members[ANN].tz = "Asia/Tokyo"
    clock.at = MONDAY
    await bot.rounds.run()
    assert told(slack, ANN) == []
    clock.at = datetime(2026, 6, 2, 0, 0, tzinfo=UTC)
    await bot.rounds.run()
    assert len(told(slack, ANN)) == 1


@pytest.mark.parametrize("user", [GUS, ROB, EVA])
async def test_guests_bots_and_who_is_out_of_office_are_not_asked(
    slack: LocalSlack, bot: Bot, clock: Clock, user: str
) -> None:
    await declares(bot, slack, user, MLOPS)
    for day in range(40):
        clock.at = MONDAY + timedelta(days=day)
        await bot.rounds.run()
    assert not [call for call in slack.calls if call.method == "chat.postMessage"]
    assert [(row["unanswered"], bool(row["faded"])) for row in await rows(bot, "terms")] == [(0, False)]


async def test_a_leaver_whose_event_was_lost_is_not_asked_nor_suggested(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, ANN, MLOPS)
    slack.workspace.members[ANN].deleted = True
    clock.at = MONDAY
    await bot.rounds.run()
    assert not [call for call in slack.calls if call.method == "chat.postMessage"]
    assert "Ann Archer" not in (await slack.command(BEN, "/genai-role who mlops")).text


@pytest.mark.parametrize(
    ("visibility", "said"),
    [
        ("open", "Others who ask see:"),
        ("ask_first", "You are not named without being asked first:"),
        ("hidden", "Hidden from others:"),
    ],
)
async def test_the_question_says_what_others_see(
    slack: LocalSlack, bot: Bot, clock: Clock, visibility: Visibility, said: str
) -> None:
    await declares(bot, slack, ANN, MLOPS)
    await bot.people.declare(TEAM, ANN, MLOPS, {}, clock.now(), Terms(visibility))
    clock.at = MONDAY
    await bot.rounds.run()
    assert said in words(told(slack, ANN)[0])


async def everybody_of_fifty(slack: LocalSlack, bot: Bot) -> list[str]:
    people = [f"U0MANY{number:05}" for number in range(50)]
    slack.workspace.add_members(
        [type(slack.workspace.members[ANN])(user, f"Number {user}", tz="Europe/Berlin") for user in people]
    )
    for user in people:
        await declares(bot, slack, user, MLOPS)
    return people


async def test_after_a_long_downtime_there_is_no_flood(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    people = await everybody_of_fifty(slack, bot)
    clock.at = MONDAY
    sent: list[int] = []
    for _ in range(5):
        await bot.rounds.run()
        sent.append(sum(len(told(slack, user)) for user in people))
        clock.move(minutes=1)
    assert sent == [20, 40, 50, 50, 50]
    assert all(len(told(slack, user)) == 1 for user in people)


async def test_three_processes_flood_no_more_than_one(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each finds others than the one before: far more are due than one run reads. What a run knows of others is in the
    # database, so that three runs are three processes.
    monkeypatch.setattr("handlers.freshness.MOST_READ", 25)
    people = await everybody_of_fifty(slack, bot)
    clock.at = MONDAY
    sent: list[int] = []
    for _ in range(5):
        for _ in range(3):
            await bot.rounds.run()
            clock.move(seconds=20)
        sent.append(sum(len(told(slack, user)) for user in people))
    assert sent == [20, 40, 50, 50, 50]
    assert all(len(told(slack, user)) == 1 for user in people)


async def test_two_processes_ask_each_once(slack: LocalSlack, start: Start, clock: Clock) -> None:
    async with start() as bot:
        for user in (ANN, CAI):
            await declares(bot, slack, user, MLOPS)
        clock.at = MONDAY + timedelta(hours=5)
        found = await bot.rounds._freshness.due(clock.now(), 10)
        assert len(found) == 2
        # Both have read the same turns before either takes one.
        await bot.rounds._take_turn(found[0], bot.clients[0])
        await bot.rounds._take_turn(found[0], bot.clients[0])
        await bot.rounds.run()
        await bot.rounds.run()
        assert [len(told(slack, user)) for user in (ANN, CAI)] == [1, 1]


@pytest.mark.usefixtures("faults")
async def test_what_slack_did_not_take_is_tried_again_and_not_counted(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, ANN, MLOPS)
    clock.at = MONDAY
    slack.fail("chat.postMessage", error="service_unavailable")
    await bot.rounds.run()
    assert told(slack, ANN) == []
    assert [row["unanswered"] for row in await rows(bot, "terms")] == [0]
    await bot.rounds.run()
    assert told(slack, ANN) == []
    clock.move(minutes=15)
    await bot.rounds.run()
    assert len(told(slack, ANN)) == 1
    assert [row["unanswered"] for row in await rows(bot, "terms")] == [1]


async def a_day(bot: Bot, clock: Clock, days: float = 1) -> None:
    """Let the job run as often as it does, but for the nights and the minutes in which nothing can be due."""
    for _ in range(int(days * 96)):
        clock.move(minutes=15)
        await bot.rounds.run()


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_a_question_whose_answer_from_slack_is_lost_is_not_asked_again_and_not_counted(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    slack.fail("chat.postMessage", lost=True, times=100)
    await asked(slack, bot, clock)
    await a_day(bot, clock)
    assert len(told(slack, ANN)) == 1
    assert [row["unanswered"] for row in await rows(bot, "terms")] == [0]
    clock.at = MONDAY + ASK_AGAIN
    await bot.rounds.run()
    assert len(told(slack, ANN)) == 2


@pytest.mark.usefixtures("faults")
@ON_BOTH
async def test_that_it_has_faded_is_told_once_though_the_answer_from_slack_is_lost(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await asked(slack, bot, clock)
    for turn in (1, 2):
        clock.at = MONDAY + turn * ASK_AGAIN
        await bot.rounds.run()
    slack.fail("chat.postMessage", lost=True, times=100)
    clock.at = MONDAY + 3 * ASK_AGAIN
    await bot.rounds.run()
    await a_day(bot, clock, 15)
    assert [message.text.startswith("Is this still right?") for message in told(slack, ANN)] == [True] * 3 + [False]


@pytest.mark.usefixtures("faults")
async def test_a_person_whom_slack_says_nothing_of_is_not_asked(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, MLOPS)
    clock.at = MONDAY
    slack.fail("users.info", error="internal_error")
    await bot.rounds.run()
    assert told(slack, ANN) == []
    clock.move(minutes=15)
    await bot.rounds.run()
    assert len(told(slack, ANN)) == 1


async def test_a_question_that_slack_lets_nobody_change_is_answered_below(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    question = await asked(slack, bot, clock)
    slack.fail("chat.update", error="edit_window_closed")
    await slack.press(ANN, question, "still_right:yes")
    assert told(slack, ANN)[-1].text.startswith("Thank you: confirmed today.")


async def test_a_workspace_that_the_token_is_not_for_is_left_alone(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, ANN, MLOPS, workspace="T0OTHER0001")
    clock.at = MONDAY
    await bot.rounds.run()
    assert told(slack, ANN) == []
    assert "Ann Archer" in str(await rows(bot, "members", "availability = 'active'"))


async def test_changes_of_people_who_declared_nothing_are_not_written_down(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, MLOPS)
    await slack.change_member(ANN, title="Director")
    await settled(bot)
    assert await rows(bot, "inbox") == []
    await slack.change_member(BEN, deleted=True)
    await settled(bot)
    assert len(await rows(bot, "inbox")) == 1
    assert "Ben Book" not in (await slack.command(ANN, "/genai-role who mlops")).text


async def test_the_home_tab_says_when_one_is_asked_again_and_when_it_fades(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    async def shown() -> str:
        home = await slack.open_home(ANN)
        await settled(bot)
        return words(home)

    await declares(bot, slack, ANN, MLOPS)
    clock.move(days=12)
    assert "confirmed it 12 days ago. Asked again on 1 June 2026; fades on about 13 July 2026" in await shown()
    clock.at = MONDAY
    await bot.rounds.run()
    assert "Asked again on 15 June 2026; fades on about 13 July 2026" in await shown()
    await slack.press(ANN, told(slack, ANN)[-1], "still_right:yes")
    assert "confirmed it today. Asked again on 31 August 2026; fades on about 12 October 2026" in await shown()
    await bot.workspaces.save(TEAM, Settings(starts_messages=False), BEN, clock.now())
    assert "You are not asked whether it is still right" in await shown()
    await bot.workspaces.save(TEAM, Settings(), BEN, clock.now())
    for _ in range(5):
        clock.at = clock.at + CHECK_AFTER
        await bot.rounds.run()
    assert "It has faded" in await shown()
