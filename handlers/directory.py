"""The directory on the Home tab: who declared what, filtered, searched, and page by page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import payloads
from handlers.blocks import directory as blocks
from handlers.blocks.message import Block, option
from handlers.blocks.people import View
from handlers.members import LookUps
from handlers.permissions import Standings, may
from handlers.places import Place
from knowledge.directory import At, Wanted, name_key
from knowledge.guide import Guide
from knowledge.ports import Directory, People

PAGE = 10


def turned(place: Place, control: str, value: str) -> Place:
    """Return where a control of the directory leads; another filter begins at the first page."""
    first = replace(place, name="", user="", back="")
    match control:
        case "role":
            return replace(first, role="" if value == blocks.ALL_ROLES else value)
        case "topic":
            return replace(first, topic=value)
        case "search":
            return replace(first, typed=value.strip())
        case "clear":
            return place.anew("directory")
        case "next" | "back":
            at = _at(value)
            return first if at is None else replace(place, name=at.name, user=at.user, back="y" * (control == "back"))
        case _:
            return first


def _at(value: str) -> At | None:
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        return None
    match held:
        case [str(name), str(user)] if name.isprintable() and user.isprintable():
            return At(name, user)
        case _:
            return None


async def draw(
    guide: Guide, people: People, directory: Directory, look_up: LookUps, workspace: str, place: Place, view: View
) -> list[Block]:
    """Read the page of the directory that a person is at, look up who stands on it, and draw it."""
    topics: list[str] = []
    if place.typed:
        # What has no words in it begins every topic.
        start = guide.topic_start(place.typed)
        begun = await people.topics_from(workspace, start) if start else ()
        topics = list(dict.fromkeys([guide.topic_key(place.typed), *begun]))
    wanted = Wanted(place.role, place.topic, name_key(place.typed), tuple(filter(None, topics)))
    if not wanted.searches:
        place = replace(place, typed="")
    at = At(place.name, place.user) if place.name and place.user else None
    page = await directory.page(workspace, wanted, PAGE, at, back=bool(place.back))
    while await look_up([entry.at.user for entry in page.entries]):
        page = await directory.page(workspace, wanted, PAGE, at, back=bool(place.back))
    counts = await directory.counts(workspace, list(view.roles))
    spelled = await _spelled(guide, people, workspace, [place.topic]) if place.topic else {}
    entry_id = place.topic or place.role
    ask_about = entry_id if entry_id and await guide.subject_of(workspace, entry_id) else ""
    return blocks.directory(page, counts, place, view, spelled.get(place.topic, ""), ask_about)


async def _spelled(guide: Guide, people: People, workspace: str, keys: Sequence[str]) -> dict[str, str]:
    theirs = await people.spellings(workspace, keys, "")
    return {key: guide.spelled(key, key, theirs.get(key)) for key in keys}


async def offer_topics(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    guide: Guide,
    people: People,
    standings: Standings,
) -> None:
    """Offer topics that somebody declared and that begin as was typed, to whoever may see the directory."""
    search = payloads.search(body)
    options: list[Block] = []
    if may(await standings.of(client, search.actor), "see the directory"):
        keys = await people.topics_from(search.actor.workspace, guide.topic_start(search.typed))
        spelled = await _spelled(guide, people, search.actor.workspace, keys)
        options = [option(words, key) for key, words in spelled.items()]
    await ack(options=options)
