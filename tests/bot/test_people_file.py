"""`python -m bot people …`: files in, files out, and every problem with its line."""

from __future__ import annotations

import asyncio
import csv
import json
import random
import shutil
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.__main__ import main
from bot.ask import TeamMember
from bot.local import LocalSlack
from knowledge.people_rows import COLUMNS
from storage.database import open_engine
from storage.people import SqlPeople
from tests.conftest import TEAM
from tests.databases import BOTH, KEY, KEYS

T = TypeVar("T")
DEMO = Path(__file__).parents[2] / "bot" / "local" / "demo_team.json"


@pytest.fixture(params=BOTH)
def environment(request: pytest.FixtureRequest, environment: dict[str, str], empty_database: Path) -> dict[str, str]:
    """The environment with a database at head, without rows, of each kind."""
    if request.param == "sqlite":
        shutil.copy(empty_database, environment["DATABASE_URL"].partition(":///")[2])
        return environment | {"ENCRYPTION_KEYS": KEY}
    return {"DATABASE_URL": request.getfixturevalue("postgres"), "ENCRYPTION_KEYS": KEY}


def in_database(address: str, do: Callable[[AsyncEngine], Awaitable[T]]) -> T:
    async def run() -> T:
        engine = open_engine(address, KEYS)
        try:
            return await do(engine)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def count(environment: dict[str, str], table: str) -> int:
    async def counted(engine: AsyncEngine) -> int:
        async with engine.connect() as connection:
            return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608

    return in_database(environment["DATABASE_URL"], counted)


def people(environment: dict[str, str], *arguments: object, code: int = 0, workspace: str = "T1") -> Result:
    given = ["people", *map(str, arguments), *(("--workspace", workspace) if workspace else ())]
    result = CliRunner().invoke(main, given, env=environment)
    assert result.exit_code == code, result.output
    return result


def table(file: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, columns)
        writer.writeheader()
        writer.writerows(rows)
    return file


def member(number: int, **changed: str) -> dict[str, str]:
    row = {"id": f"U{number:08}", "name": f"Person {number}", "roles": "mlops-engineer:lead", "topics": "k8s; GDPR"}
    return row | changed


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_imported_comes_out_the_same(environment: dict[str, str], tmp_path: Path, form: str) -> None:
    declaring = [one for one in json.loads(DEMO.read_text("utf-8")) if one["declared"] or one["topics"]]
    assert people(environment, "import", DEMO).stdout.startswith(f"{len(declaring)} people were imported")
    file = tmp_path / f"out.{form}"
    assert people(environment, "export", file).stdout == f"People exported: {len(declaring)}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    people(environment, "import", file, workspace="T2")
    again = tmp_path / f"again.{form}"
    people(environment, "export", again, workspace="T2")
    assert again.read_text("utf-8") == file.read_text("utf-8")
    if form == "json":
        found = {one["id"]: TeamMember.model_validate(one) for one in json.loads(file.read_text("utf-8"))}
        for one in declaring:
            given, kept = TeamMember.model_validate(one), found[one["id"]]
            assert {row.role: row.level for row in kept.declared} == {row.role: row.level for row in given.declared}
            # Two words for the same are one topic.
            assert set(kept.topics) <= set(given.topics) and bool(kept.topics) == bool(given.topics)
            assert (kept.name, kept.title, kept.tz, kept.status) == (given.name, given.title, given.tz, given.status)


def test_topics_get_the_key_that_the_form_gives_them(environment: dict[str, str], tmp_path: Path) -> None:
    people(environment, "import", table(tmp_path / "in.csv", member(1)))

    async def keys(engine: AsyncEngine) -> list[Any]:
        async with engine.connect() as connection:
            query = "SELECT key, label FROM declarations WHERE kind = 'topic' ORDER BY key"
            return [tuple(row) for row in await connection.execute(text(query))]

    assert in_database(environment["DATABASE_URL"], keys) == [("gdpr", "GDPR"), ("kubernetes", "k8s")]


BAD = (
    ({"roles": "wizard:lead"}, "roles: there is no role 'wizard'"),
    ({"roles": "mlops-engineer:guru"}, "declared.0.level: Input should be 'learning', 'practitioner' or 'lead'"),
    ({"roles": "mlops-engineer"}, "declared.0.level: missing"),
    ({"roles": "mlops-engineer:lead;mlops-engineer:learning"}, "roles: mlops-engineer stands there twice"),
    ({"id": ""}, "id: missing"),
    ({"id": "no id!"}, "id: not an id of Slack's"),
    ({"id": "U00000001"}, "id: it stands in the file twice"),
    ({"name": "n" * 201}, "name: String should have at most 200 characters"),
    ({"topics": "t" * 61}, "topics: “tttttttttttttttttttttttttttttt…” is too long: at most 60 letters"),
    ({"topics": ";".join(f"topic {at}" for at in range(21))}, "topics: these are 21; at most 20 fit"),
    ({"topics": "GDPR, LoRA"}, "topics: “GDPR, LoRA” has a comma in it; write each topic by itself"),
    ({"not_about": "k8s;A, B"}, "not_about: “A, B” has a comma in it; write each topic by itself"),
    ({"topics": "!!!"}, "topics: one has no letters in it"),
    ({"status": "asleep"}, "status: Input should be 'active', 'away', 'ooo' or 'deactivated'"),
    ({"weekly_cap": "-1"}, "weekly_cap: Input should be greater than or equal to 0"),
    ({"visibility": "all"}, "visibility: Input should be 'open', 'ask_first' or 'hidden'"),
)


