"""The bundled content, read once for all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache

import pytest

from bot import ask, audit, entries_file, insights, people_file, suggest
from knowledge.catalog import load_catalog
from knowledge.guide import Guide
from knowledge.index import Index, load_index, load_translator
from knowledge.languages import Translator
from knowledge.ports import People, TeamKnowledge, Threads

CATALOG = load_catalog()
COMMANDS = (ask, audit, entries_file, insights, people_file, suggest)


@cache
def index() -> Index:
    """What reads questions over it; made where it is asked for first, as few tests need it."""
    return load_index(CATALOG)


@cache
def translator() -> Translator:
    return load_translator(index().matcher)


def guide(people: People, threads: Threads, now: Callable[[], datetime], team: TeamKnowledge | None = None) -> Guide:
    """The guide over it, as knowledge.guide.load_guide makes it."""
    return Guide(CATALOG, index(), people, threads, now, translator(), team)


@contextmanager
def commands_read_it_once() -> Iterator[None]:
    """Have commands of the bot take what was read: a process runs one of them, a test runs many."""
    read = {
        "load_catalog": lambda: CATALOG,
        "load_matcher": lambda _catalog: index().matcher,
        "load_index": lambda _catalog: index(),
        "load_guide": guide,
    }
    with pytest.MonkeyPatch.context() as patch:
        for command in COMMANDS:
            for name in read.keys() & vars(command).keys():
                patch.setattr(command, name, read[name])
        yield
