"""The settings of a workspace, its curators, and the audit log."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "settings",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("default_visibility", sa.String(length=12), nullable=False, comment="of declarations that are new"),
        sa.Column("starts_messages", sa.Boolean(), nullable=False),
        sa.Column(
            "question_days", sa.Integer(), nullable=False, comment="how long questions are kept; 0 for not at all"
        ),
        sa.Column("names_in_shared", sa.Boolean(), nullable=False),
        sa.Column("names_to_guests", sa.Boolean(), nullable=False),
        sa.Column("other_languages", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", name=op.f("pk_settings")),
        comment="What administrators decided; a workspace without a row has the defaults.",
    )
    op.create_table(
        "curators",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "tell_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when to tell them of roles that nobody fills any more; null for nothing new",
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True, comment="when they were told last"),
        sa.PrimaryKeyConstraint("workspace", "user_id", name=op.f("pk_curators")),
        comment="Whom administrators named as curators, and what these are to be told.",
    )
    op.create_index("ix_curators_tell", "curators", ["tell_at"])
    op.create_table(
        "vacated",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=120), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="when somebody dropped out of it last"),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when to see whether anybody is left; null once that is done",
        ),
        sa.PrimaryKeyConstraint("workspace", "role", name=op.f("pk_vacated")),
        comment="Roles that somebody dropped out of; whether anybody is left stands in the declarations.",
    )
    op.create_index("ix_vacated_due", "vacated", ["due_at"])
    op.create_table(
        "audit",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False, comment="drawn"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "user_id",
            sa.String(length=64),
            nullable=False,
            comment="who did it; the hash, once that person is forgotten",
        ),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column(
            "about", sa.String(length=64), nullable=False, comment="to whom; the hash, once that person is forgotten"
        ),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_audit")),
        comment="Who changed settings, named curators, imported, exported and erased, and when.",
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_audit_newest", "audit", ["workspace", "at"])
    op.create_index("ix_audit_user", "audit", ["workspace", "user_id"])
    op.create_index("ix_audit_about", "audit", ["workspace", "about"])
    with op.batch_alter_table("asked") as batch_op:
        batch_op.add_column(sa.Column("gone_on", sa.Date(), nullable=True, comment="the day on which it is deleted"))
    # Until now every question was kept for thirty days.
    after = "noted_on + 30" if op.get_bind().dialect.name == "postgresql" else "date(noted_on, '+30 days')"
    op.execute(f"UPDATE asked SET gone_on = {after}")  # noqa: S608 - one of the two above
    with op.batch_alter_table("asked") as batch_op:
        batch_op.alter_column("gone_on", existing_type=sa.Date(), nullable=False)
        batch_op.create_index("ix_asked_gone", ["gone_on"])
        batch_op.create_index("ix_asked_days", ["workspace", "noted_on"])
    op.create_table(
        "listings",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column(
            "kind",
            sa.String(length=8),
            nullable=False,
            comment="all, role, topic, or name: a name from one of its words on",
        ),
        sa.Column("key", _sorted(120), nullable=False, comment="role id, topic or part of the name; empty for all"),
        sa.Column("name", _sorted(80), nullable=False, comment="the name as it is sorted"),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "kind", "key", "name", "user_id", name=op.f("pk_listings")),
        comment="Under what people stand in the directory; who is not to be named has no row.",
    )
    op.create_index("ix_listings_user", "listings", ["workspace", "user_id"])
    _list_everybody()


def _sorted(longest: int) -> sa.String:
    return sa.String(longest).with_variant(sa.String(longest, collation="C"), "postgresql")


def _list_everybody() -> None:
    """Write under what those stand in the directory who may be named; some hundred people at a time."""
    connection, after = op.get_bind(), ("", "")
    people = sa.text(
        "SELECT t.workspace, t.user_id, m.name FROM terms t "
        "LEFT JOIN members m ON m.workspace = t.workspace AND m.user_id = t.user_id "
        "WHERE (t.workspace, t.user_id) > (:workspace, :user) ORDER BY t.workspace, t.user_id LIMIT 500"
    )
    declared = sa.text(
        "SELECT kind, key FROM declarations WHERE workspace = :workspace AND user_id = :user "
        "AND suggestible AND kind IN ('role', 'topic')"
    )
    write = sa.text(
        "INSERT INTO listings (workspace, kind, key, name, user_id) VALUES (:workspace, :kind, :key, :name, :user)"
    )
    while found := connection.execute(people, {"workspace": after[0], "user": after[1]}).all():
        rows = []
        for workspace, user, name in found:
            own = {"workspace": workspace, "user": user}
            under = [(row.kind, row.key) for row in connection.execute(declared, own)]
            if under:
                key = _name_key(name or "") or user.casefold()
                words = key.split()
                parts = dict.fromkeys(" ".join(words[first:]) for first in range(min(len(words), 4)))
                under += [("all", ""), *(("name", part) for part in parts)]
                rows += [{**own, "kind": kind, "key": of, "name": key} for kind, of in under]
        if rows:
            connection.execute(write, rows)
        after = (found[-1].workspace, found[-1].user_id)


def _name_key(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return " ".join(re.findall(r"\w+", bare))[:80].strip()


def downgrade() -> None:
    op.drop_table("listings")
    with op.batch_alter_table("asked") as batch_op:
        batch_op.drop_index("ix_asked_days")
        batch_op.drop_index("ix_asked_gone")
        batch_op.drop_column("gone_on")
    for table in ("audit", "vacated", "curators", "settings"):
        op.drop_table(table)
