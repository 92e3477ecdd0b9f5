"""What the README lists is what there is."""

from __future__ import annotations

import re

from bot.__main__ import main
from bot.ask import Line, answer_line, temporary_guide
from bot.settings import Settings
from handlers import ids
from handlers.personal import verb_in
from handlers.settings import COMMAND as SETTINGS
from tests.docs.pages import README, ROOT, code, read, rows, section


def settings_shown() -> dict[str, list[str]]:
    return {code(row[0])[0]: row for row in rows(section(README, "Settings"))}


def test_every_setting_is_in_the_table() -> None:
    assert list(settings_shown()) == [name.upper() for name in Settings.model_fields]


def test_the_table_shows_the_defaults() -> None:
    shown = settings_shown()
    for name, field in Settings.model_fields.items():
        if field.default not in (None, ""):
            assert code(shown[name.upper()][1]) == [str(field.default)]


def test_env_example_names_every_setting_and_sets_none() -> None:
    lines = [line for line in read(ROOT / ".env.example").splitlines() if line]
    assert all(line.startswith("#") for line in lines)
    names = re.findall(r"^#([A-Z_]+)=", "\n".join(lines), re.MULTILINE)
    assert names == [name.upper() for name in Settings.model_fields]


def test_every_command_of_the_command_line_is_in_the_table() -> None:
    shown = [code(row[0])[0].split()[0] for row in rows(section(README, "Command line"))]
    assert sorted(set(shown)) == sorted(main.commands)


def test_every_option_of_ask_is_in_the_table() -> None:
    shown = " ".join(row[0] for row in rows(section(README, "Command line")))
    options = [option for parameter in main.commands["ask"].params for option in parameter.opts if option[0] == "-"]
    assert [option for option in options if option not in shown] == []


def slash_commands_shown() -> list[str]:
    typed = [code(row[0])[0] for row in rows(section(README, "In Slack"))]
    return [text.removeprefix(ids.COMMAND).strip() for text in typed]


def test_every_personal_command_is_in_the_table() -> None:
    assert {verb for text in slash_commands_shown() if (verb := verb_in(text))} == {"me", "my data", "forget me"}


async def test_what_the_table_types_is_understood() -> None:
    asked = [text for text in slash_commands_shown() if verb_in(text) is None and text != SETTINGS]
    async with temporary_guide() as guide:
        kinds = {text: (await answer_line(guide, Line(text=text, via="command"))).kind for text in asked}
    assert {text: kind for text, kind in kinds.items() if kind in ("none", "suggestions")} == {}
    assert {"card", "compare", "people", "help"} == set(kinds.values())
