"""The glossaries: the words of other languages with their English; content/languages/*.yaml, one file a language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from knowledge.content_files import bundled, read_yaml
from knowledge.errors import ContentError
from knowledge.text import WORD

_LINE = re.compile(rf"({WORD}(?: {WORD})*): (\S.*)")
_OPTIONAL = "also_english"
_FIELDS = {"name", "notice", "phrases", _OPTIONAL}


@dataclass(frozen=True)
class Language:
    """Name a language; ``notice`` says in it that it is read, and that answers are in English."""

    code: str
    name: str
    notice: str


@dataclass(frozen=True)
class Glossary:
    """Hold the words of one language: phrases with their English, and words that do not tell it from English."""

    language: Language
    phrases: Mapping[str, str]
    also_english: frozenset[str]


def load_glossaries(content: Traversable | None = None) -> tuple[Glossary, ...]:
    """Read all glossaries.

    Raises ContentError with every problem found, not only the first.
    """
    root = content or bundled()
    problems: list[str] = []
    found = []
    for file in sorted((root / "languages").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            where = f"languages/{file.name}"
            before = len(problems)
            parsed = read_yaml(file, where, problems)
            if len(problems) == before:
                found.append(_glossary(file.name.removesuffix(".yaml"), parsed, where, problems))
    if problems:
        raise ContentError(problems)
    return tuple(found)


def _glossary(code: str, parsed: object, where: str, problems: list[str]) -> Glossary:
    fields: dict[str, object] = parsed if isinstance(parsed, dict) else {}
    problems.extend(f"{where}: {field}: unknown" for field in fields if field not in _FIELDS)
    texts = dict.fromkeys(_FIELDS, "")
    for field in sorted(_FIELDS):
        text = fields.get(field, "" if field == _OPTIONAL else None)
        if isinstance(text, str) and (text.strip() or field == _OPTIONAL):
            texts[field] = text
        else:
            problems.append(f"{where}: {field}: a text is needed")
    phrases: dict[str, str] = {}
    for line in _comparable(texts["phrases"]).splitlines():
        read = _LINE.fullmatch(line)
        if read is not None:
            phrase, english = read.groups()
            if phrase in phrases:
                problems.append(f"{where}: phrases: {phrase!r} stands there twice")
            phrases[phrase] = english
        elif line and not line.startswith("#"):
            problems.append(f"{where}: phrases: {line!r} is not 'phrase: english', with no sign in the phrase")
    also_english = frozenset(_comparable(texts["also_english"]).split())
    return Glossary(Language(code, texts["name"], texts["notice"]), phrases, also_english)


def _comparable(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
