"""Questions that the content should grow from: sealed in buttons, kept only where there is something to learn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from handlers.blocks.feedback import rateable
from handlers.blocks.message import Message
from knowledge.feedback import LONGEST_TEXT, Asked, Verdict, impersonal
from storage.database import open_engine
from storage.feedback import KEEP, MOST_READ, Learned, SqlFeedback
from storage.keys import Keys, new_key
from storage.tables import asked, place_of
from tests.databases import KEY, KEYS
from tests.schemas.block_kit import problems
from tests.storage.conftest import NOW

CARD = Asked("c0ffee", "card", ("mlops-engineer",), 0.87, "what is “mlops”? ü 日本")
NONE = Asked("beef", "none", (), 0.1, "who let the zebras out")


async def kept(engine: AsyncEngine) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(text("SELECT * FROM asked ORDER BY id"))).mappings()]


async def all_of(feedback: SqlFeedback) -> Learned:
    return await feedback.since(NOW - KEEP, NOW)


# Sealed


def test_what_is_sealed_comes_back_as_it_was(feedback: SqlFeedback) -> None:
    sealed = feedback.seal("T1", CARD)
    assert feedback.opened("T1", sealed) == CARD
    assert "mlops" not in sealed


def test_only_what_we_sealed_opens(address: str, feedback: SqlFeedback) -> None:
    stranger = SqlFeedback(open_engine(address, Keys([new_key()])))
    sealed = feedback.seal("T1", CARD)
    for token in (
        "",
        "x",
        sealed[:-1],
        sealed[:-9] + "AAAAAAAA=",
        stranger.seal("T1", CARD),
        feedback.seal("T2", CARD),
        "ü",
    ):
        assert feedback.opened("T1", token) is None, token
    rotated = SqlFeedback(open_engine(address, Keys([new_key(), KEY])))
    assert rotated.opened("T1", sealed) == CARD


@pytest.mark.parametrize("sign", ["x", '"', "\\", "\x00", "\ud800", "ü", "日", "🦓"])
def test_the_longest_question_fits_a_button(feedback: SqlFeedback, sign: str) -> None:
    asked = Asked("f" * 16, "people", ("multidisciplinary-teams",) * 3, 0.123, impersonal(sign * 40_000))
    assert len(asked.text) <= LONGEST_TEXT
    for ephemeral in (True, False):
        shown = rateable(Message("x", ()), feedback.seal("T" * 20, asked), ephemeral=ephemeral)
        assert problems(list(shown.blocks), "Blocks") == []


# Kept


async def test_a_question_without_an_answer_is_kept_encrypted(engine: AsyncEngine, feedback: SqlFeedback) -> None:
    await feedback.unanswered("T1", NONE, NOW)
    (row,) = await kept(engine)
    assert "zebra" not in str(row)
    assert str(row["noted_on"]) == "2026-05-04", "the day, which leads to no event"
    assert KEYS.unseal(row["question"], place_of(asked.c.question, row["workspace"], row["id"])) == NONE.text
    assert await all_of(feedback) == Learned([NONE], [], 0, 0, 0, 1)


async def test_a_vote_counts_once_and_the_last_stands(engine: AsyncEngine, feedback: SqlFeedback) -> None:
    votes: list[tuple[Verdict, bool]] = [("not", True), ("not", False), ("helpful", True), ("helpful", False)]
    for verdict, changed in votes:
        assert await feedback.vote("T1", CARD, verdict, NOW) == changed
    (row,) = await kept(engine)
    assert (row["verdict"], row["question"]) == ("helpful", ""), "the question is erased again"
    assert await feedback.vote("T1", CARD, "not", NOW)
    assert await all_of(feedback) == Learned([], [CARD], 0, 0, 1, 0)


async def test_votes_of_workspaces_are_apart(engine: AsyncEngine, feedback: SqlFeedback) -> None:
    assert await feedback.vote("T1", CARD, "not", NOW)
    assert await feedback.vote("T2", CARD, "helpful", NOW)
    assert [(row["workspace"], row["verdict"]) for row in await kept(engine)] == [("T1", "not"), ("T2", "helpful")]


async def test_a_question_of_a_lost_key_hides_no_other(address: str, feedback: SqlFeedback) -> None:
    lost = SqlFeedback(open_engine(address, Keys([new_key()])))
    await lost.unanswered("T1", NONE, NOW)
    await lost._engine.dispose()
    await feedback.vote("T1", CARD, "not", NOW)
    assert await all_of(feedback) == Learned([], [CARD], 1, 0, 1, 1)


async def test_the_newest_come_first_and_no_more_than_can_be_grouped(feedback: SqlFeedback) -> None:
    for at in range(3):
        await feedback.unanswered("T1", replace(NONE, id=str(at)), NOW - at * timedelta(days=1))
    assert [found.id for found in (await all_of(feedback)).unanswered] == ["0", "1", "2"]
    assert [found.id for found in (await feedback.since(NOW - timedelta(days=1), NOW)).unanswered] == ["0", "1"]
    assert MOST_READ == 2_000


async def test_what_is_kept_for_thirty_days_is_deleted(engine: AsyncEngine, feedback: SqlFeedback) -> None:
    await feedback.unanswered("T1", NONE, NOW - KEEP)
    await feedback.vote("T2", CARD, "not", NOW - KEEP + timedelta(days=1))
    assert await feedback.prune(NOW) == 1
    assert [row["workspace"] for row in await kept(engine)] == ["T2"]
