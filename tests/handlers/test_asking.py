"""Whom to ask: in the order of the policy, with reasons, without notifying anybody; what Slack says of people."""

from __future__ import annotations

import random

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Member
from knowledge.people import Listed, Terms
from knowledge.people import Member as Profile
from storage.bulk import SqlPeopleInBulk
from tests.conftest import (
    ANN,
    BEN,
    BUSY_SECONDS,
    CAI,
    DEE,
    EVA,
    GUS,
    LATE_SECONDS,
    OLD,
    ROB,
    TABLES,
    TEAM,
    Clock,
    declares,
    interact,
    rows,
    settled,
    words,
)

EVERYBODY = (ANN, BEN, CAI, DEE, EVA, GUS, ROB, OLD)


def order(text: str, *names: str) -> bool:
    """Tell whether the names stand in the text in this order."""
    places = [text.find(name) for name in names]
    return -1 not in places and places == sorted(places)


@pytest.mark.parametrize(
    "asked",
    ["who mlops", "who covers mlops here?", "who should I ask about MLOps?", "who is our MLOps engineer?"],
)
@pytest.mark.parametrize("via", ["command", "channel", "dm"])
async def test_people_are_asked_for(slack: LocalSlack, bot: Bot, asked: str, via: str) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    if via == "command":
        shown = (await slack.command(ANN, f"/genai-role {asked}")).message
    else:
        posted = await slack.say(
            ANN, f"<@BOT> {asked}" if via == "channel" else asked, GENERAL if via == "channel" else None
        )
        shown = await slack.wait_for_reply(posted)
    assert shown is not None
    assert "*For MLOps Engineer, ask:*" in words(shown)
    assert "1. *<https://genai-team.slack.com/team/U0BEN000001|Ben Book>* – MLOps Engineer, lead" in words(shown)
    assert "Nobody was notified." in words(shown)
    await settled(bot)


async def test_the_topic_comes_before_the_role_and_at_most_three_are_named(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, CAI, {"mlops-engineer": "practitioner"})
    await declares(bot, slack, DEE, {}, ("Kubernetes",))
    await declares(bot, slack, EVA, {"mlops-engineer": "lead"}, ("Kubernetes",))
    text = (await slack.command(ANN, "/genai-role who kubernetes")).text
    # Of those who declared the topic the one at work; then the role, by level.
    assert order(text, "1. Dee Dorsey", "2. Eva Ek", "3. Ben Book")
    assert "away now" in text
    assert "out of office" in text
    assert "Cai Chen" not in text


async def test_within_a_role_level_and_presence_decide(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"data-engineer": "learning"})
    await declares(bot, slack, CAI, {"data-engineer": "practitioner"})
    await declares(bot, slack, DEE, {"data-engineer": "practitioner"})  # away
    await declares(bot, slack, EVA, {"data-engineer": "lead"})  # out of office
    text = (await slack.command(ANN, "/genai-role who data engineer")).text
    assert order(text, "1. Cai Chen", "2. Dee Dorsey", "3. Ben Book")
    await settled(bot)


