"""`python -m bot audit`: the audit log written out, and what the command line leaves in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from knowledge.workspaces import Settings
from storage.database import migrate, open_engine
from storage.keys import keys_beside
from storage.workspaces import MOST_AT_ONCE, SqlWorkspaces

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
ROW = {"id": "U0ANN", "name": "Ann", "declared": [{"role": "mlops-engineer", "level": "lead"}]}


@pytest.fixture
def run(environment: dict[str, str]) -> Callable[..., Result]:
    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [*arguments, "--workspace", "T1"], env=environment)
        assert result.exit_code == code, result.output
        return result

    return run


def within(tmp_path: Path, do: Callable[[SqlWorkspaces], Awaitable[object]]) -> None:
    """Do something in the database that the command line uses."""
    file = tmp_path / "bot.sqlite3"

    async def work() -> None:
        engine = open_engine(f"sqlite+aiosqlite:///{file}", keys_beside(file))
        await migrate(engine)
        await do(SqlWorkspaces(engine))
        await engine.dispose()

    asyncio.run(work())


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_entry_is_written_out_oldest_first(run: Callable[..., Result], tmp_path: Path) -> None:
    async def change(workspaces: SqlWorkspaces) -> None:
        await workspaces.save("T1", Settings(question_days=7, curators=("U0BEN",)), "U0ANN", NOW)
        await workspaces.save("T1", Settings(question_days=9, curators=("U0BEN",)), "U0ANN", NOW + timedelta(hours=1))
        await workspaces.save("T2", Settings(question_days=9), "U0ANN", NOW)

    within(tmp_path, change)
    found = lines(run("audit", "--json"))
    assert sorted(str(entry["action"]) for entry in found[:2]) == ["curator named", "settings changed"]
    assert found[2] == {
        "at": "2026-03-02T10:30:00+00:00",
        "by": "U0ANN",
        "action": "settings changed",
        "about": None,
        "before": {"question_days": 7},
        "after": {"question_days": 9},
        "words": "settings changed; Days that questions are kept: 7 → 9",
    }
    shown = run("audit").stdout.splitlines()
    assert shown[2] == "2026-03-02 10:30 UTC  U0ANN  settings changed  Days that questions are kept: 7 → 9"


def test_a_long_log_is_written_whole(run: Callable[..., Result], tmp_path: Path) -> None:
    async def change(workspaces: SqlWorkspaces) -> None:
        # Many at the very same time: pages end in the middle of them.
        for number in range(MOST_AT_ONCE + 3):
            await workspaces.save("T1", Settings(question_days=number % 2 + 1), "U0ANN", NOW)

    within(tmp_path, change)
    assert len(lines(run("audit", "--json"))) == MOST_AT_ONCE + 3


def test_what_is_done_at_the_command_line_is_recorded(run: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "team.json"
    file.write_text(json.dumps([ROW, {**ROW, "id": "U0BEN", "declared": []}]), "utf-8")
    run("people", "import", str(file), "--dry-run")
    run("people", "import", str(file))
    run("people", "export", str(tmp_path / "out.json"))
    run("people", "export", str(tmp_path / "ann.json"), "--person", "U0ANN")
    run("people", "forget", "U0ANN")
    result = run("audit", "--json")
    found = lines(result)
    assert [(entry["by"], entry["action"]) for entry in found] == [
        ("command line", "people imported"),
        ("command line", "people exported"),
        ("command line", "person exported"),
        ("command line", "person erased"),
    ]
    assert [entry["after"] for entry in found[:2]] == [{"people": 1, "left out": 1}, {"people": 1}]
    assert found[2]["about"] == found[3]["about"]
    assert len(str(found[3]["about"])) == 64
    assert "U0ANN" not in result.stdout


def test_without_a_database_it_says_so(run: Callable[..., Result]) -> None:
    assert "There is no database" in run("audit", code=2).stderr
