"""Conversations as tables: tests/dialogs/*.yaml, each said through the guide as `ask --batch` says it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.ask import Line, answer_line, temporary_guide

HERE = Path(__file__).parent
TEAM = HERE / "evals" / "development" / "team.json"
DIALOGS = [
    pytest.param(dialog, id=f"{file.stem}: {dialog['title']}")
    for file in sorted((HERE / "dialogs").glob("*.yaml"))
    for dialog in yaml.safe_load(file.read_text("utf-8"))
]


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_dialog(dialog: dict[str, Any]) -> None:
    before: list[str] = []
    async with temporary_guide(TEAM if dialog.get("team") else None) as guide:
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
