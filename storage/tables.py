"""Every table. Primary keys begin with the workspace, so that rows can be spread by it; a state of OAuth has none yet.

The workspace is the enterprise id for organisation-wide installs, else the team id. Times are UTC.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

from storage.keys import Keys, KeysError

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """Store aware UTC times; SQLite keeps none of the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times."""
        if value is not None and value.tzinfo is None:
            raise ValueError("times are stored with their zone")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give SQLite's naive times their zone back."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class SealedText(TypeDecorator[str]):
    """Mark a column that holds what ``Keys.seal`` made for this place in this row; see ``place_of``."""

    impl = Text
    cache_ok = True


def place_of(column: Column[str], *key: str) -> str:
    """Return what sealed text is bound to: the column, and the primary key of the row."""
    return json.dumps([column.table.name, column.name, *key])


def sealed(dialect: Dialect, column: Column[str], text: str, *key: str) -> str:
    """Return a text as its column holds it in the row with this primary key; nothing stays nothing."""
    return keys_of(dialect).seal(text, place_of(column, *key)) if text else ""


def unsealed(dialect: Dialect, column: Column[str], stored: str | None, *key: str) -> str:
    """Return what ``sealed`` was given; what older versions wrote, for no place, too. Raises KeysError."""
    return keys_of(dialect).unseal(stored, place_of(column, *key), unbound=True) if stored else ""


def keys_of(dialect: Dialect) -> Keys:
    """Return the keys that an engine was opened with. Raises KeysError where there are none."""
    keys: Keys | None = getattr(dialect, "keys", None)
    if keys is None:
        raise KeysError("This database was opened without encryption keys.")
    return keys


def _workspace() -> Column[str]:
    return Column("workspace", String(32), primary_key=True)


members = Table(
    "members",
    metadata,
    _workspace(),
    Column("user_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("title", String(300), nullable=False),
    Column("tz", String(64), nullable=False),
    Column("availability", String(16), nullable=False),
    Column("is_bot", Boolean, nullable=False),
    Column("is_guest", Boolean, nullable=False),
    Column("checked_at", UtcTime, nullable=False),
    Column("left_at", UtcTime, comment="since when the person is known to have left"),
    comment="Profiles, as Slack gave them, of people who declared something.",
)
Index("ix_members_left", members.c.left_at)


def _sorted(longest: int) -> String:
    """Text whose order is that of its signs on both databases: an order of names is the same wherever it is read."""
    return String(longest).with_variant(String(longest, collation="C"), "postgresql")


# A page of the directory is one range of the primary key, whatever it is filtered by.
listings = Table(
    "listings",
    metadata,
    _workspace(),
    Column("kind", String(8), primary_key=True, comment="all, role, topic, or name: a name from one of its words on"),
    Column("key", _sorted(120), primary_key=True, comment="role id, topic or part of the name; empty for all"),
    Column("name", _sorted(80), primary_key=True, comment="the name as it is sorted"),
    Column("user_id", String(32), primary_key=True),
    comment="Under what people stand in the directory; who is not to be named has no row.",
)
Index("ix_listings_user", listings.c.workspace, listings.c.user_id)

# One row a declared role or topic. What the order of suggestions needs stands in the row itself, so that the first
# twenty come from one index without a join or a sort over everybody who declared the same.
declarations = Table(
    "declarations",
    metadata,
    _workspace(),
    Column("user_id", String(32), primary_key=True),
    Column("kind", String(8), primary_key=True, comment="role, topic, or not: a topic not to be asked about"),
    Column("key", String(120), primary_key=True, comment="role id, or the normalised topic"),
    Column("label", String(120), nullable=False, comment="the topic as typed"),
    Column("level", Integer, nullable=False, comment="0 lead, 1 practitioner, 2 learning, 3 none"),
    Column("confirmed_at", UtcTime, nullable=False),
    Column("suggestible", Boolean, nullable=False),
    Column("unnamed", Boolean, nullable=False, server_default=false(), comment="may be asked, though not named"),
    Column("out_of_office", Boolean, nullable=False),
    Column("away", Boolean, nullable=False),
    Column("suggested_at", UtcTime, nullable=False, comment="1970 where never"),
    Column("lot", Integer, nullable=False, comment="drawn once: decides between equals"),
    Column("free_from", UtcTime, nullable=False, comment="until then the person's weekly cap is reached"),
)
Index(
    "ix_declarations_order",
    declarations.c.workspace,
    declarations.c.kind,
    declarations.c.key,
    declarations.c.suggestible,
    declarations.c.unnamed,
    # Nearly always one of a few moments: never, a Monday, or the end of time.
    declarations.c.free_from,
    declarations.c.out_of_office,
    declarations.c.level,
    declarations.c.away,
    declarations.c.suggested_at,
    declarations.c.lot,
)

terms = Table(
    "terms",
    metadata,
    _workspace(),
    Column("user_id", String(32), primary_key=True),
    Column("visibility", String(12), nullable=False, comment="open, ask_first or hidden"),
    Column("weekly_cap", Integer, comment="most suggestions a week; null for any number"),
    Column("week", Date, nullable=False, comment="the Monday of the week that is counted"),
    Column("suggested", Integer, nullable=False, comment="suggestions in that week"),
    Column("asked_week", Date, comment="the Monday of the week in which questions to them were counted last"),
    Column("asked", Integer, nullable=False, server_default="0", comment="questions that they got in that week"),
    Column("confirmed_at", UtcTime, nullable=False),
    Column("check_at", UtcTime, comment="when to ask whether it is still right; null for never"),
    Column("unanswered", Integer, nullable=False, comment="such questions without an answer, in a row"),
    Column("faded", Boolean, nullable=False, comment="not suggested until confirmed again"),
    Column("imported_at", UtcTime, comment="when a file declared it; null once the person said something themself"),
    Column("look_up_at", UtcTime, comment="when the profile is looked up unasked; null for never"),
    comment="On which terms a person who declared something is suggested, and how fresh that is.",
)
Index("ix_terms_check", terms.c.check_at)
Index("ix_terms_look_up", terms.c.workspace, terms.c.look_up_at)
CAPPED = text("weekly_cap > 0 AND suggested >= weekly_cap")
"""Of the terms: the cap of the week that was counted last is reached."""
Index("ix_terms_capped", terms.c.week, sqlite_where=CAPPED, postgresql_where=CAPPED)

namings = Table(
    "namings",
    metadata,
    _workspace(),
    Column("mark", String(64), primary_key=True, comment="keyed hash of who asked"),
    Column("user_id", String(32), primary_key=True, comment="who was named"),
    Column(
        "event",
        String(64),
        primary_key=True,
        comment="keyed hash of the event that was answered; empty where none was",
    ),
    Column("week", Date, nullable=False, comment="the Monday of the week in which it was counted"),
    Column("place", Integer, nullable=False, comment="in the order of the answer"),
    comment="To whom people were named in a week: for one asker once, also where an answer is tried again.",
)
Index("ix_namings_user", namings.c.workspace, namings.c.user_id)
Index("ix_namings_week", namings.c.week)

threads = Table(
    "threads",
    metadata,
    _workspace(),
    Column("channel", String(32), primary_key=True),
    Column("thread", String(32), primary_key=True),
    Column("user_id", String(32), nullable=False, comment="who asked last"),
    Column("subject", JSON, nullable=False),
    Column("touched_at", UtcTime, nullable=False),
    comment="What a conversation is about: ids of entries, never its text.",
)

inbox = Table(
    "inbox",
    metadata,
    _workspace(),
    Column("event_id", String(64), primary_key=True),
    Column("channel", String(32)),
    Column("message_ts", String(32)),
    Column("user_id", String(32), comment="who caused it; gone once the person is forgotten"),
    Column("body", SealedText, nullable=False, comment="erased when done"),
    Column("state", String(8), nullable=False, comment="claimed, done or dead"),
    Column("claimed_by", String(64), nullable=False, comment="the process that works on it"),
    Column("lease_until", UtcTime, nullable=False, comment="from then on another process may take it over"),
    Column("attempts", Integer, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    # An edit of a message comes as a new event: one answer for each message, whatever the event id.
    UniqueConstraint("workspace", "channel", "message_ts"),
)
# Without a person on purpose: nothing in a row can be led back to whoever asked or voted.
asked = Table(
    "asked",
    metadata,
    _workspace(),
    Column("id", String(32), primary_key=True, comment="drawn for each answer"),
    Column("noted_on", Date, nullable=False, comment="the day alone: a time would lead back to an event"),
    Column("kind", String(16), nullable=False, comment="of answer"),
    Column("entries", JSON, nullable=False, comment="ids of what was shown"),
    Column("confidence", Float, nullable=False),
    Column("verdict", String(8), comment="helpful or not; null where there was no answer to rate"),
    Column("question", SealedText, nullable=False, comment="encrypted, timeless; empty where the answer helped"),
    Column("gone_on", Date, nullable=False, comment="the day on which it is deleted"),
    comment="Questions without an answer, and answers that were rated.",
)

forgotten = Table(
    "forgotten",
    metadata,
    _workspace(),
    Column("mark", String(64), primary_key=True, comment="HMAC-SHA256 of workspace and person"),
    comment="Keyed hashes of people who are not to be brought back by an import.",
)

forgettings = Table(
    "forgettings",
    metadata,
    _workspace(),
    Column(
        "mark", String(64), primary_key=True, comment="HMAC-SHA256 of workspace and person, unlike that which stays"
    ),
    Column("at", UtcTime, nullable=False),
    comment="When people were forgotten, for a day: what was under way then leaves nothing about them.",
)
Index("ix_forgettings_at", forgettings.c.at)

secrets = Table(
    "secrets",
    metadata,
    _workspace(),
    Column("name", String(32), primary_key=True),
    Column("value", SealedText, nullable=False, comment="encrypted"),
    comment="What is drawn once for a workspace and never shown.",
)

settings = Table(
    "settings",
    metadata,
    _workspace(),
    Column("default_visibility", String(12), nullable=False, comment="of declarations that are new"),
    Column("starts_messages", Boolean, nullable=False),
    Column("question_days", Integer, nullable=False, comment="how long questions are kept; 0 for not at all"),
    Column("names_in_shared", Boolean, nullable=False),
    Column("names_to_guests", Boolean, nullable=False),
    Column("other_languages", Boolean, nullable=False),
    comment="What administrators decided; a workspace without a row has the defaults.",
)

curators = Table(
    "curators",
    metadata,
    _workspace(),
    Column("user_id", String(32), primary_key=True),
    Column("named_at", UtcTime, nullable=False),
    Column("tell_at", UtcTime, comment="when to tell them of roles that nobody fills any more; null for nothing new"),
    Column("told_at", UtcTime, comment="when they were told last"),
    comment="Whom administrators named as curators, and what these are to be told.",
)

vacated = Table(
    "vacated",
    metadata,
    _workspace(),
    Column("role", String(120), primary_key=True),
    Column("since", UtcTime, nullable=False, comment="when somebody dropped out of it last"),
    Column("due_at", UtcTime, comment="when to see whether anybody is left; null once that is done"),
    comment="Roles that somebody dropped out of; whether anybody is left stands in the declarations.",
)

audit = Table(
    "audit",
    metadata,
    _workspace(),
    Column("id", String(32), primary_key=True, comment="drawn"),
    Column("at", UtcTime, nullable=False),
    Column("user_id", String(64), nullable=False, comment="who did it; the hash, once that person is forgotten"),
    Column("action", String(64), nullable=False),
    Column("about", String(64), nullable=False, comment="to whom; the hash, once that person is forgotten"),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    comment="Who changed settings, named curators, imported, exported and erased, and when.",
)

asks = Table(
    "asks",
    metadata,
    _workspace(),
    Column("id", String(32), primary_key=True),
    Column("state", String(16), nullable=False, comment="see knowledge/asking.py"),
    Column("version", Integer, nullable=False, comment="counts the transitions: of two at once one is made"),
    Column("asker", SealedText, comment="who asks, and where their message stands; erased once not needed"),
    Column("asker_mark", String(64), comment="keyed hash of who asks, erased with it"),
    Column("anonymous", Boolean, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("to_curators", Boolean, nullable=False, comment="curators may read the question where nobody answers"),
    Column("question", SealedText, nullable=False),
    Column("further", SealedText, nullable=False, comment="what was asked back"),
    Column("note", SealedText, nullable=False, comment="of a colleague who handed it over"),
    Column("answer", SealedText, nullable=False),
    Column("subject", JSON, nullable=False, comment="ids of roles, topics and tools"),
    Column("about", String(120), nullable=False, comment="the subject in words"),
    Column("created_at", UtcTime, nullable=False),
    Column("ends_at", UtcTime, nullable=False),
    Column("due_at", UtcTime, nullable=False, comment="when something happens by itself; after the end: deleted"),
    Column("lease_until", UtcTime, nullable=False, comment="until then one process does what is due"),
    comment="Questions that are put to a person.",
)

ask_people = Table(
    "ask_people",
    metadata,
    _workspace(),
    Column("ask_id", String(32), primary_key=True),
    Column("user_id", String(32), primary_key=True, comment="who was asked"),
    Column("place", Integer, nullable=False, comment="in the order of asking"),
    Column("outcome", String(12), nullable=False, comment="has: the question is with them now"),
    Column("via", String(12), nullable=False),
    Column("shown", Boolean, nullable=False, comment="others might read the name when they were asked"),
    Column(
        "says_name", Boolean, nullable=False, server_default=false(), comment="they want it shown with their answer"
    ),
    Column("wrote", Boolean, nullable=False, server_default=false(), comment="some of the answer is theirs"),
    Column("asked_at", UtcTime, nullable=False, comment="in whose week it is counted"),
    Column("channel", String(32), nullable=False, comment="where the message to them stands; empty before"),
    Column("ts", String(32), nullable=False),
    comment="Who was asked, and what became of it.",
)

# The text of an answer waits here until it is delivered, and nowhere else a second time.
ask_deliveries = Table(
    "ask_deliveries",
    metadata,
    _workspace(),
    Column("ask_id", String(32), primary_key=True),
    Column("key", String(80), primary_key=True, comment="what is delivered: once for each key"),
    Column("kind", String(16), nullable=False),
    Column("user_id", String(32), comment="null for the asker"),
    Column("recipient", String(64), comment="keyed hash of the asker who gets it, for a fair pace"),
    Column("text", SealedText, nullable=False, comment="erased when sent"),
    Column(
        "ts",
        String(32),
        nullable=False,
        server_default=text("''"),
        comment="of what holds words of a person, once sent",
    ),
    Column("turn", Integer, nullable=False, comment="counts how often it was wanted: drawn anew, it is wanted again"),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcTime, comment="null once it is sent"),
    Column("lease_until", UtcTime, nullable=False),
    Column("sent_at", UtcTime),
    comment="Messages about questions that are to be written, or drawn anew.",
)

ask_paces = Table(
    "ask_paces",
    metadata,
    _workspace(),
    Column("method", String(32), primary_key=True),
    Column("next_at", UtcTime, nullable=False, comment="when the next call may be made"),
    comment="The pace at which messages about questions are written in a workspace, by all processes together.",
)

Index("ix_asks_due", asks.c.due_at)
Index("ix_asks_asker", asks.c.workspace, asks.c.asker_mark)
Index("ix_asks_state", asks.c.workspace, asks.c.state, asks.c.created_at)
Index("ix_ask_people_user", ask_people.c.workspace, ask_people.c.user_id, ask_people.c.asked_at)
Index("ix_ask_people_message", ask_people.c.workspace, ask_people.c.channel, ask_people.c.ts)
Index("ix_ask_deliveries_due", ask_deliveries.c.due_at)
Index("ix_ask_deliveries_workspace", ask_deliveries.c.workspace, ask_deliveries.c.due_at)
Index("ix_ask_deliveries_recipient", ask_deliveries.c.workspace, ask_deliveries.c.recipient)
Index("ix_ask_deliveries_user", ask_deliveries.c.workspace, ask_deliveries.c.user_id)
installations = Table(
    "installations",
    metadata,
    _workspace(),
    Column("user_id", String(32), comment="who installed it; gone once the person is forgotten"),
    Column("enterprise_id", String(32)),
    Column("org_wide", Boolean, nullable=False),
    Column("app_id", String(32), nullable=False),
    Column("bot_id", String(32), nullable=False),
    Column("bot_user_id", String(32), nullable=False),
    Column("url", String(200), nullable=False, comment="where the workspace is, for profile links"),
    Column("scopes", Text, nullable=False, comment="granted, with commas"),
    Column("asked_for", Text, nullable=False, comment="scopes that need not be asked for any more"),
    Column("token", SealedText, nullable=False),
    Column("refresh_token", SealedText, nullable=False, comment="empty where tokens do not rotate"),
    Column("expires_at", UtcTime, comment="null where tokens do not rotate"),
    Column("refresh_until", UtcTime, comment="until then one process renews the token, and no other"),
    Column("version", Integer, nullable=False, comment="one more with each change"),
    Column("installed_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
    comment="Where the app is installed by OAuth.",
)
removals = Table(
    "removals",
    metadata,
    _workspace(),
    Column("removed_at", UtcTime, primary_key=True),
    Column("why", String(32), nullable=False, comment="the event of Slack"),
    Column("delete_at", UtcTime, comment="when the rest goes; null where it has gone, or was installed again"),
    Column("deleted_rows", Integer, comment="null where nothing has been deleted"),
    comment="Where the app was removed: what stays of a workspace, without a person.",
)
used_states = Table(
    "used_states",
    metadata,
    Column("mark", String(64), primary_key=True, comment="SHA-256 of a state"),
    Column("used_at", UtcTime, nullable=False),
    comment="States of OAuth that came back, for as long as they could come back again; of no workspace yet.",
)
KEPT_APART = (installations, removals, used_states)
"""What does not go with the rest of a workspace: tokens go first, the note that it was removed stays, and states are of
none."""

Index("ix_installations_changed", installations.c.changed_at)
Index("ix_installations_expires", installations.c.expires_at)
Index("ix_installations_asked_for", installations.c.asked_for)
Index("ix_installations_enterprise", installations.c.enterprise_id)
Index("ix_removals_removed", removals.c.removed_at)
Index("ix_removals_delete", removals.c.delete_at)
Index("ix_used_states_used", used_states.c.used_at)
# Written and deleted first, so that of two who change the same one waits for the other.
team_versions = Table(
    "team_versions",
    metadata,
    _workspace(),
    Column("version", String(32), nullable=False, comment="drawn at every change of the two tables below"),
    comment="By which processes see that what a workspace knows has changed.",
)

team_entries = Table(
    "team_entries",
    metadata,
    _workspace(),
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("names", JSON, nullable=False, comment="other names"),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False, comment="empty for a topic"),
    Column("roles", JSON, nullable=False, comment="ids, best first"),
    Column("topics", JSON, nullable=False, comment="in words"),
    Column("source", String(12), nullable=False, comment="written, imported or kept"),
    Column("user_id", String(32), comment="who wrote it last; null where nobody is known"),
    Column("shown_author", String(200), nullable=False, comment="the name that is shown with it; empty for none"),
    Column("published_at", UtcTime),
    Column("verified_at", UtcTime),
    Column(
        "by_curator", Boolean, nullable=False, server_default=false(), comment="a curator said last that it is right"
    ),
    Column("verify_by", UtcTime, comment="when somebody is to say again that it is right; null for never"),
    Column("state", String(12), nullable=False, comment="proposed, published or retired"),
    Column("changed_at", UtcTime),
    comment="What a workspace knows beyond the bundled entries.",
)

team_aliases = Table(
    "team_aliases",
    metadata,
    _workspace(),
    Column("key", String(120), primary_key=True, comment="the normalised word"),
    Column("name", String(120), nullable=False, comment="the word as typed"),
    Column("entry_id", String(64), nullable=False, comment="a bundled role, topic or tool"),
    Column("user_id", String(32), comment="who added it; null where nobody is known"),
    Column("written_at", UtcTime),
    comment="A workspace's own words for bundled entries.",
)

# By the id of the question; what was agreed stays for as long as the question is kept, or the entry made of it.
keepings = Table(
    "keepings",
    metadata,
    _workspace(),
    Column("id", String(32), primary_key=True, comment="of the question"),
    Column("entry_id", String(32), nullable=False, comment="of the entry that is made of it"),
    Column("outcome", String(12), nullable=False, comment="see knowledge/keeping.py"),
    Column("asker_says", String(4), nullable=False, comment="yes, no, or empty"),
    Column("answerer_says", String(4), nullable=False, comment="yes, no, or empty"),
    Column("asker_mark", String(64), comment="keyed hash of who asked, until it is published; null if anonymous"),
    Column("user_id", String(32), comment="who answered, and is asked whether it is still right"),
    Column("shown_author", String(200), nullable=False, comment="the name that they want to be shown with it"),
    Column("answer", SealedText, nullable=False, comment="as they want it kept; empty once it is proposed"),
    Column("gone_at", UtcTime, nullable=False, comment="deleted then, unless an entry was made of it"),
    comment="What became of asking both sides whether a question and its answer may be kept.",
)
verifications = Table(
    "verifications",
    metadata,
    _workspace(),
    Column("entry_id", String(32), primary_key=True),
    Column("user_id", String(32), comment="who was asked; null for nobody"),
    Column("verify_by", UtcTime, nullable=False, comment="of the entry: a later one begins anew"),
    Column("turn", Integer, nullable=False, comment="0 to be asked, 1 asked, 2 reminded, 3 left to the curators"),
    Column("due_at", UtcTime, nullable=False, comment="when the next turn comes"),
    comment="How far it is with asking whether an entry is still right.",
)

Index("ix_keepings_entry", keepings.c.workspace, keepings.c.entry_id)
Index("ix_keepings_user", keepings.c.workspace, keepings.c.user_id)
Index("ix_keepings_asker", keepings.c.workspace, keepings.c.asker_mark)
Index("ix_keepings_gone", keepings.c.gone_at)
Index("ix_verifications_user", verifications.c.workspace, verifications.c.user_id)
Index("ix_team_entries_verify", team_entries.c.verify_by)
Index("ix_team_entries_user", team_entries.c.workspace, team_entries.c.user_id)
Index("ix_team_aliases_user", team_aliases.c.workspace, team_aliases.c.user_id)
Index("ix_inbox_lease", inbox.c.state, inbox.c.lease_until)
Index("ix_inbox_received", inbox.c.state, inbox.c.received_at)
Index("ix_threads_touched", threads.c.touched_at)
Index("ix_inbox_user", inbox.c.workspace, inbox.c.user_id)
Index("ix_threads_user", threads.c.workspace, threads.c.user_id)
Index("ix_asked_noted", asked.c.noted_on)
Index("ix_asked_gone", asked.c.gone_on)
Index("ix_asked_days", asked.c.workspace, asked.c.noted_on)
Index("ix_curators_tell", curators.c.tell_at)
Index("ix_vacated_due", vacated.c.due_at)
Index("ix_audit_at", audit.c.at)
Index("ix_audit_newest", audit.c.workspace, audit.c.at)
Index("ix_audit_user", audit.c.workspace, audit.c.user_id)
Index("ix_audit_about", audit.c.workspace, audit.c.about)
