"""Every answer that the knowledge can give makes a message that Slack takes, and that reads well without blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations
from typing import get_args

import pytest

from bot.local.block_kit import check_blocks, check_text
from handlers.blocks.cards import more_about
from handlers.blocks.message import Message
from handlers.blocks.people import View, ago, local_time
from handlers.blocks.render import render
from knowledge.answers import (
    Answer,
    Candidates,
    Facet,
    Help,
    NotKnown,
    RoleCard,
    Subject,
    Suggestion,
    ToolCard,
    TopicCard,
)
from knowledge.catalog import Catalog, load_catalog
from knowledge.glossaries import load_glossaries
from knowledge.guide import Guide
from knowledge.models import Role, Tool, Topic
from knowledge.people import Person, Reason
from tests.schemas.block_kit import problems

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@cache
def catalog() -> Catalog:
    return load_catalog()


def view() -> View:
    return View(NOW, catalog().roles, "T1", "https://a-workspace-with-a-long-name-indeed.enterprise.slack.com/", "U1")


def person(at: int, name: str, kind: str = "role") -> Person:
    reasons = tuple(
        Reason("role", role, "", "practitioner", NOW - timedelta(days=at))
        if kind == "role"
        else Reason("topic", role, "<" * 60, None, NOW)
        for role in catalog().roles
    )
    return Person(f"U0{at}", name, ("active", "away", "ooo")[at % 3], reasons)


PEOPLE = tuple(person(at, name) for at, name in enumerate(("<!channel>|x>", "N" * 200, "&" * 200, "")))


def check(shown: Message) -> None:
    payload = shown.payload()
    assert problems(payload["blocks"], "Blocks") == []
    assert check_blocks(payload["blocks"]) == []
    assert check_text(payload["text"]) == []
    assert 0 < len(payload["text"]) <= 4000
    drawn = json.dumps(payload["blocks"], ensure_ascii=False)
    # Slack refuses messages whose blocks are too large together; the bound is not published, 16 kB was always taken.
    assert len(drawn) < 16_000
    for text in texts(payload["blocks"]):
        assert text.count("```") % 2 == 0, text
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)
        assert len(re.findall("<https", text)) == len(re.findall(r"<https[^|<>]*\|[^|<>]*>", text)), text


def texts(thing: object) -> Iterator[str]:
    match thing:
        case {"type": "mrkdwn", "text": str(text)}:
            yield text
        case dict():
            for part in thing.values():
                yield from texts(part)
        case list():
            for part in thing:
                yield from texts(part)


def answers(entry: Role | Topic | Tool) -> Iterator[Answer]:
    roles = catalog().roles
    match entry:
        case Role():
            for facet in get_args(Facet):
                for holders in ((), PEOPLE) if facet == "summary" else ((),):
                    others = tuple(roles.values())[:2]
                    subject = Subject(roles=(entry.id,))
                    yield RoleCard(entry, facet, catalog().tools_of[entry.id], holders, others, subject, 1.0)
        case Topic():
            tools = tuple(catalog().tools[tool] for tool in entry.tools)
            yield TopicCard(entry, tuple(roles[role] for role in entry.roles), tools, Subject(), 1.0)
        case Tool():
            yield ToolCard(entry, tuple((roles[note.role], note) for note in entry.used_by), Subject(), 1.0)


def test_every_entry_and_part_of_it() -> None:
    count = 0
    for entry in catalog():
        for answer in answers(entry):
            shown = render(answer, view())
            check(shown)
            assert entry.name in shown.text
            assert "Source: " in shown.text or len(shown.text) == 4000
        if isinstance(entry, Role):
            check(more_about(entry, view()))
        count += 1
    assert count >= 160


def test_a_question_in_another_language_adds_one_line() -> None:
    glossaries = load_glossaries()
    for entry in catalog():
        for at, answer in enumerate(answers(entry)):
            language = glossaries[at % len(glossaries)].language
            plain, noticed = render(answer, view()), render(replace(answer, asked_in=language), view())
            check(noticed)
            assert noticed.text == f"I read {language.name}, and answer in English. {language.notice}\n{plain.text}"
            assert noticed.blocks[1:] == plain.blocks


def test_no_card_is_cut() -> None:
    for entry in catalog():
        for answer in answers(entry):
            if getattr(answer, "holders", ()):
                continue
            for text in texts(list(render(answer, view()).blocks)):
                assert not text.endswith("…"), (entry.id, text[-80:])


def test_every_pair_of_roles() -> None:
    guide = Guide.__new__(Guide)
    guide.catalog = catalog()
    pairs = list(combinations(catalog().roles, 2))
    assert len(pairs) == 120
    for left, right in pairs:
        compared = guide.compare(left, right)
        assert compared is not None
        check(render(compared, view()))


@pytest.mark.parametrize("people", [PEOPLE[:3], tuple(person(at, "<" * 200, "topic") for at in range(3))])
def test_suggestions_with_names_of_any_length(people: tuple[Person, ...]) -> None:
    roles = tuple(catalog().roles.values())[:3]
    for asked_for in ("MLOps", "<" * 120):
        for named, nearest in ((people, ()), ((), people), ((), ())):
            for fitting in (roles, ()):
                check(render(Suggestion(asked_for, fitting, named, nearest, Subject(), 1.0), view()))


def test_the_rest() -> None:
    entries = list(catalog())
    for at in range(0, len(entries) - 3, 3):
        check(render(Candidates(tuple(entries[at : at + 3]), Subject(), 0.4), view()))
    for occasion in ("asked", "empty", "greeting", "thanks", "compare"):
        check(render(Help(occasion), view()))
    roles = tuple(catalog().roles.values())[:1]
    check(render(NotKnown((), (), Subject(), 0.0), view()))
    check(render(NotKnown(roles, PEOPLE, Subject(), 0.0), view()))


def test_a_profile_is_linked_before_the_workspaces_address_is_known_too() -> None:
    early = View(NOW, catalog().roles, "T1")
    assert early.profile(PEOPLE[3]) == "<slack://user?team=T1&id=U03|member U03>"


@pytest.mark.parametrize(
    ("hours", "said"), [(0, "today"), (23, "today"), (24, "yesterday"), (47, "yesterday"), (48, "2 days ago")]
)
def test_how_long_ago(hours: int, said: str) -> None:
    assert ago(NOW, NOW - timedelta(hours=hours)) == said


@pytest.mark.parametrize(
    ("tz", "said"),
    [
        ("Etc/UTC", "10:40 there (UTC)"),
        ("Europe/Berlin", "12:40 there (UTC+2)"),
        ("Asia/Kolkata", "16:10 there (UTC+5:30)"),
        ("America/St_Johns", "08:10 there (UTC-2:30), outside working hours"),
        ("Asia/Tokyo", "19:40 there (UTC+9), outside working hours"),
        ("Pacific/Kiritimati", "00:40 there (UTC+14), outside working hours"),
    ],
)
def test_the_time_where_somebody_is(tz: str, said: str) -> None:
    assert local_time(datetime(2026, 5, 8, 10, 40, tzinfo=UTC), tz) == said


@pytest.mark.parametrize("tz", ["", "Nowhere/Land", "Europe", "../etc/passwd", "x" * 64, "\0"])
def test_no_time_is_told_where_the_zone_is_not_known(tz: str) -> None:
    assert local_time(NOW, tz) == ""


def test_at_the_weekend_nobody_works() -> None:
    assert local_time(datetime(2026, 5, 9, 10, tzinfo=UTC), "Etc/UTC") == "10:00 there (UTC), outside working hours"
