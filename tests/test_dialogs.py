"""Conversations as tables: tests/dialogs/*.yaml, each said through the guide as `ask --batch` says it."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

NOW = datetime.now(UTC)
HERE = Path(__file__).parent
TEAM = HERE / "evals" / "development" / "team.json"
DIALOGS = [
    pytest.param(dialog, id=f"{file.stem}: {dialog['title']}")
    for file in sorted((HERE / "dialogs").glob("*.yaml"))
    for dialog in yaml.safe_load(file.read_text("utf-8"))
]


@asynccontextmanager
async def opened(file: Path, make_guide: MakeGuide) -> AsyncIterator[tuple[Guide, SqlPeople]]:
    """The guide as `ask --batch` has it, over content that is read once for all dialogs."""
    engine = open_engine(f"sqlite+aiosqlite:///{file}", KEYS)
    people = SqlPeople(engine, random.Random(0))
    yield make_guide(people, SqlThreads(engine), lambda: NOW, SqlTeamEntries(engine)), people
    await engine.dispose()


@pytest.fixture(scope="module")
def team_database(empty_database: Path, tmp_path_factory: pytest.TempPathFactory, make_guide: MakeGuide) -> Path:
    """A file in which the team has declared what it does; dialogs take copies."""
    file = Path(shutil.copy(empty_database, tmp_path_factory.mktemp("team") / "bot.sqlite3"))

    async def declare() -> None:
        async with opened(file, make_guide) as (guide, people):
            await fill(people, guide, WORKSPACE, read_team(TEAM, guide.catalog.roles), NOW)

    asyncio.run(declare())
    return file


@pytest_asyncio.fixture
async def guide(
    dialog: dict[str, Any], empty_database: Path, team_database: Path, tmp_path: Path, make_guide: MakeGuide
) -> AsyncIterator[Guide]:
    whose = team_database if dialog.get("team") else empty_database
    async with opened(Path(shutil.copy(whose, tmp_path / "bot.sqlite3")), make_guide) as (guide, _):
        yield guide


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
