"""Answer questions without Slack: for the command line, for scripts and for the evaluation."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Container, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from handlers.blocks.people import View
from handlers.blocks.render import render
from knowledge.answers import (
    Answer,
    Candidates,
    Comparison,
    Help,
    NotKnown,
    Pair,
    RoleCard,
    Suggestion,
    TeamCard,
    ToolCard,
    TopicCard,
)
from knowledge.conversation import Conversation
from knowledge.guide import Guide, Question, load_guide
from knowledge.people import Member
from knowledge.people_rows import TeamMember as TeamMember
from knowledge.ports import People
from knowledge.rows import BadLine as BadLine
from storage.database import migrate, open_engine
from storage.keys import Keys, new_key
from storage.people import SqlPeople
from storage.threads import SqlThreads

WORKSPACE = "TBATCH"


class Line(BaseModel):
    """Hold one line of ``ask --batch``."""

    model_config = ConfigDict(extra="ignore")

    text: str
    via: Literal["command", "mention", "dm"] = "mention"
    turns: list[str] = []
    asker: str | None = None


class Reply(BaseModel):
    """Hold one line of output."""

    kind: Literal["card", "compare", "people", "suggestions", "help", "none", "plan"]
    roles: list[str] = []
    topics: list[str] = []
    tools: list[str] = []
    facet: str | None = None
    people: list[str] = []
    nearest: list[str] = []
    confidence: float = Field(ge=0, le=1)
    text: str


def reply(answer: Answer, view: View) -> Reply:
    """Say in ids what an answer holds, with the whole reply as plain text."""
    subject = answer.subject
    common: dict[str, Any] = {
        "roles": list(subject.roles),
        "topics": list(subject.topics),
        "tools": list(subject.tools),
        "confidence": round(max(0.0, min(1.0, answer.confidence)), 3),
        "text": render(answer, view).text,
    }
    match answer:
        case RoleCard() | TopicCard() | ToolCard() | TeamCard():
            return Reply(kind="card", facet=answer.facet, **common)
        case Comparison() | Pair():
            return Reply(kind="compare", facet="compare", **common)
        case Suggestion():
            people, nearest = ([person.user for person in found] for found in (answer.people, answer.nearest))
            return Reply(kind="people", facet="people", people=people, nearest=nearest, **common)
        case Candidates():
            return Reply(kind="suggestions", **common)
        case Help():
            return Reply(kind="help", **common)
        case NotKnown():
            return Reply(kind="none", **common)
        case _:
            assert_never(answer)


@asynccontextmanager
async def temporary_guide(team: Path | None = None) -> AsyncIterator[Guide]:
    """Give a guide over an empty, temporary database; ``team`` is a JSON file of members that fills it."""
    now = datetime.now(UTC)
    with TemporaryDirectory() as folder:
        engine = open_engine(f"sqlite+aiosqlite:///{Path(folder) / 'ask.sqlite3'}", Keys([new_key()]))
        try:
            await migrate(engine)
            people = SqlPeople(engine, random.Random(0))  # noqa: S311 - decides between equals, not a secret
            guide = load_guide(people, SqlThreads(engine), lambda: now)
            if team:
                await fill(people, guide, WORKSPACE, read_team(team, guide.catalog.roles), now)
            yield guide
        finally:
            await engine.dispose()


def read_team(file: Path, roles: Container[str]) -> list[TeamMember]:
    """Read a team file. Raises BadLine, with the place in it, where it does not fit or names an unknown role."""
    try:
        members = TypeAdapter(list[TeamMember]).validate_json(file.read_bytes())
    except OSError as error:
        raise BadLine(f"{file.name}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadLine(f"{file.name}: {f'{where}: ' if where else ''}{first['msg']}") from error
    for number, member in enumerate(members):
        for place, row in enumerate(member.declared):
            if row.role not in roles:
                raise BadLine(f"{file.name}: {number}.declared.{place}.role: there is no role {row.role!r}")
    return members


async def fill(people: People, guide: Guide, workspace: str, members: Iterable[TeamMember], now: datetime) -> None:
    """Write members and what they declared into a workspace."""
    for entry in members:
        topics = {guide.topic_key(topic): topic for topic in entry.topics}
        await people.declare(workspace, entry.id, {row.role: row.level for row in entry.declared}, topics, now)
        member = Member(entry.id, entry.name, entry.title, entry.tz, entry.status, entry.bot, entry.guest)
        await people.remember(workspace, member, now)


def read_lines(source: Iterable[str]) -> Iterator[Line]:
    """Read JSON Lines; blank ones are passed over. Raises BadLine with the number of the first bad one."""
    for number, text in enumerate(source, 1):
        if not text.strip():
            continue
        try:
            yield Line.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BadLine(f"line {number}: {f'{where}: ' if where else ''}{first['msg']}") from error


async def answer_line(guide: Guide, line: Line, number: int = 0) -> Reply:
    """Answer one line, after its earlier turns."""
    conversation = Conversation("CBATCH", str(number)) if line.turns else None
    for turn in line.turns:
        await guide.ask(Question(WORKSPACE, spoken(turn), line.via, line.asker, conversation))
    answer = await guide.ask(Question(WORKSPACE, spoken(line.text), line.via, line.asker, conversation))
    return reply(answer, View(datetime.now(UTC), guide.catalog.roles, local_times=False))


def spoken(text: str) -> str:
    """Drop the leading ``<@U…>``, ``@genai-role`` or ``/genai-role`` by which the bot was called."""
    text = text.strip()
    while True:
        if text.startswith("<@") and ">" in text:
            text = text[text.index(">") + 1 :].lstrip(" ,:")
        elif text.casefold().startswith(("@genai-role", "/genai-role")):
            rest = text[1:].split(None, 1)
            text = rest[1] if len(rest) > 1 else ""
        else:
            return text


def as_json(found: Reply) -> str:
    """Return the reply as one line of JSON."""
    return json.dumps(found.model_dump(), ensure_ascii=False)


async def answer_batch(source: Iterable[str], write: Callable[[Reply], None], team: Path | None) -> None:
    """Answer every line of JSON in order. Raises BadLine at the first that does not fit."""
    async with temporary_guide(team) as guide:
        for number, line in enumerate(read_lines(source), 1):
            write(await answer_line(guide, line, number))


async def answer_one(text: str, team: Path | None) -> Reply:
    """Answer one question."""
    async with temporary_guide(team) as guide:
        return await answer_line(guide, Line(text=text))
