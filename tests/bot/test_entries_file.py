"""`python -m bot entries …`: what a workspace knows, from files and into them; what each line does, said beforehand."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from knowledge.team import Alias, Known, TeamEntry, published
from storage.database import open_engine
from storage.team_entries import SqlTeamEntries
from tests.databases import BOTH, KEY, KEYS

ROWS: list[dict[str, object]] = [
    {"name": "GPU quota", "question": "How do I get more?", "answer": "=Ask; FinOps", "roles": ["data-engineer"]},
    {"name": "Falcon", "names": ["The bird"], "roles": ["data-engineer"], "topics": ["Feast", "k8s"]},
    {"name": "Orakel", "alias_of": "mlops-engineer"},
]


@pytest.fixture(params=BOTH)
def environment(request: pytest.FixtureRequest, environment: dict[str, str], empty_database: Path) -> dict[str, str]:
    """The environment with a database at head, without rows, of each kind."""
    if request.param == "sqlite":
        shutil.copy(empty_database, environment["DATABASE_URL"].partition(":///")[2])
        return environment | {"ENCRYPTION_KEYS": KEY}
    return {"DATABASE_URL": request.getfixturevalue("postgres"), "ENCRYPTION_KEYS": KEY}


def entries(environment: dict[str, str], *arguments: object, code: int = 0, workspace: str = "T1") -> Result:
    result = CliRunner().invoke(main, ["entries", *map(str, arguments), "--workspace", workspace], env=environment)
    assert result.exit_code == code, result.output
    return result


def known(environment: dict[str, str], workspace: str = "T1") -> Known:
    async def run() -> Known:
        engine = open_engine(environment["DATABASE_URL"], KEYS)
        try:
            return await SqlTeamEntries(engine).known(workspace)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def written(file: Path, rows: object) -> Path:
    file.write_text(json.dumps(rows), "utf-8")
    return file


@pytest.mark.parametrize("form", ["json", "csv"])
def test_what_is_imported_comes_out_the_same(environment: dict[str, str], tmp_path: Path, form: str) -> None:
    file = written(tmp_path / "in.json", ROWS)
    assert entries(environment, "import", file).stdout == "3 were added, 0 were changed; 0 stay as they are.\n"
    out = tmp_path / f"out.{form}"
    assert entries(environment, "export", out).stdout == "Rows exported: 3\n"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    # Into the same workspace it changes nothing; another one gets entries of its own.
    assert entries(environment, "import", out).stdout == "0 were added, 0 were changed; 3 stay as they are.\n"
    assert entries(environment, "import", out, workspace="T2").stdout.startswith("3 were added")
    assert not {one.id for one in known(environment).entries} & {one.id for one in known(environment, "T2").entries}
    first, second = known(environment), known(environment, "T2")
    told = [
        [(one.name, one.names, one.question, one.answer, one.roles, one.topics, one.state) for one in team.entries]
        for team in (first, second)
    ]
    assert told[0] == told[1]
    assert [(one.name, one.entry_id) for one in second.aliases] == [("Orakel", "mlops-engineer")]


def test_a_dry_run_says_what_each_line_would_do_and_writes_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    entries(environment, "import", written(tmp_path / "in.json", ROWS[:1]))
    before = known(environment)
    rows = [{**ROWS[0], "answer": "Ask somebody."}, *ROWS[1:]]
    told = entries(environment, "import", written(tmp_path / "in.json", rows), "--dry-run")
    lines = ["changed: the entry “GPU quota”", "added: new entry “Falcon”", "added: new word “Orakel”"]
    assert told.stderr.splitlines() == [f"line 1: {line}" for line in lines]
    said, _, mark = told.stdout.partition("\nTo write that and nothing else: --checked ")
    assert said == "2 would be added, 1 would be changed; 0 stay as they are." and len(mark.split()) == 1
    assert known(environment) == before
    # And so does the import itself.
    done = entries(environment, "import", tmp_path / "in.json")
    assert done.stderr == told.stderr
    again = entries(environment, "import", tmp_path / "in.json")
    assert [line.partition(": ")[2].partition(":")[0] for line in again.stderr.splitlines()] == ["kept"] * 3


def test_an_import_that_is_held_to_a_dry_run_writes_that_and_nothing_else(
    environment: dict[str, str], tmp_path: Path
) -> None:
    entries(environment, "import", written(tmp_path / "in.json", ROWS[:1]))
    file = written(tmp_path / "in.json", [{**ROWS[0], "answer": "Ask me."}, *ROWS[1:]])

    def dry_run() -> str:
        return entries(environment, "import", file, "--dry-run").stdout.split()[-1]

    before = dry_run()
    # Somebody changes on their Home tab what the file would replace: the line says the same as before.
    theirs = written(tmp_path / "theirs.json", [{**ROWS[0], "answer": "Ask Ann."}])
    entries(environment, "import", theirs)
    refused = entries(environment, "import", file, "--checked", before, code=2)
    assert "changed: the entry “GPU quota”" in refused.stderr
    assert refused.stderr.splitlines()[-1].startswith("That is not what the dry run said: the file or the")
    assert [one.answer for one in known(environment).entries] == ["Ask Ann."]
    again = dry_run()
    other = written(tmp_path / "other.json", [{**ROWS[0], "answer": "Ask Ben."}, *ROWS[1:]])
    entries(environment, "import", other, "--checked", again, code=2)
    assert [one.answer for one in known(environment).entries] == ["Ask Ann."]
    assert entries(environment, "import", file, "--checked", again).stdout.startswith("2 were added, 1 were changed")
    assert "--checked" not in entries(environment, "import", file, "--dry-run").stdout


def test_a_dry_run_of_one_workspace_holds_for_no_other(environment: dict[str, str], tmp_path: Path) -> None:
    file = written(tmp_path / "in.json", ROWS)
    mark = entries(environment, "import", file, "--dry-run").stdout.split()[-1]
    # Both are empty: all that the file would do there is the same.
    refused = entries(environment, "import", file, "--checked", mark, workspace="T2", code=2)
    assert refused.stderr.splitlines()[-1].startswith("That is not what the dry run said: the file or the workspace is")
    assert known(environment, "T2") == Known()
    assert entries(environment, "import", file, "--checked", mark).stdout.startswith("3 were added")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"name": ""}, "name: A name is needed"),
        ({"answer": "x"}, "name: missing"),
        ({"name": "A", "answer": "x", "roles": ["wizard"]}, "roles: There is no role 'wizard'."),
        ({"name": "Apple"}, "roles: Without an answer, say at least whose field it is."),
        ({"name": "Apple", "answer": "x" * 2501}, "answer: That is 2,501 letters; at most 2,500 fit."),
        ({"name": "Apple", "answer": "x", "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"name": "Apple", "answer": "x", "state": "great"}, "state: Input should be 'proposed', 'published' or"),
        ({"name": "Kubernetes", "alias_of": "mlops-engineer"}, "name: That names Kubernetes already."),
        ({"name": "k8s", "alias_of": "mlops-engineer"}, "name: That names Kubernetes already."),
        ({"name": "the team", "alias_of": "mlops-engineer"}, "name: That word stands in too many questions"),
        ({"name": "Pythia", "alias_of": "team-1"}, "alias_of: Choose what the word stands for"),
        ({"name": "Pythia", "alias_of": "mlops-engineer", "answer": "x"}, "alias_of: a word has nothing but its name"),
        ({"name": "Known", "answer": "Once more."}, "it stands in the file twice"),
        ({"name": "Another", "names": ["known"], "answer": "x"}, "names: Your team's entry “Known” has the name"),
        ({"name": "Another", "question": "Which is KNOWN?", "answer": "x"}, "question: “Known” answers that question"),
        ({"name": "nul\0", "answer": "x"}, "name: A sign in it is no text."),
        (["x"], "not an entry"),
    ],
)
def test_a_line_that_cannot_be_used_is_told_and_nothing_is_written(
    environment: dict[str, str], tmp_path: Path, row: object, said: str
) -> None:
    good = {"name": "Known", "question": "Which is known?", "answer": "This."}
    result = entries(environment, "import", written(tmp_path / "in.json", [good, row]), code=2)
    assert said in result.stderr
    assert "1 line can't be used, and nothing was written." in result.stderr
    assert known(environment) == Known()


def test_an_import_says_who_did_it_and_shows_nobody_as_the_author(environment: dict[str, str], tmp_path: Path) -> None:
    entries(environment, "import", written(tmp_path / "in.json", ROWS))
    assert {(one.written_by, one.shown_author, one.source) for one in known(environment).entries} == {
        ("", "", "imported")
    }


LATER = datetime(2040, 1, 2, 3, 4, tzinfo=UTC)


def row_by_row(file: Path, rows: list[dict[str, object]]) -> Path:
    file.write_text("[" + ",\n".join(map(json.dumps, rows)) + "]", "utf-8")
    return file


def edits_meanwhile(patch: pytest.MonkeyPatch, entries: list[TeamEntry], aliases: list[Alias] | None = None) -> None:
    """Let a curator save these between the reading of an import and its writing."""
    save, first = SqlTeamEntries.save, [(entries, aliases or [])]

    async def after_another(team: SqlTeamEntries, *arguments: Any, **more: Any) -> bool:
        if first:
            await save(team, "T1", *first.pop())
        return await save(team, *arguments, **more)

    patch.setattr(SqlTeamEntries, "save", after_another)


def test_what_a_curator_changes_while_an_import_runs_is_not_overwritten(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries(environment, "import", row_by_row(tmp_path / "in.json", ROWS))
    there = {one.name: one for one in known(environment).entries}
    file = row_by_row(
        tmp_path / "in.json", [{**ROWS[0], "answer": "Ask me."}, ROWS[1], {"name": "Owl", "answer": "A bird"}]
    )
    edit = published(replace(there["GPU quota"], answer="Ask Ann.", written_by="UANN"), LATER)
    # What this file would leave as it is, it would write over now.
    other = published(replace(there["Falcon"], answer="A store."), LATER)
    edits_meanwhile(monkeypatch, [edit, other])
    told = entries(environment, "import", file, code=2)
    at = "at 2040-01-02 03:04 UTC"
    assert told.stderr.splitlines()[3:] == [
        f"line 1: changed meanwhile by UANN {at}: look at the entry “GPU quota” and import again",
        f"line 2: changed meanwhile {at}: look at the entry “Falcon” and import again",
        "What 2 lines would replace changed meanwhile, and nothing was written.",
    ]
    assert {one.answer for one in known(environment).entries} == {"Ask Ann.", "A store."}
    assert entries(environment, "import", file).stdout == "1 were added, 2 were changed; 0 stay as they are.\n"
    assert {one.answer for one in known(environment).entries} == {"Ask me.", "", "A bird"}


def test_what_is_added_while_an_import_runs_is_added_once(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heron, falcon = (TeamEntry(f"team-{at}", name, answer="x") for at, name in enumerate(("Heron", "Falcon")))
    added = [published(one, LATER) for one in (heron, falcon)]
    edits_meanwhile(monkeypatch, added, [Alias("orakel", "data-engineer", "UBEN", LATER)])
    told = entries(environment, "import", row_by_row(tmp_path / "in.json", ROWS), code=2)
    at = "at 2040-01-02 03:04 UTC"
    assert told.stderr.splitlines()[3:] == [
        f"line 2: changed meanwhile {at}: look at the entry “Falcon” and import again",
        f"line 3: changed meanwhile by UBEN {at}: look at the word “Orakel” and import again",
        "What 2 lines would replace changed meanwhile, and nothing was written.",
    ]
    assert [one.name for one in known(environment).entries] == ["Falcon", "Heron"]
    # Of what is no business of the file nothing is said.
    edits_meanwhile(monkeypatch, [published(TeamEntry("team-owl", "Owl", answer="y"), LATER)])
    assert entries(environment, "import", tmp_path / "in.json").stdout.startswith("1 were added, 2 were changed")
    assert [one.name for one in known(environment).entries] == ["Falcon", "GPU quota", "Heron", "Owl"]


def test_a_name_that_is_taken_while_an_import_runs_is_not_given_twice(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits_meanwhile(monkeypatch, [published(TeamEntry("team-1", "Owl", ("The bird",), answer="x"), LATER)])
    told = entries(environment, "import", row_by_row(tmp_path / "in.json", ROWS), code=2)
    assert told.stderr.splitlines()[3:] == [
        "line 2: refused: names: Your team's entry “Owl” has the name “The bird” already.",
        "1 line can't be used, and nothing was written. Mend the file.",
    ]
    assert [one.name for one in known(environment).entries] == ["Owl"]