def test_every_problem_is_said_with_its_line_and_nothing_is_written(
    environment: dict[str, str], tmp_path: Path
) -> None:
    rows = [member(1), *(member(at, **bad) for at, (bad, _) in enumerate(BAD, 2)), member(99)]
    file = table(tmp_path / "in.csv", *rows)
    refused = people(environment, "import", file, code=2)
    said = refused.stderr.splitlines()
    assert said[:-1] == [f"line {line}: refused: {problem}" for line, (_, problem) in enumerate(BAD, 3)]
    assert said[-1].startswith(f"{len(BAD)} lines can't be used, and nothing was written.")
    assert count(environment, "declarations") == 0
    done = people(environment, "import", file, "--skip-bad")
    assert done.stdout == f"2 people were imported; {len(BAD)} bad lines skipped.\n"
    assert count(environment, "members") == 2


def test_lines_of_json_are_counted_too(environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text('[\n{"id": "U1", "topics": ["a"]},\n\n{"name": "x"}, 7,\n{"id": "U2"}\n]\n')
    assert people(environment, "import", file, code=2).stderr.splitlines()[:2] == [
        "line 4: refused: id: missing",
        "line 4: refused: not a member",
    ]
    said = people(environment, "import", file, "--skip-bad").stdout
    assert said == "1 person was imported; 1 left out who declare nothing; 2 bad lines skipped.\n"


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("in.csv", b"", "line 1: a column"),
        ("in.csv", b"name,title\nx,y\n", "line 1: a column"),
        ("in.csv", b"id,shoe\nU1,44\n", "line 1: there is no column 'shoe'"),
        ("in.csv", b"id,name\nU1,\xff\n", "in.csv is not UTF-8"),
        ("in.csv", b'id,name\nU1,"x\n', "line 2: unexpected end of data"),
        ("in.csv", b"id\nU1,too many\n", "line 2: refused: more cells than columns"),
        ("in.json", b"{}", "line 1: a list of members is needed"),
        ("in.json", b'[\n{"id": "U1"}\n{"id": "U2"}]', "line 3: a comma or the end of the list is missing"),
        ("in.json", b'[\n{"id": U1}]', "line 2: Expecting value"),
        ("in.json", b'[{"id": "U1"}] x', "line 1: there is more after the end"),
        ("in.json", b"[" * 100_000, "line 1: "),
        ("in.json", b'[{"id": "U1", "name": "\\ud800"}]', "line 1: refused: name"),
        ("in.json", b'[{"id": "U1", "topics": ["a\\u0000b"]}]', "line 1: refused: topics: one has no letters"),
        ("in.txt", b"", "in.txt: the name has to end in .json or .csv"),
    ],
)
def test_a_file_that_cannot_be_read_ends_it_with_a_sentence(
    environment: dict[str, str], tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert people(environment, "import", file, code=2).stderr.startswith(problem)
    assert count(environment, "declarations") == 0


def test_a_dry_run_says_what_would_be_done(environment: dict[str, str], tmp_path: Path) -> None:
    people(environment, "forget", "U00000002")
    file = table(tmp_path / "in.csv", member(1), member(2), member(3, roles="", topics=""))
    said = people(environment, "import", file, "--dry-run")
    assert said.stdout == (
        "1 person would be imported; 1 left out who asked to be forgotten; 1 left out who declare nothing.\n"
    )
    assert said.stderr.splitlines() == [
        "line 2: added",
        "line 3: refused: this person asked to be forgotten",
        "line 4: refused: no role and no topic is declared in it",
    ]
    assert count(environment, "declarations") == 0
    assert people(environment, "import", file).stderr == said.stderr
    assert count(environment, "members") == 1


def test_what_a_person_declared_themself_is_kept_and_the_line_says_so(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async def declares(engine: AsyncEngine) -> None:
        people_ = SqlPeople(engine, random.Random(1))
        await people_.declare("T1", "U00000002", {"data-engineer": "lead"}, {}, datetime(2026, 3, 2, tzinfo=UTC))

    people(environment, "import", table(tmp_path / "first.csv", member(1)))
    in_database(environment["DATABASE_URL"], declares)
    file = table(tmp_path / "in.csv", member(1, topics="JAX"), member(2), member(3), member(4))
    said = people(environment, "import", file, "--dry-run")
    lines = [
        "line 2: changed: what a file said before, and this person has not confirmed, is replaced",
        "line 3: kept: this person declared or decided that themself, and a file changes nothing of it",
        "lines 4 to 5: added",
    ]
    assert said.stderr.splitlines() == lines
    done = people(environment, "import", file)
    assert done.stderr.splitlines() == lines
    assert done.stdout == "3 people were imported; 1 kept, who declared themselves.\n"
    people(environment, "export", tmp_path / "out.json")
    [own] = [one for one in json.loads((tmp_path / "out.json").read_text("utf-8")) if one["id"] == "U00000002"]
    assert (own["declared"], own["topics"]) == ([{"role": "data-engineer", "level": "lead"}], [])


def test_a_spreadsheet_takes_nothing_for_a_formula(environment: dict[str, str], tmp_path: Path) -> None:
    people(environment, "import", table(tmp_path / "in.csv", member(1, name="=1+1", title="+x", topics="-y")))
    file = tmp_path / "out.csv"
    people(environment, "export", file)
    [row] = csv.DictReader(file.read_text("utf-8").splitlines())
    assert (row["name"], row["title"], row["topics"]) == ("'=1+1", "'+x", "'-y")
    people(environment, "import", file, workspace="T2")
    people(environment, "export", tmp_path / "again.csv", workspace="T2")
    assert (tmp_path / "again.csv").read_text() == file.read_text()


def test_two_thousand_rows(environment: dict[str, str], tmp_path: Path) -> None:
    file = table(tmp_path / "in.csv", *(member(at) for at in range(2_000)))
    assert people(environment, "import", file).stdout == "2,000 people were imported.\n"
    assert (count(environment, "declarations"), count(environment, "terms")) == (6_000, 2_000)
    # Once more changes nothing.
    again = people(environment, "import", file)
    assert again.stdout == "0 people were imported; 2,000 kept, as they stand there already.\n"
    assert again.stderr == "lines 2 to 2,001: kept: it stands there already\n"
    assert (count(environment, "declarations"), count(environment, "members")) == (6_000, 2_000)


def test_one_person_is_exported_and_erased(
    environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people(environment, "import", table(tmp_path / "in.csv", member(1), member(2)))
    people(environment, "export", tmp_path / "one.json", "--person", "U00000001")
    kept = json.loads((tmp_path / "one.json").read_text("utf-8"))
    assert (kept["person"], len(kept["declarations"]), len(kept["members"])) == ("U00000001", 3, 1)
    done = people(environment, "forget", "U00000001")
    assert done.stdout.startswith("Rows deleted: 5.")
    assert "people forget: an administrator erased one person, 5 rows [workspace=T1]" in done.stderr
    assert "U00000001" not in done.output
    assert count(environment, "members") == 1


def test_bad_input_is_said_in_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    file = table(tmp_path / "in.csv", member(1))
    assert people(environment, "import", file, code=2, workspace="").stderr.startswith("Which workspace?")
    assert people(environment, "import", file, code=2, workspace="no id").stderr.startswith("--workspace:")
    assert people(environment, "forget", "no id", code=2).stderr.startswith("That is not an id")
    assert people(environment, "export", tmp_path / "x.csv", "--person", "U1", code=2).stderr.startswith("What is kept")
    assert "No such file" in people(environment, "export", tmp_path / "no" / "x.csv", code=2).stderr


async def test_the_workspace_is_that_of_the_bot_token(
    slack: LocalSlack, environment: dict[str, str], tmp_path: Path
) -> None:
    file = table(tmp_path / "in.csv", member(1))
    with_token = environment | {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
    await asyncio.to_thread(people, with_token, "import", file, workspace="")
    assert [call.method for call in slack.calls] == ["auth.test"]
    exported = await asyncio.to_thread(people, environment, "export", tmp_path / "x.json", workspace=TEAM)
    assert exported.stdout == "People exported: 1\n"
    wrong = with_token | {"SLACK_BOT_TOKEN": "xoxb-wrong"}
    refused = await asyncio.to_thread(people, wrong, "import", file, workspace="", code=2)
    assert refused.stderr.startswith("Slack refuses SLACK_BOT_TOKEN (invalid_auth)")


def test_a_database_that_is_not_there_is_made_by_an_import_alone(environment: dict[str, str], tmp_path: Path) -> None:
    new = environment | {"DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/new/new.sqlite3"}
    file = table(tmp_path / "in.csv", member(1))
    assert people(new, "export", tmp_path / "x.json", code=2).stderr.startswith("There is no database at")
    assert people(new, "import", file, "--dry-run").stdout == "1 person would be imported.\n"
    assert not (tmp_path / "new").exists()
    people(new, "import", file)
    assert count(new, "members") == 1
