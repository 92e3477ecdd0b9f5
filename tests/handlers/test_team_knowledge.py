"""What a workspace knows answers its questions: by command, mention and direct message, with its source and date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message
from knowledge.team import Alias, TeamEntry, published, retired
from tests.conftest import ANN, BEN, CAI, GUS, TEAM, Clock, declares, settled, words

QUOTA = TeamEntry(
    *(
        "team-quota",
        "GPU quota",
        ("more GPUs",),
        "How do I get more GPU quota?",
        "Open a ticket with <b>FinOps</b> & wait.",
    ),
    roles=("ai-infrastructure-architect",),
    topics=("FinOps",),
    written_by=BEN,
    shown_author="Ben Book",
)
FALCON = TeamEntry("team-falcon", "Project Falcon", ("Falcon",), roles=("data-engineer",), topics=("Feast",))
ORAKEL = Alias("Orakel", "mlops-engineer")


async def knows(bot: Bot, clock: Clock, *known: TeamEntry | Alias) -> None:
    entries = [published(one, clock.at) for one in known if isinstance(one, TeamEntry)]
    await bot.team.save(TEAM, entries, [one for one in known if isinstance(one, Alias)])
    clock.move(days=12)


async def asked(slack: LocalSlack, bot: Bot, text: str, via: str = "command", user: str = ANN) -> Message:
    if via == "command":
        shown = (await slack.command(user, f"/genai-role {text}")).message
        assert shown is not None
    else:
        spoken = (f"<@BOT> {text}", GENERAL) if via == "mention" else (text, None)
        shown = await slack.wait_for_reply(await slack.say(user, *spoken))
    await settled(bot)
    return shown


@pytest.mark.parametrize("via", ["command", "mention", "dm"])
@pytest.mark.parametrize("text", ["GPU quota", "how do I get more gpu quota?", "we need more GPU quota, how?"])
async def test_an_entry_answers(slack: LocalSlack, bot: Bot, clock: Clock, via: str, text: str) -> None:
    await knows(bot, clock, QUOTA)
    shown = await asked(slack, bot, text, via)
    assert "Open a ticket with &lt;b&gt;FinOps&lt;/b&gt; &amp; wait." in words(shown)
    assert "*Whose field it is:* AI Infrastructure Architect" in words(shown)
    source = "From your team, added by Ben Book on 2 March 2026, verified 12 days ago."
    assert source in words(shown) and shown.text.endswith(source)
    assert "Helpful" in str(shown.blocks)


async def test_an_author_who_wants_no_name_has_none(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await knows(bot, clock, replace(QUOTA, shown_author=""))
    shown = await asked(slack, bot, "gpu quota")
    assert "From your team, added on 2 March 2026, verified 12 days ago." in shown.text
    assert BEN not in str(shown.blocks) + shown.text
    clock.move(days=170)
    assert "verified 182 days ago, and due to be verified again." in (await asked(slack, bot, "gpu quota")).text


async def test_another_workspace_and_what_is_not_published_stay_silent(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await bot.team.save("T0OTHER", [published(QUOTA, clock.at)])
    await bot.team.save(TEAM, [retired(QUOTA, clock.at), replace(FALCON, state="proposed")])
    assert "FinOps" not in (await asked(slack, bot, "how do I get more gpu quota?")).text
    assert "From your team" not in (await asked(slack, bot, "Project Falcon")).text


async def test_an_exact_bundled_name_wins_over_what_is_only_near(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await knows(bot, clock, replace(QUOTA, question="What is Kubernetes for?", name="Clusters", names=()))
    assert (await asked(slack, bot, "what is kubernetes?")).text.startswith("Kubernetes\n")
    # The team's own name, and its own question, win over everything.
    await knows(bot, clock, replace(QUOTA, name="Kubernetes", question="Which kubernetes do we use?"))
    for text in ("kubernetes", "what is kubernetes?", "which kubernetes do we use?"):
        assert "From your team" in (await asked(slack, bot, text)).text


async def test_a_team_s_word_is_understood_and_said(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await knows(bot, clock, ORAKEL)
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    await declares(bot, slack, CAI, {}, ("Orakel",))
    shown = await asked(slack, bot, "what does Orakel do?")
    assert shown.text.startswith("Your team says “Orakel” for MLOps Engineer.\nMLOps Engineer\n")
    for text, via in (("who Orakel", "command"), ("who covers Orakel?", "mention"), ("who covers orakel?", "dm")):
        people = (await asked(slack, bot, text, via)).text
        assert "Ben Book" in people, text
        # Whoever declared the word itself is found as well.
        assert "Cai Chen – declared “Orakel”" in people, text
    assert (await asked(slack, bot, "compare Orakel and data engineer")).text.count(
        "MLOps Engineer and Data Engineer"
    ) == 1


@pytest.mark.parametrize("via", ["command", "mention", "dm"])
async def test_people_are_found_for_a_topic_of_the_team(slack: LocalSlack, bot: Bot, clock: Clock, via: str) -> None:
    await knows(bot, clock, FALCON)
    await declares(bot, slack, BEN, {"data-engineer": "lead"})
    await declares(bot, slack, CAI, {}, ("falcon",))
    await declares(bot, slack, ANN, {}, ("feast",))
    text = (await asked(slack, bot, "who covers project Falcon?", via, user="U0DEE000001")).text
    assert text.startswith("For Project Falcon, ask:\n")
    assert text.index("Ann Archer") < text.index("Ben Book")
    assert text.index("Cai Chen") < text.index("Ben Book")
    assert "Whose field it is: Data Engineer." in text


async def test_a_topic_without_an_answer_says_whose_field_it_is_and_whom_to_ask(
    slack: LocalSlack, bot: Bot, clock: Clock
) -> None:
    await knows(bot, clock, FALCON)
    await declares(bot, slack, BEN, {"data-engineer": "lead"})
    shown = await asked(slack, bot, "what is Falcon?")
    assert "there is no answer to it yet" in shown.text
    assert "Whose field it is: Data Engineer." in shown.text
    assert "Nobody can be named for Project Falcon. Nearest" in shown.text or "For Project Falcon, ask:" in shown.text
    assert "Ben Book" in shown.text
    assert "Ben Book" not in (await asked(slack, bot, "what is Falcon?", user=GUS)).text


async def test_the_buttons_of_a_card_lead_on(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await knows(bot, clock, QUOTA)
    await declares(bot, slack, BEN, {"ai-infrastructure-architect": "lead"})
    shown = await asked(slack, bot, "gpu quota", "mention")
    told = (await slack.press(ANN, shown, "ask_someone")).message
    assert told is not None and told.text.startswith("For GPU quota, ask:\n1. Ben Book")
    noted = (await slack.press(ANN, await asked(slack, bot, "gpu quota"), "rate_answer:not")).message
    assert noted is not None and "Or ask a person about GPU quota:" in noted.text
    follow_up = await slack.say(ANN, "<@BOT> and who covers that?", GENERAL, thread_ts=shown.thread_ts)
    assert "Ben Book" in (await slack.wait_for_reply(follow_up)).text
    await bot.team.save(TEAM, [retired(QUOTA, clock.at)])
    gone = (await slack.press(ANN, shown, "ask_someone")).message
    assert gone is not None and "not in my knowledge any more" in gone.text
    await settled(bot)


async def test_topics_of_the_team_are_offered_where_people_declare(slack: LocalSlack, bot: Bot, clock: Clock) -> None:
    await knows(bot, clock, FALCON)
    form = (await slack.command(ANN, "/genai-role me")).view
    assert form is not None
    offered = await slack.suggest(ANN, form, "topics_found", "falc")
    assert "Project Falcon" in str(offered)
