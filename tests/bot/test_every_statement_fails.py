"""No request without an outcome: each journey with each of its statements failing, and each of its commits unknown."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Literal

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.app import Bot
from bot.local import GENERAL, LocalSlack, Message, Outcome, View
from knowledge.workspaces import Settings
from storage.inbox import LEASE
from storage.tables import terms
from tests.conftest import ANN, BEN, CAI, TEAM, Clock, declares, rows, settled

pytestmark = pytest.mark.usefixtures("faults")
MOST_STATEMENTS = 40
Kind = Literal["statement", "commit"]


class Breaker:
    """Make the n-th statement fail, or the n-th commit: done, but nobody learns of it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._kind: Kind | None = None
        self._left = 0
        self._commit = engine.dialect.do_commit
        event.listen(engine.sync_engine, "before_cursor_execute", self._execute)
        engine.dialect.do_commit = self._lose  # type: ignore[method-assign, assignment]  # no event comes after a commit

    def arm(self, kind: Kind, number: int) -> None:
        self._kind, self._left = kind, number

    def disarm(self) -> bool:
        """Stop; tell whether anything was made to fail."""
        fired, self._kind = self._left <= 0, None
        return fired

    def _is_its_turn(self, kind: Kind) -> bool:
        if self._kind != kind or self._left <= 0:
            return False
        self._left -= 1
        return self._left == 0

    def _execute(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._is_its_turn("statement"):
            raise OperationalError(statement, None, sqlite3.OperationalError("made to fail"))

    def _lose(self, connection: Any) -> None:
        self._commit(connection)
        if self._is_its_turn("commit"):
            raise sqlite3.OperationalError("the answer was lost")


Arm = Callable[[], None]
Seen = Callable[[], Awaitable[int]]
"""Says how many outcomes there are by now."""
Journey = Callable[[LocalSlack, Bot, Arm], Awaitable[Seen]]


def at_once(outcome: Outcome) -> Seen:
    """Count what a person saw of something they did: a message, a modal, an objection, or Slack's own complaint."""
    count = len(outcome.messages) or int(bool(outcome.view or outcome.errors or outcome.error))

    async def seen() -> int:
        return count

    return seen


def command(text: str) -> Journey:
    async def journey(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
        arm()
        return at_once(await slack.command(ANN, f"/genai-role {text}"))

    return journey


def question(text: str, where: Literal["channel", "thread", "dm"]) -> Journey:
    async def journey(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
        channel = slack.dm(ANN) if where == "dm" else GENERAL
        asked: dict[str, Any] = {"user": ANN, "channel": channel, "ts": slack.workspace.next_ts(), "text": text}
        asked |= {"type": "message", "channel_type": "im"} if where == "dm" else {"type": "app_mention"}
        if where == "thread":
            asked["thread_ts"] = slack.workspace.next_ts()
        before = len(slack.messages(channel))
        arm()
        await (await slack.send_event(asked)).finished()

        async def seen() -> int:
            return len([m for m in slack.messages(channel)[before:] if m.from_bot])

        return seen

    return journey


def press(action: str, selected: str | None = None, first: str = "mlops") -> Journey:
    async def journey(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
        shown = await slack.command(ANN, f"/genai-role {first}")
        if action == "compare_with":
            shown = await slack.press(ANN, shown, "compare_role")
        arm()
        return at_once(await slack.press(ANN, shown, action, selected=selected))

    return journey


async def more_in_a_thread(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    posted = await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    shown = await slack.wait_for_reply(posted)
    arm()
    return at_once(await slack.press(ANN, shown, "ask_someone"))


async def ask_in_a_dm(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    shown = await slack.wait_for_reply(await slack.say(ANN, "what is mlops"))
    arm()
    return at_once(await slack.press(ANN, shown, "ask_someone"))


async def browse_at_home(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
    home = await at_home(slack, bot)
    before = len(slack.messages(slack.dm(ANN)))
    arm()
    await slack.press(ANN, home, "browse_roles", selected="data-engineer")

    async def seen() -> int:
        return len(slack.messages(slack.dm(ANN))) - before

    return seen


async def forget_at_home(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
    await declares(bot, slack, ANN, {"data-engineer": "lead"})
    home = await at_home(slack, bot)
    before, drawn = len(slack.messages(slack.dm(ANN))), home.hash
    arm()
    await slack.press(ANN, home, "forget_me")

    async def seen() -> int:
        return len(slack.messages(slack.dm(ANN))) - before + (slack.workspace.homes[ANN].hash != drawn)

    return seen


async def submit(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    form = (await slack.command(ANN, "/genai-role me")).view
    arm()
    outcome = await slack.submit(ANN, form, {"roles_lead": ["data-engineer"], "topics": "GDPR, Airflow"})
    await slack.close(ANN, everything=True)
    return at_once(outcome)


async def curates(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
    slack.workspace.members[ANN].admin = True
    await slack.press(ANN, await at_home(slack, bot), "home_section:team")
    form = (await slack.press(ANN, slack.workspace.homes[ANN], "team_new")).view
    arm()
    outcome = await slack.submit(ANN, form, {"team_name": "Falcon", "team_answer": "A feature store."})
    await slack.close(ANN, everything=True)
    return at_once(outcome)


async def press_in_a_modal(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    posted = await slack.say(CAI, "our mlops pipeline", GENERAL)
    opened = await slack.message_shortcut(ANN, "find_who_can_help", posted)
    assert opened.view is not None
    shown, before = opened.view, {view.hash for view in slack.workspace.modals[ANN]}
    arm()
    await slack.press(ANN, shown, "open_entry:1")

    async def seen() -> int:
        return len({view.hash for view in slack.workspace.modals[ANN]} - before)

    return seen


async def declare_shortcut(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    arm()
    return at_once(await slack.shortcut(ANN, "declare_role"))


async def find_shortcut(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    posted = await slack.say(CAI, "who covers GDPR", GENERAL)
    arm()
    return at_once(await slack.message_shortcut(ANN, "find_who_can_help", posted))


async def at_home(slack: LocalSlack, bot: Bot) -> View:
    home = await slack.open_home(ANN)
    await settled(bot)
    return home


async def opens_home(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    before = slack.workspace.homes.get(ANN)
    drawn = before.hash if before else ""
    arm()
    sent = {"type": "app_home_opened", "user": ANN, "channel": slack.dm(ANN), "tab": "home"}
    await (await slack.send_event(sent)).finished()

    async def seen() -> int:
        home = slack.workspace.homes.get(ANN)
        return int(home is not None and home.hash != drawn)

    return seen


async def leaves(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
    """Nobody sees anything, but who has left is not suggested any more."""
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    user = {"id": BEN, "team_id": TEAM, "name": "ben", "deleted": True, "profile": {"real_name": "Ben Book"}}
    arm()
    await (await slack.send_event({"type": "user_change", "user": user})).finished()

    async def seen() -> int:
        return len(await rows(bot, "members", "user_id = :who AND availability = 'deactivated'", who=BEN))

    return seen


async def uninstalls(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"})
    arm()
    await (await slack.send_event({"type": "app_uninstalled"})).finished()

    async def seen() -> int:
        return int(not await rows(bot, "declarations") and not await rows(bot, "members"))

    return seen


def still_right(action: str) -> Journey:
    async def journey(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
        shown = await asked_again(slack, bot)
        arm()
        outcome = await slack.press(ANN, shown, f"still_right:{action}")
        after = slack.messages(slack.dm(ANN))

        async def seen() -> int:
            # The question was replaced by its answer, or an apology stands below it.
            replaced = any(message.ts == shown.ts and message.text != shown.text for message in after)
            return int(replaced) + len(outcome.messages) + int(bool(outcome.error))

        return seen

    return journey


async def asked_again(slack: LocalSlack, bot: Bot) -> Message:
    """Let the person be asked now whether it is still right."""
    now = bot.worker._now()
    await bot.people.declare(TEAM, ANN, {"mlops-engineer": "lead"}, {}, now)
    async with bot.engine.begin() as connection:
        await connection.execute(update(terms).where(terms.c.user_id == ANN).values(check_at=now))
    [due] = [one for one in await bot.rounds._freshness.due(now, 9) if one.user == ANN]
    await bot.rounds._take_turn(due, bot.clients[0])
    return [message for message in slack.messages(slack.dm(ANN)) if message.from_bot][-1]


async def opens_settings(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
    slack.workspace.members[ANN].admin = True
    arm()
    return at_once(await slack.command(ANN, "/genai-role settings"))


async def saves_settings(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
    slack.workspace.members[ANN].admin = True
    form = (await slack.command(ANN, "/genai-role settings")).view
    days = (await bot.workspaces.settings(TEAM)).question_days % 300 + 1
    arm()
    outcome = await slack.submit(ANN, form, {"question_days": str(days), "curators": [CAI]})
    await slack.close(ANN, everything=True)
    return at_once(outcome)


def within_settings(action: str) -> Journey:
    async def journey(slack: LocalSlack, _bot: Bot, arm: Arm) -> Seen:
        slack.workspace.members[ANN].admin = True
        form = (await slack.command(ANN, "/genai-role settings")).view
        assert form is not None
        before = {view.hash for view in slack.workspace.modals[ANN]}
        arm()
        await slack.press(ANN, form, action)
        count = len({view.hash for view in slack.workspace.modals[ANN]} - before)
        await slack.close(ANN, everything=True)

        async def seen() -> int:
            return count

        return seen

    return journey


def person(what: str) -> Journey:
    async def journey(slack: LocalSlack, bot: Bot, arm: Arm) -> Seen:
        slack.workspace.members[ANN].admin = True
        await declares(bot, slack, BEN, {"data-engineer": "lead"})
        form = (await slack.command(ANN, "/genai-role settings")).view
        assert form is not None
        asked = (await slack.press(ANN, form, "a_persons_data")).view
        if what == "erase":
            asked = (await slack.submit(ANN, asked, {"person": BEN, "what": "erase"})).view
        arm()
        values: dict[str, Any] = {} if what == "erase" else {"person": BEN, "what": "export"}
        outcome = await slack.submit(ANN, asked, values)
        await slack.close(ANN, everything=True)
        return at_once(outcome)

    return journey


QUESTIONS: dict[str, Journey] = {
    "mention": question("<@U0BOT> who knows mlops", "channel"),
    "mention of a role": question("<@U0BOT> what is mlops", "channel"),
    "mention in a thread": question("<@U0BOT> compare mlops and data engineer", "thread"),
    "mention: my data": question("<@U0BOT> my data", "channel"),
    "mention: forget me": question("<@U0BOT> forget me", "channel"),
    "direct message": question("who covers GDPR", "dm"),
    "direct message: me": question("me", "dm"),
}
JOURNEYS: dict[str, Journey] = QUESTIONS | {
    "look-up": command("mlops"),
    "browse": command(""),
    "compare": command("compare mlops and data engineer"),
    "who": command("who mlops"),
    "who topic": command("who GDPR"),
    "me": command("me"),
    "my data": command("my data"),
    "forget me": command("forget me"),
    "button: I do this": press("declare_role"),
    "button: ask": press("ask_someone"),
    "button: compare": press("compare_role"),
    "menu: compare with": press("compare_with", "mlops-engineer|data-engineer"),
    "button: more": press("more_about_role"),
    "button: share": press("share_answer"),
    "button: helpful": press("rate_answer:helpful"),
    "button: not helpful": press("rate_answer:not"),
    "unknown": command("zebracorn"),
    "button: forget me": press("forget_me", first="my data"),
    "button: as JSON": press("my_data_as_json", first="my data"),
    "menu: browse": press("browse_roles", "data-engineer", first=""),
    "button in a thread": more_in_a_thread,
    "button in a direct message": ask_in_a_dm,
    "button in a modal": press_in_a_modal,
    "menu at home": browse_at_home,
    "button at home": forget_at_home,
    "form": submit,
    "form of a curator": curates,
    "shortcut": declare_shortcut,
    "shortcut on a message": find_shortcut,
    "home": opens_home,
    "user_change": leaves,
    "still right: yes": still_right("yes"),
    "still right: stop": still_right("stop"),
    "still right: change": still_right("change"),
    "settings": opens_settings,
    "settings: form": saves_settings,
    "settings: audit log": within_settings("audit_log"),
    "settings: a person": within_settings("a_persons_data"),
    "settings: export": person("export"),
    "settings: erase": person("erase"),
    "app_uninstalled": uninstalls,
}


@pytest.mark.parametrize("kind", ["statement", "commit"])
@pytest.mark.parametrize("name", JOURNEYS)
async def test_there_is_an_outcome(slack: LocalSlack, bot: Bot, clock: Clock, name: str, kind: Kind) -> None:
    breaker = Breaker(bot.engine)
    await declares(bot, slack, CAI, {"mlops-engineer": "lead"}, ("GDPR",))
    for number in range(1, MOST_STATEMENTS):
        # What is kept in memory is old by now, and nobody asked too much in the last minute.
        clock.move(minutes=2)
        seen = await JOURNEYS[name](slack, bot, partial(breaker.arm, kind, number))
        await settled(bot)
        fired = breaker.disarm()
        if not await seen():
            # Written down, but by nobody's knowledge: it is taken up when its lease has run out.
            clock.move(seconds=LEASE.total_seconds() + 1)
            await bot.worker.sweep()
            await bot.worker.poll()
            await settled(bot)
        count = await seen()
        assert count == 1 if name in QUESTIONS else count >= 1, (number, count)
        if not fired:
            return
    raise AssertionError(f"more than {MOST_STATEMENTS} statements")


@pytest.mark.parametrize("kind", ["statement", "commit"])
@pytest.mark.parametrize("job", ["still right", "nobody left"])
async def test_a_job_whose_statements_fail_writes_in_the_end_and_once_more_at_most(
    slack: LocalSlack, bot: Bot, clock: Clock, kind: Kind, job: str
) -> None:
    breaker = Breaker(bot.engine)
    if job == "nobody left":
        await bot.workspaces.save(TEAM, Settings(curators=(ANN,)), CAI, clock.now())
    for number in range(1, MOST_STATEMENTS):
        # Monday morning, a quarter after the last.
        clock.at = datetime(2026, 6, 1, 9, 30, tzinfo=UTC) + timedelta(weeks=13 * number)
        who = BEN if job == "nobody left" else ANN
        await bot.people.declare(TEAM, who, {"mlops-engineer": "lead"}, {}, clock.now() - timedelta(weeks=13))
        if job == "nobody left":
            await bot.people.forget(TEAM, BEN)
            clock.move(minutes=10)
        run = bot.notices.run if job == "nobody left" else bot.rounds.run
        before = len(slack.messages(slack.dm(ANN)))
        breaker.arm(kind, number)
        with suppress(OperationalError, sqlite3.OperationalError):
            await run()
        fired = breaker.disarm()
        # What is claimed by nobody's knowledge is free again after its time.
        for _ in range(15):
            await run()
            clock.move(days=1)
        assert len(slack.messages(slack.dm(ANN))) - before in (1, 2), number
        await bot.people.forget(TEAM, who)
        if not fired:
            return
    raise AssertionError(f"more than {MOST_STATEMENTS} statements")
