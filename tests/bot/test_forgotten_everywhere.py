"""Forget me: whoever looks through every table and every line of the log finds nothing of the person but a hash."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from bot.logs import set_up_logging
from bot.settings import Settings as ProcessSettings
from knowledge.asking import Askee, Asker, Details
from knowledge.conversation import Conversation
from knowledge.keeping import Consent
from knowledge.team import Alias, TeamEntry, published
from knowledge.verifying import ToVerify
from knowledge.workspaces import Settings
from storage.marks import NAME, asker_mark, mark_of, workspace_key
from storage.tables import SealedText, metadata, place_of, secrets
from tests.asks import new_ask
from tests.conftest import ANN, BEN, TEAM, Start, declares, rows, settled
from tests.databases import BOTH, KEY, KEYS

WORDS = ("Ann Archer", "hand-made looms", "warp weights", "ANN0000", "tapestries")
pytestmark = pytest.mark.usefixtures("faults")


@pytest.fixture(params=BOTH)
def database(database: str) -> str:
    """Every test here runs on each."""
    return database


async def everything(bot: Bot) -> str:
    """Return every cell of every table, as it stands and opened where a key opens it."""
    found: list[str] = []
    async with bot.engine.connect() as connection:
        for name, table in metadata.tables.items():
            raw = (await connection.execute(text(f"SELECT * FROM {name}"))).all()  # noqa: S608 - the schema's own names
            typed = (await connection.execute(select(table))).all()
            found += [str(cell) for row in (*raw, *typed) for cell in row]
            sealed = [column for column in table.c if isinstance(column.type, SealedText)]
            for row in (row._mapping for row in typed):
                key = [row[part] for part in table.primary_key.columns]
                found += [KEYS.unseal(row[column], place_of(column, *key)) for column in sealed if row[column]]
    return "\n".join(found)


async def lives(slack: LocalSlack, bot: Bot) -> None:
    """Leave traces wherever a person can."""
    await declares(bot, slack, ANN, {"data-engineer": "lead"}, ("hand-made looms",))
    await declares(bot, slack, BEN, {"data-engineer": "learning"}, ("looms of Ben",))
    now = datetime(2026, 3, 2, tzinfo=UTC)
    await bot.workspaces.save(TEAM, Settings(question_days=20, curators=(ANN, BEN)), ANN, now)
    await bot.workspaces.save(TEAM, Settings(question_days=20, curators=(BEN,)), BEN, now)
    await bot.workspaces.save(TEAM, Settings(question_days=20, curators=(ANN, BEN)), BEN, now)
    await slack.say(ANN, "<@BOT> what is mlops", GENERAL)
    await slack.say(ANN, "<@BOT> who else?", GENERAL)
    await slack.say(ANN, "what is a data engineer")
    await slack.command(BEN, "/genai-role who knows hand-made looms")
    await slack.say(BEN, "<@BOT> who knows hand-made looms?", GENERAL)
    await slack.command(ANN, "/genai-role who does tapestries")
    await slack.command(ANN, "/genai-role my data")
    await settled(bot)
    theirs = TeamEntry("team-1", "Looms", answer="Of wood.", written_by=ANN, shown_author="Ann Archer")
    await bot.team.save(TEAM, [theirs], [Alias("Webstuhl", "data-engineer", ANN)])
    await asks_and_answers(bot)
    # Two that wait for their answer, with their words.
    await bot.worker.stop(1)
    await slack.say(ANN, "<@BOT> how heavy are warp weights", GENERAL)
    await slack.say(BEN, "<@BOT> how heavy are hammers", GENERAL)


async def asks_and_answers(bot: Bot) -> None:
    """Have both ask each other, answer, hand over, agree that it is kept, and be asked whether that is still right."""
    desk, asks, keepings = bot.courier._desk, bot.courier._asks, bot.courier._keepings
    now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    async def asked(ask_id: str, asker: str, person: str, question: str, *answer: str) -> None:
        assert await asks.create(new_ask(ask_id, asker, TEAM, asked=person, question=question, now=now), now) == "done"
        if answer:
            details = Details(actor=person, text=answer[0], source=ask_id)
            assert await desk.happened(TEAM, ask_id, "answer", details) == "done"
            assert await desk.happened(TEAM, ask_id, "solve", Details(actor=asker, asker=Asker(asker))) == "done"

    async def kept(ask_id: str, user: str, name: str, answer: str) -> TeamEntry:
        await keepings.says(TEAM, ask_id, Consent("asker", yes=True), (), now)
        said = Consent("answerer", yes=True, answer=answer, shown_author=name)
        found = await keepings.says(TEAM, ask_id, said, (), now)
        assert found is not None and found.outcome == "proposed" and found.user == user
        entry = (await bot.team.known(TEAM, now=True)).entry(found.entry_id)
        assert entry is not None
        return entry

    await asked("open", ANN, BEN, "How heavy are warp weights?")
    await asked("passed-on", BEN, ANN, "Is Ben's felt washable?")
    await desk.happened(
        TEAM,
        "passed-on",
        "hand_over",
        Details(actor=ANN, new=Askee(BEN, "handover", shown=False), text="A note on warp weights."),
    )
    await asked("mine", ANN, BEN, "Do warp weights sink?", "They do, says Ben.")
    await keepings.says(TEAM, "mine", Consent("asker", yes=True), (), now)
    await asked("proposed", BEN, ANN, "Is Ben's shuttle quick?", "As hand-made looms are.")
    await kept("proposed", ANN, "Ann Archer", "As hand-made looms are.")
    await asked("published", BEN, ANN, "Is Ben's thread strong?", "As warp weights ask.")
    entry = published(await kept("published", ANN, "Ann Archer", "Strong enough."), now)
    assert await keepings.publish(TEAM, entry, now) == "done"
    assert entry.verify_by is not None
    turn = ToVerify(TEAM, entry.id, entry.verify_by, ANN, "")
    assert await bot.verifier._verifications.move(turn, 1, now)


async def marks(bot: Bot, user: str) -> list[str]:
    """Work out how a person would be marked in every conversation that is kept: with the key, and without one."""
    async with bot.engine.connect() as connection:
        places = (await connection.execute(text("SELECT channel, thread FROM threads"))).all()
        sealed = (await connection.execute(text("SELECT value FROM secrets"))).scalar_one()
    key = bytes.fromhex(KEYS.unseal(sealed, place_of(secrets.c.value, TEAM, NAME)))
    return [Conversation(channel, thread, secret=one).mark(user) for channel, thread in places for one in (key, b"")]


async def test_nothing_is_left_but_the_hash(slack: LocalSlack, start: Start) -> None:
    output = io.StringIO()
    root = logging.getLogger()
    before = list(root.handlers), root.level
    root.handlers.clear()
    settings = ProcessSettings(_env_file=None, log_level="DEBUG", encryption_keys=SecretStr(KEY))  # type: ignore[call-arg]
    set_up_logging(settings, output)
    try:
        async with start() as bot:
            await lives(slack, bot)
            kept = await everything(bot)
            assert all(said in kept for said in (ANN, "Ann Archer", "hand-made looms", "warp weights"))
            theirs = await marks(bot, ANN)
            async with bot.engine.connect() as connection:
                as_asker = asker_mark(await workspace_key(bot.engine, connection, TEAM), TEAM, ANN)
            assert as_asker in kept and "A note on warp weights." in kept
            for table in ("asks", "ask_people", "ask_deliveries", "keepings", "verifications"):
                assert ANN in str(await rows(bot, table)) or table in ("asks", "ask_deliveries"), table
            assert [mark in kept for mark in theirs[::2]].count(True) >= 1
            assert [mark for mark in theirs[1::2] if mark in kept] == []
            reply = await slack.command(ANN, "/genai-role forget me")
            assert reply.text.startswith("Done: I deleted everything")
            left = await everything(bot)
            # What nobody can be named for is not a person's own: a question without an answer, for 30 days.
            assert [said for said in (ANN, *WORDS[:4], *theirs[1::2], as_asker) if said in left] == []
            assert all(
                said in left for said in ("Is Ben's felt washable?", "Strong enough.", "Is Ben's thread strong?")
            )
            assert all(said in left for said in (BEN, "looms of Ben", "hammers", "Of wood.", "Webstuhl"))
            async with bot.engine.connect() as connection:
                [(sealed,)] = await connection.execute(text("SELECT value FROM secrets"))
                [(mark,)] = await connection.execute(text("SELECT mark FROM forgotten"))
            assert mark == mark_of(bytes.fromhex(KEYS.unseal(sealed, place_of(secrets.c.value, TEAM, NAME))), TEAM, ANN)
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:], root.level = before
    log = output.getvalue()
    assert [said for said in (ANN, *WORDS) if said in log] == []
