"""Every statement that a request or a sweep runs finds its rows by an index, with thousands of rows there."""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import event, insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.answers import Subject
from knowledge.asking import Change, Delivery, Details, DueDelivery, change
from knowledge.directory import At, Wanted
from knowledge.feedback import Asked
from knowledge.freshness import Due
from knowledge.people import Listed, Member
from knowledge.team import Alias, TeamEntry
from knowledge.workspaces import Settings
from storage.ask_deliveries import SqlDeliveries
from storage.asks import SqlAsks
from storage.bulk import SqlPeopleInBulk
from storage.database import plan_once
from storage.directory import SqlDirectory
from storage.feedback import KEEP as KEEP_QUESTIONS
from storage.feedback import SqlFeedback
from storage.forgetting import KEEP_LEFT
from storage.freshness import SqlFreshness
from storage.inbox import KEEP, LEASE, Event, SqlInbox
from storage.installations import Installation, SqlInstallations
from storage.looking_up import SqlToLookUp
from storage.moments import NEVER
from storage.namings import prune_namings
from storage.people import SqlPeople
from storage.removals import SqlRemovals
from storage.tables import (
    ask_deliveries,
    ask_paces,
    ask_people,
    asked,
    asks,
    audit,
    curators,
    declarations,
    forgettings,
    forgotten,
    inbox,
    installations,
    keepings,
    listings,
    members,
    metadata,
    namings,
    place_of,
    removals,
    secrets,
    settings,
    team_aliases,
    team_entries,
    team_versions,
    terms,
    threads,
    used_states,
    vacated,
    verifications,
)
from storage.team_entries import SqlTeamEntries
from storage.threads import SqlThreads
from storage.underway import KEEP as KEEP_MOMENTS
from storage.underway import forgotten_after, prune_forgettings, underway_since
from storage.workspaces import SqlWorkspaces
from tests.asks import new_ask
from tests.databases import KEYS
from tests.storage.conftest import NOW

ROWS = 5_000
MINUTE = timedelta(minutes=1)
MLOPS, DATA = "mlops-engineer", "data-engineer"
SENT = Event("T1", "Ev04990", "{}", "C1", "4990", "U04990")
NEW = Member("U-new", "Ben")
RATED = Asked("0017", "card", (MLOPS,), 0.9, "what is mlops")
SETTINGS = Settings(question_days=4_900, curators=("U00002",))
FALCON = TeamEntry("team-1", "Falcon")
MIDDLE = At("u02500", "U02500")
DUE = Due("T1", "U00002", "UTC", NOW, 0)
ASKED = new_ask("ask00001", "U00001", asked="U00001")
ANSWERED = change(ASKED, "answer", NOW, timedelta(days=30), Details(actor="U00001", text="words", source="1"))
SENDING = DueDelivery("T1", "ask00001", Delivery("ask:U00001", "ask", "U00001"), 0, 1, NOW, NOW + MINUTE)
INSTALLED = Installation("T1", "xoxb-1", ("commands",), "A1", "B1", "U0BOT", "U00001", version=1)
Run = Callable[[SqlPeople, SqlThreads, SqlInbox, SqlFeedback], Awaitable[object]]

