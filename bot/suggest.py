"""Propose roles for profile titles: for the command line, for scripts and for the evaluation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.ask import BadLine
from knowledge.catalog import load_catalog
from knowledge.titles import load_titles


class Line(BaseModel):
    """Hold one line of ``suggest --batch``."""

    model_config = ConfigDict(extra="ignore")

    title: str


def read_titles(source: Iterable[str]) -> Iterator[str]:
    """Read JSON Lines; blank ones are passed over. Raises BadLine with the number of the first bad one."""
    for number, text in enumerate(source, 1):
        if not text.strip():
            continue
        try:
            yield Line.model_validate_json(text).title
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadLine(f"line {number}: {f'{where}: ' if where else ''}{first['msg']}") from error


def suggest(titles: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Give the ids of the roles that each title suggests, best first."""
    known = load_titles(load_catalog())
    return (known.roles(title) for title in titles)


def as_json(roles: Iterable[str]) -> str:
    """Return what a title suggests as one line of JSON."""
    return json.dumps({"roles": list(roles)})
