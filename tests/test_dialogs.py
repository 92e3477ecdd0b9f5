"""Conversations as tables: tests/dialogs/*.yaml, each said through the guide as `ask --batch` says it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from bot.ask import WORKSPACE, Line, answer_line, fill, read_team
from knowledge.guide import Guide
from storage.database import open_engine
from storage.people import SqlPeople
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads

from .conftest import MakeGuide
from .databases import KEYS

HERE = Path(__file__).parent
TEAM = HERE / "evals" / "development" / "team.json"
DIALOGS = [
    pytest.param(dialog, id=f"{file.stem}: {dialog['title']}")
    for file in sorted((HERE / "dialogs").glob("*.yaml"))
    for dialog in yaml.safe_load(file.read_text("utf-8"))
]


@pytest_asyncio.fixture
async def guide(dialog: dict[str, Any], database: str, make_guide: MakeGuide) -> AsyncIterator[Guide]:
    """The guide as `ask --batch` has it, over content that is read once for all dialogs."""
    now = datetime.now(UTC)
    engine = open_engine(database, KEYS)
    people = SqlPeople(engine, random.Random(0))
    guide = make_guide(people, SqlThreads(engine), lambda: now, SqlTeamEntries(engine))
    if dialog.get("team"):
        await fill(people, guide, WORKSPACE, read_team(TEAM, guide.catalog.roles), now)
    yield guide
    await engine.dispose()


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_dialog(guide: Guide, dialog: dict[str, Any]) -> None:
    before: list[str] = []
    for number, turn in enumerate(dialog["turns"]):
        line = Line(text=turn["say"], via=dialog.get("via", "mention"), turns=before, asker=turn.get("asker"))
        got = await answer_line(guide, line, number)
        said = f"{turn['say']!r} -> {got.model_dump_json()}"
        assert got.kind == turn["kind"], said
        for key in ("roles", "topics", "tools", "people"):
            if key in turn:
                wanted = turn[key]
                assert getattr(got, key)[: len(wanted) or None] == wanted, said
        assert not set(got.people + got.nearest) & set(turn.get("not_people", [])), said
        assert got.facet == turn.get("facet", got.facet), said
        assert turn.get("text", "") in got.text, said
        assert "not_text" not in turn or turn["not_text"] not in got.text, said
        before.append(turn["say"])