STATEMENTS: dict[str, Run] = {
    "directory": lambda p, t, i, f: SqlDirectory(p._engine).page("T1", Wanted(), 10),
    "next page": lambda p, t, i, f: SqlDirectory(p._engine).page("T1", Wanted(), 10, MIDDLE),
    "page before": lambda p, t, i, f: SqlDirectory(p._engine).page("T1", Wanted(), 10, MIDDLE, back=True),
    "directory of a role": lambda p, t, i, f: SqlDirectory(p._engine).page("T1", Wanted(MLOPS), 10, MIDDLE),
    "of a role and a topic": lambda p, t, i, f: SqlDirectory(p._engine).page("T1", Wanted(MLOPS, "topic 1"), 10),
    "directory searched": lambda p, t, i, f: SqlDirectory(p._engine).page(
        "T1", Wanted(MLOPS, "topic 1", "u01", ("topic 2", "topic 3")), 10
    ),
    "searched in a rare role": lambda p, t, i, f: SqlDirectory(p._engine).page(
        "T1", Wanted("rare", "topic 1", "u01", ("topic 2", "topic 3")), 10
    ),
    "directory counted": lambda p, t, i, f: SqlDirectory(p._engine).counts("T1", [MLOPS, DATA]),
    "shown of me": lambda p, t, i, f: SqlDirectory(p._engine).shown("T1", "U00001"),
    "candidates": lambda p, t, i, f: p.candidates(
        "T1", topics=["topic 1"], roles=[MLOPS, DATA], without="U00001", now=NOW
    ),
    "candidates unnamed": lambda p, t, i, f: p.unnamed(
        "T1", topics=["topic 1", "topic 2"], roles=[MLOPS, DATA], without="U00001", now=NOW
    ),
    "holders": lambda p, t, i, f: p.holders("T1", MLOPS),
    "passed over": lambda p, t, i, f: p.passed_over(
        "T1", topics=["topic 1"], roles=[MLOPS, DATA], without="U00001", now=NOW
    ),
    "passed over, or later": lambda p, t, i, f: p.passed_over(
        "T1", topics=["topic 1"], roles=[MLOPS, DATA], without="U00001", now=NOW, also_later=True
    ),
    "declared topics": lambda p, t, i, f: p.declared_topics("T1", ["topic 1", "lora"]),
    "spellings": lambda p, t, i, f: p.spellings("T1", ["topic 1", "lora"], "U00001"),
    "topics from": lambda p, t, i, f: p.topics_from("T1", "topic"),
    "declaration": lambda p, t, i, f: p.declaration("T1", "U00001"),
    "declare": lambda p, t, i, f: p.declare("T1", "U00001", {MLOPS: "lead"}, {"gdpr": "GDPR"}, NOW),
    "remember a profile": lambda p, t, i, f: p.remember("T1", Member("U00001", "Ann"), NOW),
    "profile": lambda p, t, i, f: p.profile("T1", "U00001"),
    "unchecked": lambda p, t, i, f: p.unchecked("T1", ["U00001", "U00002", "U00003"], NOW),
    "declares": lambda p, t, i, f: p.declares("T1", "U00001"),
    "due": lambda p, t, i, f: SqlFreshness(p._engine).due(NOW + 100 * MINUTE, 500),
    "put off": lambda p, t, i, f: SqlFreshness(p._engine).put_off([(DUE, NOW + MINUTE)], NOW),
    "take a minute": lambda p, t, i, f: SqlFreshness(p._engine).take_minute("T1", NOW),
    "claim": lambda p, t, i, f: SqlFreshness(p._engine).claim(DUE, NOW + MINUTE),
    "asked": lambda p, t, i, f: SqlFreshness(p._engine).asked(DUE, NOW + 2 * MINUTE),
    "fade": lambda p, t, i, f: SqlFreshness(p._engine).fade(DUE, NOW + 2 * MINUTE),
    "confirm": lambda p, t, i, f: SqlFreshness(p._engine).confirm("T1", "U00001", NOW),
    "stop": lambda p, t, i, f: SqlFreshness(p._engine).stop("T1", "U00003"),
    "suggested": lambda p, t, i, f: p.suggested("T1", ["U00001", "U00002"], NOW),
    "suggested to somebody": lambda p, t, i, f: p.suggested("T1", ["U00001", "U00002"], NOW, asker="U00003"),
    "candidates once more": lambda p, t, i, f: tried_again(p),
    "prune namings": lambda p, t, i, f: prune_namings(p._engine, NOW - timedelta(days=7 * 99)),
    "where to look up": lambda p, t, i, f: SqlToLookUp(p._engine).workspaces(NOW + 100 * MINUTE),
    "whom to look up": lambda p, t, i, f: SqlToLookUp(p._engine).claim("T1", NOW + 100 * MINUTE, NOW + 9_999 * MINUTE),
    "erase leavers": lambda p, t, i, f: p.erase_left(NOW + KEEP_LEFT),
    "begin a week": lambda p, t, i, f: p.begin_week(NOW + timedelta(days=14)),
    "kept": lambda p, t, i, f: p.kept("T1", "U00001"),
    "forget": lambda p, t, i, f: p.forget("T1", "U00001"),
    "forgotten since": lambda p, t, i, f: forgotten_a_minute_ago(p._engine),
    "prune moments": lambda p, t, i, f: prune_forgettings(p._engine, NOW + KEEP_MOMENTS - 4_990 * MINUTE),
    "import planned": lambda p, t, i, f: SqlPeopleInBulk(p._engine, random.Random(1)).planned(
        "T1", [Listed(Member(user, "Ann"), {MLOPS: "lead"}, {}) for user in ("U00001", "U00002")]
    ),
    "everybody": lambda p, t, i, f: anext(SqlPeopleInBulk(p._engine, random.Random(1)).everybody("T1")),
    "declare many": lambda p, t, i, f: SqlPeopleInBulk(p._engine, random.Random(1)).declare_many(
        "T1", [Listed(Member("U00003", "Ann"), {MLOPS: "lead"}, {}), Listed(NEW, {}, {"gdpr": "GDPR"})], NOW
    ),
    "installation": lambda p, t, i, f: SqlInstallations(p._engine).find("T1"),
    "install": lambda p, t, i, f: SqlInstallations(p._engine).save(INSTALLED, (), NOW),
    "changed installations": lambda p, t, i, f: SqlInstallations(p._engine).changed(NOW + 4_990 * MINUTE),
    "tokens that end": lambda p, t, i, f: SqlInstallations(p._engine).expiring(NOW + 10 * MINUTE),
    "renewed": lambda p, t, i, f: SqlInstallations(p._engine).claim_refresh(INSTALLED, NOW),
    "without scopes": lambda p, t, i, f: SqlInstallations(p._engine).without(["chat:write"]),
    "use a state": lambda p, t, i, f: SqlInstallations(p._engine).use_state("new", NOW + 10 * MINUTE),
    "teams of an organisation": lambda p, t, i, f: SqlInstallations(p._engine).teams_of("E1"),
    "remove": lambda p, t, i, f: SqlRemovals(p._engine).note("T2", "tokens_revoked", NOW + MINUTE, NOW),
    "removed": lambda p, t, i, f: SqlRemovals(p._engine).is_removed("T2"),
    "removed lately": lambda p, t, i, f: SqlRemovals(p._engine).was_removed_lately("T2", NOW),
    "due removals": lambda p, t, i, f: SqlRemovals(p._engine).due(NOW + 10 * MINUTE),
    "settings": lambda p, t, i, f: SqlWorkspaces(p._engine).settings("T1"),
    "save settings": lambda p, t, i, f: SqlWorkspaces(p._engine).save("T1", SETTINGS, "U00001", NOW),
    "audit log": lambda p, t, i, f: SqlWorkspaces(p._engine).recorded("T1", 20),
    "prune audit log": lambda p, t, i, f: SqlWorkspaces(p._engine).prune(NOW + timedelta(days=365 - 200)),
    "what a team knows": lambda p, t, i, f: SqlTeamEntries(p._engine).known("T1"),
    "save entries": lambda p, t, i, f: SqlTeamEntries(p._engine).save("T1", [FALCON], [Alias("Orakel", MLOPS)]),
    "remove an alias": lambda p, t, i, f: SqlTeamEntries(p._engine).remove_alias("T1", "Orakel"),
    "put a question": lambda p, t, i, f: SqlAsks(p._engine).create(new_ask("new", "U00001", asked="U00002"), NOW),
    "a question": lambda p, t, i, f: SqlAsks(p._engine).get("T1", "ask00001"),
    "a transition": lambda p, t, i, f: SqlAsks(p._engine).apply(ASKED, cast("Change", ANSWERED), NOW),
    "due questions": lambda p, t, i, f: SqlAsks(p._engine).due(NOW + 20 * MINUTE, 10),
    "erase a question": lambda p, t, i, f: SqlAsks(p._engine).erase(replace(ASKED, id="ask00003")),
    "at a message": lambda p, t, i, f: SqlAsks(p._engine).at_message("T1", "D1", "17.1"),
    "asked by": lambda p, t, i, f: SqlAsks(p._engine).of_asker("T1", "U00001"),
    "asked of": lambda p, t, i, f: SqlAsks(p._engine).of_person("T1", "U00001"),
    "unanswered questions": lambda p, t, i, f: SqlAsks(p._engine).unanswered("T1"),
    "waiting messages": lambda p, t, i, f: SqlDeliveries(p._engine).waiting(NOW + 20 * MINUTE),
    "claim messages": lambda p, t, i, f: SqlDeliveries(p._engine).claim("T1", NOW + 20 * MINUTE),
    "a message sent": lambda p, t, i, f: SqlDeliveries(p._engine).sent(SENDING, NOW, place=("D1", "1.1")),
    "a message put off": lambda p, t, i, f: SqlDeliveries(p._engine).put_off(SENDING, NOW, counted=True),
    "subject": lambda p, t, i, f: t.subject("T1", "C1", "1.17", NOW),
    "remember a subject": lambda p, t, i, f: t.remember("T1", "C1", "1.17", "U00001", Subject(roles=(MLOPS,)), NOW),
    "prune threads": lambda p, t, i, f: t.prune(NOW - 4_990 * MINUTE),
    "add": lambda p, t, i, f: i.add(Event("T1", "Ev-new", "{}", "C1", "new", "U00001"), NOW),
    "renew": lambda p, t, i, f: i.renew(NOW),
    "still ours": lambda p, t, i, f: i.still_ours(SENT, NOW),
    "take over": lambda p, t, i, f: i.take_over(NOW),
    "take over alone": lambda p, t, i, f: i.take_over(NOW, alone=True),
    "failed": lambda p, t, i, f: i.failed(SENT),
    "done": lambda p, t, i, f: i.done([SENT]),
    "many done": lambda p, t, i, f: i.done([Event("T1", f"Ev{at:05}", "") for at in range(4_900, 5_000)]),
    "dead": lambda p, t, i, f: i.dead(SENT),
    "dead letters": lambda p, t, i, f: i.dead_letters(),
    "replay": lambda p, t, i, f: i.replay("Ev04990", NOW),
    "release": lambda p, t, i, f: i.release(NOW),
    "depth": lambda p, t, i, f: i.depth(NOW),
    "prune events": lambda p, t, i, f: i.prune(NOW + KEEP - 4_990 * MINUTE),
    "unanswered": lambda p, t, i, f: f.unanswered("T1", Asked("new", "none", (), 0.1, "zebra"), NOW),
    "vote": lambda p, t, i, f: f.vote("T1", RATED, "not", NOW),
    "insights": lambda p, t, i, f: f.since(NOW - timedelta(days=10), NOW),
    "prune questions": lambda p, t, i, f: f.prune(NOW + KEEP_QUESTIONS - timedelta(days=4_990)),
}