async def test_equals_take_turns(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    slack.workspace.add_members([Member("U0FAY000001", "Fay Fox")])
    for user in (ANN, BEN, CAI, "U0FAY000001"):
        await declares(bot, slack, user, {"data-engineer": "practitioner"})
    names = {"Ann Archer", "Ben Book", "Cai Chen", "Fay Fox"}
    first = []
    for _ in names:
        text = (await slack.command(DEE, "/genai-role who data engineer")).text
        first += [name for name in names if f"1. {name}" in text]
        clock.move(minutes=1)
    assert set(first) == names
    await settled(bot)


async def test_nobody_is_suggested_who_must_not_be(slack: LocalSlack, bot: Bot) -> None:
    for user in EVERYBODY:
        await declares(bot, slack, user, {"prompt-engineer": "lead"}, ("LoRA",))
    for asked in ("who LoRA", "who prompt engineer"):
        for asker, name in ((ANN, "Ann Archer"), (BEN, "Ben Book")):
            text = (await slack.command(asker, f"/genai-role {asked}")).text
            assert not {"Gus", "Rob", "Olly"} & set(text.split()), text
            assert name not in text


async def test_where_nobody_declared_it_the_nearest_are_shown(slack: LocalSlack, bot: Bot) -> None:
    near = bot.guide.catalog.roles["mlops-engineer"].confused_with[0].role
    await declares(bot, slack, BEN, {near: "lead"})
    reply = await slack.command(ANN, "/genai-role who mlops")
    assert reply.text.startswith("Nobody here has declared MLOps Engineer yet. Nearest:\n1. Ben Book")
    form = (await slack.press(ANN, reply, "declare_role")).view
    assert form is not None


async def test_where_there_is_nobody_near_either_it_says_so_and_offers_to_declare(slack: LocalSlack, bot: Bot) -> None:
    reply = await slack.command(ANN, "/genai-role who mlops")
    assert reply.text.startswith("Nobody here has declared MLOps Engineer or a role near it yet.")
    assert (await slack.press(ANN, reply, "declare_role")).view is not None


@pytest.mark.parametrize("asked", ["who zxqv wplk", "who"])
async def test_asking_for_nothing_known_is_answered(slack: LocalSlack, bot: Bot, asked: str) -> None:
    reply = await slack.command(ANN, f"/genai-role {asked}")
    assert (reply.status, reply.ephemeral_to) == (200, ANN)
    assert reply.text


async def test_when_it_was_confirmed_is_told(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    for days, said in ((0, "confirmed today"), (1, "confirmed yesterday"), (39, "confirmed 40 days ago")):
        clock.move(days=days)
        assert said in (await slack.command(ANN, "/genai-role who mlops")).text
        await settled(bot)


async def test_the_shortcut_on_a_message_shows_who_can_help(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {}, ("Airflow",))
    posted = await slack.say(CAI, "My Airflow DAG does not start, <!here> help", GENERAL)
    opened = await slack.message_shortcut(ANN, "find_who_can_help", posted)
    assert opened.view is not None
    assert opened.view.title == "Who can help"
    assert "Ben Book" in words(opened.view)
    await settled(bot)


@pytest.mark.parametrize("text", ["", "lunch?", "x" * 40_000, "<!channel> <@U0BEN000001>", "```code```"])
async def test_the_shortcut_works_on_any_message(slack: LocalSlack, bot: Bot, text: str) -> None:
    posted = await slack.say(CAI, text, GENERAL)
    opened = await slack.message_shortcut(ANN, "find_who_can_help", posted)
    assert opened.view is not None


# What Slack says of people


async def asked_before(slack: LocalSlack, bot: Bot) -> None:
    """Ann was named somebody who is known: that she is a member holds for an hour."""
    await declares(bot, slack, CAI, {"prompt-engineer": "lead"})
    await slack.command(ANN, "/genai-role prompt engineer")
    assert len(slack.called("users.info")) == 1


async def test_an_answer_waits_a_second_for_profiles_that_are_kept_for_an_hour(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(hours=2)
    await asked_before(slack, bot)
    monkeypatch.setattr("handlers.members.PROFILE_SECONDS", LATE_SECONDS)
    slack.fail("users.info", hang=BUSY_SECONDS)
    slack.workspace.members[BEN].display_name = "Benny"
    assert "Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text
    assert len(slack.called("users.info")) == 1
    slack.api.closing.set()
    await settled(bot)
    assert len(slack.called("users.info")) == 2
    slack.api.closing.clear()
    assert "Benny" in (await slack.command(ANN, "/genai-role who mlops")).text
    await settled(bot)
    assert len(slack.called("users.info")) == 2


async def test_somebody_found_gone_is_not_suggested(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    clock.move(hours=2)
    await asked_before(slack, bot)
    slack.fail("users.info", error="user_not_found")
    assert "Ben" not in (await slack.command(ANN, "/genai-role who mlops")).text
    await settled(bot)
    assert "Ben" not in (await slack.command(ANN, "/genai-role who mlops")).text


async def test_who_was_imported_and_has_left_is_not_suggested_by_an_answer(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    bulk = SqlPeopleInBulk(bot.engine, random.Random(1))
    who = [Listed(Profile(user, name), {"mlops-engineer": "lead"}, {}) for user, name in ((BEN, "Ben"), (CAI, "Cai"))]
    await bulk.declare_many(TEAM, who, clock.now())
    slack.workspace.members[BEN].deleted = True
    answer = (await slack.command(ANN, "/genai-role who mlops")).text
    assert "Cai" in answer and "Ben" not in answer
    await settled(bot)


@pytest.mark.parametrize("asked", ["mlops", "what does an mlops engineer do?", "who mlops"])
async def test_whoever_left_unnoticed_is_not_on_a_card_either(
    slack: LocalSlack, bot: Bot, clock: Clock, asked: str
) -> None:
    for user, level in ((BEN, "lead"), (CAI, "learning")):
        await declares(bot, slack, user, {"mlops-engineer": level})  # type: ignore[dict-item]
    clock.move(hours=2)
    slack.workspace.members[BEN].deleted = True
    shown = (await slack.command(ANN, f"/genai-role {asked}")).text
    assert "Cai Chen" in shown and "Ben" not in shown


async def test_whoever_drops_out_is_replaced_and_no_suggestion_of_theirs_is_used_up(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    slack.workspace.add_members([Member("U0FAY000001", "Fay Fox"), Member("U0GIL000001", "Gil Gray")])
    levels = {BEN: "lead", CAI: "lead", DEE: "lead", "U0FAY000001": "practitioner", "U0GIL000001": "learning"}
    for user, level in levels.items():
        await declares(bot, slack, user, {"mlops-engineer": level})  # type: ignore[dict-item]
    await set_terms(bot, clock, BEN, Terms(weekly_cap=1))
    clock.move(hours=2)
    slack.workspace.members[BEN].deleted = True
    slack.workspace.members[CAI].guest = True
    slack.workspace.members["U0FAY000001"].dnd = True
    text = (await slack.command(ANN, "/genai-role who mlops")).text
    assert order(text, "1. Dee Dorsey", "2. Fay Fox", "3. Gil Gray")
    assert "Ben" not in text and "Cai" not in text
    assert "away now" in text.partition("Fay Fox")[2].partition("Gil Gray")[0]
    counted = {row["user_id"]: row["suggested"] for row in await rows(bot, "terms")}
    assert counted == {BEN: 0, CAI: 0, DEE: 1, "U0FAY000001": 1, "U0GIL000001": 1}
    # Back again: the one suggestion of the week is still there.
    slack.workspace.members[BEN].deleted = False
    clock.move(hours=2)
    await slack.change_member(BEN, deleted=False)
    await settled(bot)
    assert "1. Ben Book" in (await slack.command(ANN, "/genai-role who mlops")).text


async def test_whoever_is_found_away_makes_room_for_their_equals(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    users = [f"U0M{number:08}" for number in range(4)]
    slack.workspace.add_members(Member(user, f"Mo{number}") for number, user in enumerate(users))
    for user in users:
        await declares(bot, slack, user, {"mlops-engineer": "lead"})
    clock.move(hours=2)
    await declares(bot, slack, users[3], {"mlops-engineer": "lead"})
    for user in users[:2]:
        slack.workspace.members[user].presence = "away"
    text = (await slack.command(ANN, "/genai-role who mlops")).text
    active, away = text.partition("3. ")[0], text.partition("3. ")[2]
    assert "Mo2" in active and "Mo3" in active and "Mo0" not in active and "Mo1" not in active
    assert "away now" in away


async def test_so_many_people_are_looked_up_in_a_minute_and_the_others_named_as_known(
    slack: LocalSlack, bot: Bot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handlers.members.MOST_LOOK_UPS", 1)
    for user, role in ((BEN, "mlops-engineer"), (CAI, "data-engineer")):
        await declares(bot, slack, user, {role: "lead"})
    clock.move(hours=2)
    slack.workspace.members[BEN].deleted = slack.workspace.members[CAI].deleted = True
    assert "Ben" not in (await slack.command(ANN, "/genai-role who mlops")).text
    assert "Cai" in (await slack.command(ANN, "/genai-role who data engineer")).text
    clock.move(minutes=1)
    assert "Cai" not in (await slack.command(ANN, "/genai-role who data engineer")).text


async def test_who_is_away_or_out_is_read_from_presence_and_status(slack: LocalSlack, bot: Bot) -> None:
    for user in (BEN, DEE, EVA):
        form = (await slack.command(user, "/genai-role me")).view
        await slack.submit(user, form, {"roles_lead": ["data-engineer"]})
    await settled(bot)
    kept = {row["user_id"]: row["availability"] for row in await rows(bot, "members")}
    assert kept == {BEN: "active", DEE: "away", EVA: "ooo"}


@pytest.mark.parametrize(("ends_in", "availability"), [(-1, "active"), (0, "active"), (1, "ooo"), (None, "ooo")])
async def test_a_status_counts_until_it_ends(
    slack: LocalSlack, bot: Bot, clock: Clock, ends_in: int | None, availability: str
) -> None:
    async def kept() -> list[str]:
        return [row["availability"] for row in await rows(bot, "members")]

    ends = 0 if ends_in is None else int(clock.now().timestamp()) + ends_in
    ben = slack.workspace.members[BEN]
    ben.status_text, ben.status_expiration = "Im Urlaub!", ends
    form = (await slack.command(BEN, "/genai-role me")).view
    await slack.submit(BEN, form, {"roles_lead": ["mlops-engineer"]})
    await settled(bot)
    assert await kept() == [availability]
    profile = {"status_text": "", "status_emoji": ":beach_with_umbrella:", "status_expiration": ends}
    await slack.send_event({"type": "user_change", "user": {"id": BEN, "team_id": TEAM, "profile": profile}})
    await settled(bot)
    assert await kept() == [availability]


@pytest.mark.parametrize("change", [{"deleted": True}, {"is_bot": True}, {"is_restricted": True}])
async def test_a_changed_profile_takes_a_leaver_out_at_once(
    slack: LocalSlack, bot: Bot, change: dict[str, bool]
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    user = {"id": BEN, "team_id": "T0LOCAL0001", "name": "ben", "profile": {"real_name": "Ben Book"}, **change}
    await slack.send_event({"type": "user_change", "user": user})
    await settled(bot)
    assert "Ben Book" not in (await slack.command(ANN, "/genai-role who mlops")).text
    assert "Ben Book" not in (await slack.command(ANN, "/genai-role mlops")).text


async def test_nothing_is_kept_of_somebody_who_declared_nothing(slack: LocalSlack, bot: Bot) -> None:
    user = {"id": BEN, "team_id": "T0LOCAL0001", "name": "ben", "profile": {"real_name": "Ben Book"}}
    await slack.send_event({"type": "user_change", "user": user})
    await settled(bot)
    for table in TABLES:
        assert "Ben Book" not in str(await rows(bot, table))


# Reasons, and who was passed over


async def test_what_is_asked_for_is_not_called_by_somebody_elses_word_for_it(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, topics=("jailbreaks",))
    await declares(bot, slack, CAI, topics=("Airflow",))
    shown = (await slack.command(ANN, "/genai-role who red teaming")).text
    assert shown.startswith("For Red teaming, ask:") and "declared “jailbreaks”" in shown
    assert (await slack.command(ANN, "/genai-role who airflow")).text.startswith("For Airflow, ask:")


async def set_terms(bot: Bot, clock: Clock, user: str, terms: Terms) -> None:
    kept = await bot.people.declaration(TEAM, user)
    await bot.people.declare(TEAM, user, kept.roles, kept.topics, clock.now(), terms)


async def test_the_time_where_somebody_is_and_how_much_was_asked_this_week_are_told(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})  # in Tokyo
    await declares(bot, slack, CAI, {"mlops-engineer": "practitioner"}, ("Airflow",))  # in Lima
    await set_terms(bot, clock, CAI, Terms(weekly_cap=3))
    text = (await slack.command(ANN, "/genai-role who mlops")).text
    assert "1. Ben Book – MLOps Engineer, lead · confirmed today · 18:30 there (UTC+9), outside working hours\n" in text
    assert "· 04:30 there (UTC-5), outside working hours · 1 of 3 this week\n" in text
    clock.move(hours=7)
    text = (await slack.command(DEE, "/genai-role who airflow")).text
    assert "1. Cai Chen – declared “Airflow”; MLOps Engineer, practitioner · confirmed today · 11:30 there" in text
    assert "11:30 there (UTC-5) · 2 of 3 this week\n" in text
    await settled(bot)


async def test_whoever_wants_can_see_who_was_passed_over_and_why(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    everybody = {user: Member(user, "") for user in (f"U0P{number:08}" for number in range(4))}
    slack.workspace.add_members(everybody.values())
    first, second, third, fourth = everybody
    await declares(bot, slack, BEN, {}, ("Airflow",))
    for user, terms in (
        (first, Terms(weekly_cap=0)),
        (second, Terms(weekly_cap=0)),
        (third, Terms("ask_first")),
        (fourth, Terms("hidden")),
    ):
        await declares(bot, slack, user, {}, ("Airflow",))
        await set_terms(bot, clock, user, terms)
    posted = await slack.wait_for_reply(await slack.say(ANN, "<@BOT> who knows airflow?", GENERAL))
    assert "Ben Book" in posted.text
    told = (await slack.press(CAI, posted, "why_these")).message
    assert told is not None
    assert told.ephemeral_to == CAI
    assert "• 2 reached the number of suggestions a week that they set.\n" in words(told)
    assert "• 1 wants to be asked before being named." in words(told)
    assert "out of office comes after the others" in words(told)
    # To a guest not even the numbers.
    refused = (await slack.press(GUS, posted, "why_these")).message
    assert refused is not None
    assert "reached" not in words(refused)
    await settled(bot)


async def test_who_is_away_or_out_of_office_is_counted_too(slack: LocalSlack, bot: Bot) -> None:
    slack.workspace.members[CAI].presence = "away"
    slack.workspace.members[DEE].status_emoji = ":palm_tree:"
    for user in (BEN, CAI, DEE):
        await declares(bot, slack, user, {"mlops-engineer": "lead"})
    reply = await slack.command(ANN, "/genai-role who mlops")
    told = (await slack.press(ANN, reply, "why_these")).message
    assert told is not None
    assert "• 1 is away, and comes after their equals.\n" in words(told)
    assert "• 1 is out of office, and comes after the others." in words(told)
    await settled(bot)


async def test_where_nobody_was_passed_over_it_says_so(slack: LocalSlack, bot: Bot) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    reply = await slack.command(ANN, "/genai-role who mlops")
    told = (await slack.press(ANN, reply, "why_these")).message
    assert told is not None
    assert "Nobody who declared this was left out." in words(told)
    await settled(bot)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (Terms("ask_first"), "1 wants to be asked before being named."),
        (Terms(weekly_cap=0), "1 reached the number of suggestions a week that they set."),
        (Terms("hidden"), None),
    ],
)
async def test_where_nobody_can_be_named_it_says_why(
    slack: LocalSlack, bot: Bot, clock: Clock, terms: Terms, said: str | None
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await set_terms(bot, clock, BEN, terms)
    reply = await slack.command(ANN, "/genai-role who mlops")
    # Of who is hidden nothing is told, not even that there is somebody.
    start = (
        f"Nobody can be named for MLOps Engineer now.\n{said}" if said else "Nobody here has declared MLOps Engineer"
    )
    assert reply.text.startswith(start)
    near = bot.guide.catalog.roles["mlops-engineer"].confused_with[0].role
    await declares(bot, slack, CAI, {near: "lead"})
    start = f"Nobody can be named for MLOps Engineer now. {said} Nearest:" if said else "Nobody here has declared"
    text = (await slack.command(ANN, "/genai-role who mlops")).text
    assert text.startswith(start)
    assert "Cai Chen" in text
    await settled(bot)


@pytest.mark.parametrize("value", ["", "x", "[]", "[[],[],[]]", "[[1],[],[]]", "{}", '[["a"],[],"b"]', "[" * 1500])
async def test_a_tampered_subject_is_answered_with_a_sentence(slack: LocalSlack, bot: Bot, value: str) -> None:
    press = {
        "type": "block_actions",
        "user": {"id": ANN, "name": "ann", "team_id": TEAM},
        "team": {"id": TEAM},
        "actions": [{"type": "button", "action_id": "why_these", "block_id": "b", "value": value}],
        "trigger_id": "1.1",
    }
    assert await interact(slack, press) == 200
    [call] = slack.called("chat.postMessage")
    assert "not in my knowledge any more" in call.arguments["text"]


@pytest.mark.parametrize(
    "asked",
    [
        "who can help with mlops, not Ben",
        "who should I ask about MLOps besides Ben Book?",
        "who knows MLOps and isn't ben?",
        "who covers mlops here, other than Dee or Ben",
    ],
)
async def test_who_is_turned_down_by_name_is_not_named(slack: LocalSlack, bot: Bot, asked: str) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, CAI, {"mlops-engineer": "learning"})
    shown = await slack.wait_for_reply(await slack.say(ANN, f"<@BOT> {asked}", GENERAL))
    assert shown is not None
    assert "1. *<https://genai-team.slack.com/team/U0CAI000001|Cai Chen>*" in words(shown)
    assert "Ben" not in words(shown)
    await settled(bot)


async def test_where_only_who_is_turned_down_is_left_it_does_not_say_that_nobody_is(
    slack: LocalSlack, bot: Bot
) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    shown = await slack.wait_for_reply(await slack.say(ANN, "<@BOT> who does MLOps here besides Ben?", GENERAL))
    assert shown is not None
    assert "Nobody else here has declared MLOps Engineer" in words(shown)
    await settled(bot)


async def test_a_word_that_is_a_name_too_leaves_nobody_out(slack: LocalSlack, bot: Bot) -> None:
    slack.workspace.members[BEN].name = "An Nguyen"
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, CAI, {"mlops-engineer": "learning"})
    for asked, named in (("someone who isn't an expert", True), ("not An Nguyen", False)):
        shown = await slack.wait_for_reply(await slack.say(ANN, f"<@BOT> who can help with mlops, {asked}", GENERAL))
        assert shown is not None
        assert ("An Nguyen" in words(shown)) == named, asked
    await settled(bot)
