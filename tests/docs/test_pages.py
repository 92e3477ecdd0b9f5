"""Commands, examples, links and paths in the documents are real."""

from __future__ import annotations

import hashlib
import re
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from bot.__main__ import main
from knowledge.models import Tool
from knowledge.people import LEVELS
from tests.docs.pages import PAGES, README, ROOT, Example, anchors, blocks, code, examples, read, rows, section, spoken

RUN = "python -m bot "
EXAMPLES = [(page.name, example) for page in PAGES for example in examples(page)]
ANSWERED = [(name, example) for name, example in EXAMPLES if re.search(rf"{RUN}(ask|check|suggest)\b", example.command)]
TARGETS = re.findall(r"^([a-z]+):", read(ROOT / "Makefile"), re.MULTILINE)


@pytest.mark.parametrize(("name", "example"), ANSWERED, ids=[f"{name}: {item.command}" for name, item in ANSWERED])
def test_an_example_prints_what_the_page_shows(name: str, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    typed, _, command = example.command.rpartition(" | ")
    arguments = shlex.split(command.removeprefix(".venv/bin/").removeprefix(RUN))
    # The left side of a pipe is always an echo of one line.
    result = CliRunner().invoke(main, arguments, input=shlex.split(typed)[1] + "\n" if typed else None)
    assert result.exit_code == 0, result.output
    assert spoken(example.shown).fullmatch(result.stdout), result.stdout


def test_readme_shows_answers_of_the_bot() -> None:
    assert {"README.md"} <= {name for name, example in ANSWERED if example.shown}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_targets_of_make_that_are_mentioned_exist(page: Path) -> None:
    mentioned = set(re.findall(r"(?:`|^\$ )make ([a-z]+)", read(page), re.MULTILINE))
    assert sorted(mentioned - set(TARGETS)) == []


def test_contributing_lists_every_target_of_make() -> None:
    shown = [code(row[0])[0].removeprefix("make ") for row in rows(read(ROOT / "CONTRIBUTING.md"))]
    assert sorted(shown) == sorted(TARGETS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_the_bot_that_are_mentioned_exist(page: Path) -> None:
    mentioned = set(re.findall(rf"{RUN}([a-z]+)", read(page)))
    assert sorted(mentioned - set(main.commands)) == []


def test_the_command_line_page_names_every_command_and_option() -> None:
    page = read(ROOT / "docs" / "command-line.md")
    options = [option for command in main.commands.values() for given in command.params for option in given.opts]
    named = [*main.commands, *(option for option in options if option.startswith("--"))]
    assert sorted(name for name in named if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", read(page)) if not link.startswith("http")]
    files = {link.partition("#")[0] for link in links} - {""}
    assert sorted(link for link in files if not (page.parent / link).exists()) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_sections_lead_to_a_heading(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)\s]+#[^)\s]+)\)", read(page)) if not link.startswith("http")]
    missing = []
    for link in links:
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if target.suffix == ".md" and anchor not in anchors(target):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_that_are_mentioned_exist(page: Path) -> None:
    # <id> stands for the name of any entry.
    spans = [span for span in code(read(page)) if re.fullmatch(r"\.?[\w./-]+/[\w./-]*", span)]
    here = [span for span in spans if span.split("/")[0] in {path.name for path in ROOT.iterdir()}]
    assert sorted(path for path in set(here) if not (ROOT / path).exists()) == []


def test_the_readme_links_every_page() -> None:
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in read(README)]
    assert missing == []


def test_every_runtime_dependency_is_explained() -> None:
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    needed = [re.split(r"[\[>=]", dependency)[0] for dependency in project["dependencies"]]
    shown = [code(row[0])[0] for row in rows(section(ROOT / "docs" / "dependencies.md", "At run time"))]
    assert sorted(shown) == sorted(needed)


def test_the_new_entry_of_the_knowledge_page_fits_the_model() -> None:
    (entry,) = [
        Tool.model_validate(data, strict=False)
        for block in blocks(read(ROOT / "docs" / "knowledge.md"), "yaml")
        if "kind" in (data := yaml.safe_load(block))
    ]
    assert entry.used_by


def test_the_levels_are_explained() -> None:
    shown = [code(row[0])[0] for row in rows(section(ROOT / "docs" / "people.md", "Declaring"))]
    assert tuple(shown) == LEVELS


def test_the_architecture_names_every_module() -> None:
    page = read(ROOT / "docs" / "architecture.md")
    modules = [path for package in ("bot", "handlers", "knowledge", "storage") for path in (ROOT / package).iterdir()]
    named = [f"{path.name}/" if path.is_dir() else path.name for path in modules if not path.name.startswith("__")]
    assert sorted(name for name in named if not re.search(rf"(?<![\w.]){re.escape(name)}", page)) == []


def test_what_is_taken_over_is_named_and_has_its_licence_beside_it() -> None:
    table = rows(section(ROOT / "docs" / "dependencies.md", "Taken over"))
    named = [ROOT / code(row[0])[0] for row in table]
    vendored = {file for file in (ROOT / "bot/local/page/vendor").iterdir() if file.suffix != ".LICENSE"}
    assert vendored <= set(named)
    for file in named:
        notice = read(file.with_suffix(".LICENSE"))
        assert file.name in notice
        permits = ("Permission is hereby granted, free of charge", "Apache License", "Permission to use, copy, modify")
        assert any(words in notice for words in permits)
        if file in vendored:
            assert hashlib.sha256(file.read_bytes()).hexdigest() in notice