async def forgotten_a_minute_ago(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await forgotten_after(connection, [("T1", "U00001", NOW - MINUTE), ("T2", "U00002", NOW)])


async def fill(engine: AsyncEngine) -> None:
    """Write what a busy workspace holds: nearly all of its events are done, a few are worked on."""
    rng = random.Random(1)
    users = [f"U{number:05}" for number in range(ROWS)]
    async with engine.begin() as connection:
        await connection.execute(
            insert(declarations),
            [
                {
                    "workspace": "T1",
                    "user_id": user,
                    "kind": kind,
                    "key": key,
                    "label": "",
                    "level": rng.randrange(3),
                    "confirmed_at": NOW,
                    "suggestible": True,
                    "out_of_office": rng.random() < 0.1,
                    "away": rng.random() < 0.3,
                    "suggested_at": NEVER,
                    "free_from": NEVER,
                    "lot": rng.getrandbits(31),
                }
                for user in users
                for kind, key in (("topic", f"topic {rng.randrange(50)}"), ("role", MLOPS), ("role", DATA))
            ],
        )
        await connection.execute(
            insert(listings),
            [
                {"workspace": "T1", "kind": kind, "key": key, "name": user.lower(), "user_id": user}
                for at, user in enumerate(users)
                for kind, key in (
                    *(("all", ""), ("name", user.lower()), ("role", MLOPS), ("role", DATA)),
                    ("topic", f"topic {at % 50}"),
                )
            ],
        )
        profile = {"title": "", "tz": "UTC", "availability": "active", "is_bot": False, "is_guest": False}
        await connection.execute(
            insert(members),
            [
                {"workspace": "T1", "user_id": user, "name": user, "checked_at": NOW, **profile}
                | {"left_at": NOW if at in (17, 18) else None}
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(terms),
            [
                {
                    "workspace": "T1",
                    "user_id": user,
                    "visibility": "open" if at % 3 else "ask_first",
                    "weekly_cap": None if at % 5 else 1,
                    "week": NOW.date(),
                    "suggested": int(at == 20),
                    "confirmed_at": NOW,
                    "check_at": NOW + at * MINUTE,
                    "unanswered": 0,
                    "faded": False,
                    "look_up_at": NOW + at * MINUTE,
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(threads),
            [
                {
                    "workspace": "T1",
                    "channel": "C1",
                    "thread": f"1.{at}",
                    "user_id": user,
                    "subject": {"roles": [MLOPS]},
                    "touched_at": NOW - at * MINUTE,
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(inbox),
            [
                {
                    "workspace": "T1",
                    "event_id": f"Ev{at:05}",
                    "channel": "C1",
                    "message_ts": str(at),
                    "user_id": user,
                    "body": "",
                    "state": "claimed" if at > ROWS - 20 else "dead" if at % 500 == 0 else "done",
                    "claimed_by": "one" if at % 2 else "other",
                    "lease_until": NOW + LEASE,
                    "attempts": 0,
                    "received_at": NOW - (ROWS - at) * MINUTE,
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(keepings),
            [
                {
                    "workspace": "T1",
                    "id": f"ask{at:05}",
                    "entry_id": f"team-{at:05}",
                    "outcome": "published",
                    "asker_says": "yes",
                    "answerer_says": "yes",
                    "asker_mark": f"mark{at:05}",
                    "user_id": user,
                    "shown_author": "",
                    "answer": "",
                    "gone_at": NOW,
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(verifications),
            [
                {
                    "workspace": "T1",
                    "entry_id": f"team-{at:05}",
                    "user_id": user,
                    "verify_by": NOW,
                    "turn": 1,
                    "due_at": NOW,
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(asked),
            [
                {
                    "workspace": "T1",
                    "id": f"{at:04}",
                    "noted_on": (NOW - timedelta(days=at)).date(),
                    "kind": "none",
                    "entries": [],
                    "confidence": 0.1,
                    "verdict": None if at % 3 else "helpful",
                    "question": "",
                    "gone_on": (NOW - timedelta(days=at - 30)).date(),
                }
                for at in range(ROWS)
            ],
        )
        await connection.execute(
            insert(settings),
            [
                {
                    "workspace": f"T{at}",
                    "default_visibility": "open",
                    "starts_messages": True,
                    "question_days": 30,
                    "names_in_shared": False,
                    "names_to_guests": False,
                    "other_languages": True,
                }
                for at in range(ROWS)
            ],
        )
        await connection.execute(
            insert(curators),
            [
                {"workspace": f"T{at}", "user_id": "U00001", "named_at": NOW, "tell_at": NOW if at < 20 else None}
                for at in range(ROWS)
            ],
        )
        await connection.execute(
            insert(vacated), [{"workspace": f"T{at}", "role": MLOPS, "since": NOW} for at in range(ROWS)]
        )
        await connection.execute(
            insert(audit),
            [
                {
                    "workspace": "T1",
                    "id": f"{at:032}",
                    "at": NOW - timedelta(hours=at),
                    "user_id": user,
                    "action": "settings changed",
                    "about": user,
                    "before": {},
                    "after": {},
                }
                for at, user in enumerate(users)
            ],
        )
        entry = {"name": "", "names": [], "question": "", "answer": "", "roles": [], "topics": [], "source": "kept"}
        await connection.execute(
            insert(team_entries),
            [
                {"workspace": f"T{at}", "id": "team-1", "user_id": "U00001", "shown_author": "", "state": "published"}
                | entry
                for at in range(ROWS)
            ],
        )
        await connection.execute(
            insert(team_aliases),
            [
                {"workspace": f"T{at}", "key": "oracle", "name": "oracle", "entry_id": MLOPS, "user_id": "U00001"}
                for at in range(ROWS)
            ],
        )
        await connection.execute(insert(team_versions), [{"workspace": f"T{at}", "version": "1"} for at in range(ROWS)])
        await connection.execute(
            insert(asks),
            [
                {
                    **{"workspace": "T1", "id": f"ask{at:05}", "state": "nobody" if at < 20 else "asked", "version": 0},
                    **{"asker": "", "asker_mark": f"mark{at}", "anonymous": False, "urgent": False},
                    **{"to_curators": False, "question": "", "further": "", "note": "", "answer": ""},
                    **{"subject": [[], [], []], "about": "", "created_at": NOW, "ends_at": NOW + timedelta(days=30)},
                    **{"due_at": NOW + at * MINUTE, "lease_until": NEVER},
                }
                for at in range(ROWS)
            ],
        )
        common: dict[str, Any] = {"workspace": "T1", "lease_until": NEVER}
        await connection.execute(
            insert(ask_people),
            [
                {
                    **{"workspace": "T1", "ask_id": f"ask{at:05}", "user_id": user, "place": 0, "outcome": "has"},
                    **{"via": "best", "shown": True, "asked_at": NOW, "channel": "D1", "ts": f"{at}.1"},
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(ask_deliveries),
            [
                {
                    **common,
                    **{"ask_id": f"ask{at:05}", "key": f"ask:{user}", "kind": "ask", "user_id": user, "text": ""},
                    **{"recipient": f"mark{at}", "turn": 0, "attempts": 0},
                    **{"due_at": NOW + at * MINUTE, "sent_at": None},
                }
                for at, user in enumerate(users)
            ],
        )
        await connection.execute(
            insert(ask_paces),
            [{"workspace": f"T{at}", "method": "chat.update", "next_at": NEVER} for at in range(ROWS)],
        )
        key = KEYS.encrypt("00" * 32)
        await connection.execute(
            insert(secrets), [{"workspace": f"T{at}", "name": "forgotten", "value": key} for at in range(ROWS)]
        )
        await connection.execute(
            insert(namings),
            [
                {
                    "workspace": "T1",
                    "mark": f"{at % 50:064x}",
                    "user_id": f"U{at:05}",
                    "event": f"{at % 500:064x}",
                    "week": (NOW - timedelta(weeks=at % 100)).date(),
                    "place": 0,
                }
                for at in range(ROWS)
            ],
        )
        await connection.execute(insert(forgotten), [{"workspace": "T1", "mark": f"{at:064x}"} for at in range(ROWS)])
        await connection.execute(
            insert(forgettings),
            [{"workspace": f"T{at % 50}", "mark": f"{at:064x}", "at": NOW - at * MINUTE} for at in range(ROWS)],
        )
        places = [place_of(installations.c.token, f"T{at}") for at in range(ROWS)]
        await connection.execute(
            insert(installations),
            [
                {
                    "workspace": f"T{at}",
                    "org_wide": False,
                    "enterprise_id": None if at % 10 else f"E{at}",
                    "app_id": "A1",
                    "bot_id": "B1",
                    "bot_user_id": "U0BOT",
                    "url": "",
                    "scopes": "chat:write",
                    "asked_for": "chat:write" if at % 1000 else "",
                    "token": KEYS.seal("xoxb", place),
                    "refresh_token": "",
                    "expires_at": NOW + at * MINUTE,
                    "version": 1,
                    "installed_at": NOW,
                    "changed_at": NOW + at * MINUTE,
                }
                for at, place in enumerate(places)
            ],
        )
        await connection.execute(
            insert(removals),
            [
                {"workspace": f"T{at}", "removed_at": NOW + at * MINUTE, "why": "x", "delete_at": NOW + at * MINUTE}
                for at in range(ROWS)
            ],
        )
        await connection.execute(
            insert(used_states),
            [{"mark": f"{at:064x}", "used_at": NOW + at * MINUTE} for at in range(ROWS)],
        )
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE"))


async def tried_again(people: SqlPeople) -> object:
    with underway_since(NOW, "Ev1"):
        return await people.candidates("T1", topics=["topic 1"], roles=[MLOPS, DATA], without="U00003", now=NOW)


NO_PLAN = re.compile(r"BEGIN IMMEDIATE|SELECT set_config\('plan_cache_mode'")


async def plan(engine: AsyncEngine, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    async with engine.connect() as connection:
        rows = (await connection.exec_driver_sql(f"{explain} {statement}", parameters)).all()
    return "\n".join(str(row[-1]) for row in rows)


async def plan_for_all_values(engine: AsyncEngine, statement: str, parameters: Any) -> str:
    """Return the plan that PostgreSQL makes without looking at a value: none are given here."""
    async with engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection
        # As if the workspace were so large that the server would compile what it reads.
        await connection.exec_driver_sql("SELECT set_config('jit_above_cost', '0', true)")
        await plan_once(connection)
        await raw.execute(f"PREPARE seen AS {statement}")
        rows = await raw.fetch(f"EXPLAIN EXECUTE seen({', '.join(['NULL'] * len(parameters))})")
        await raw.execute("DEALLOCATE seen")
    return "\n".join(str(row[-1]) for row in rows)


async def test_no_statement_reads_a_whole_table(
    engine: AsyncEngine, people: SqlPeople, threads: SqlThreads, inbox: SqlInbox, feedback: SqlFeedback
) -> None:
    await fill(engine)
    seen: list[tuple[str, Any]] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        seen.append((statement, parameters[0] if many else parameters))

    plans: dict[str, list[str]] = {}
    for name, run in STATEMENTS.items():
        seen.clear()
        await run(people, threads, inbox, feedback)
        explain = plan_for_all_values if any("plan_cache_mode" in statement for statement, _ in seen) else plan
        ran = [found for found in seen if not NO_PLAN.match(found[0])]
        plans[name] = [await explain(engine, *found) for found in ran]
    assert all(plans.values())
    whole = re.compile(rf"\b(SCAN|Seq Scan on) ({'|'.join(metadata.tables)})\b")
    assert {name: found for name, found in plans.items() if any(map(whole.search, found))} == {}
    # By the index, however many wait in another workspace.
    for name in ("where to look up", "whom to look up"):
        assert "ix_terms_look_up" in plans[name][0], plans[name][0]
    # Whoever is not to be asked about a topic is found by the person, however many there are.
    avoiding = [line for found in plans.values() for one in found for line in one.splitlines() if "not_about" in line]
    assert len(avoiding) > 10
    assert [line for line in avoiding if not re.search(r"pk_declarations|autoindex_declarations", line)] == []
    # A page is read in the order of the key, and no further than it goes.
    for name in ("directory", "next page", "page before", "directory of a role", "of a role and a topic"):
        assert "pk_listings" in plans[name][0] or "sqlite_autoindex_listings" in plans[name][0], plans[name][0]
        assert not re.search(r"\bSort\b|TEMP B-TREE", plans[name][0]), plans[name][0]
    # What is sorted of the candidates is the at most twenty rows of each range, to find the first twenty people of all,
    # and those who are free since another moment than nearly everybody; never the thousands of a range.
    [candidates] = plans["candidates"]
    assert len(re.findall("ix_declarations_order", candidates)) == 3 * 4
    assert "JIT:" not in candidates
    if engine.dialect.name == "postgresql":
        assert candidates.count("Sort  (") <= 3 + 3 * 2
        assert "rows=5000" not in candidates
    else:
        assert candidates.count("TEMP B-TREE") == 3 + 3 * 4 + 3 * 2


@pytest.mark.parametrize("address", ["postgresql"], indirect=True)
async def test_candidates_are_found_by_an_index_also_as_planned_when_hardly_anybody_was_there(
    engine: AsyncEngine, people: SqlPeople
) -> None:
    seen: list[tuple[str, Any]] = []
    await people.declare("T1", "U00001", {MLOPS: "lead"}, {}, NOW)

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    await people.candidates("T1", topics=["gdpr"], roles=[MLOPS], without=None, now=NOW)
    planned = await plan_for_all_values(engine, *seen[-1])
    assert "Index Scan using ix_declarations_order" in planned
    assert len(re.findall("pk_declarations on declarations not_about", planned)) == 2 * 4
    assert "Seq Scan" not in planned
