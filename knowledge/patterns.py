"""Regular expressions in the content files: one that can't be read is said with its place before it is used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from knowledge.content_files import each_once


def _not_blank(pattern: str) -> str:
    if not pattern.strip():
        raise ValueError("there is nothing in it")
    return pattern


Pattern = Annotated[str, AfterValidator(_not_blank)]


def any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    """Return what finds any of the patterns."""
    # Most begin at a word: said once, it is looked for once at each place.
    at_word = [pattern.removeprefix(r"\b") for pattern in patterns if pattern.startswith(r"\b")]
    anywhere = [pattern for pattern in patterns if not pattern.startswith(r"\b")]
    joined = [r"\b(?:" + "|".join(f"(?:{pattern})" for pattern in at_word) + ")"] if at_word else []
    return re.compile("|".join([*joined, *(f"(?:{pattern})" for pattern in anywhere)]))


def _joined(patterns: tuple[str, ...]) -> tuple[str, ...]:
    # Compiled as they are used, which Python remembers: alone, each would cost a start as much again.
    try:
        finds_nothing = any_of(patterns).match("")
    except re.error:
        finds_nothing = None
    else:
        if finds_nothing is None:
            return patterns
    for pattern in patterns:
        _alone(pattern)
    raise ValueError("together these are no regular expression")


def _alone(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
    if compiled.match(""):
        raise ValueError(f"{pattern!r} is found in every text")
    return compiled


def with_groups(*names: str) -> AfterValidator:
    """Return what refuses a pattern without groups of these names."""

    def check(pattern: str) -> str:
        missing = [name for name in names if name not in _alone(pattern).groupindex]
        if missing:
            raise ValueError(f"there is no group (?P<{missing[0]}>…) in it")
        return pattern

    return AfterValidator(check)


Patterns = Annotated[tuple[Pattern, ...], Field(min_length=1), AfterValidator(each_once), AfterValidator(_joined)]
"""Patterns that are looked for together."""
