"""Questions that are put to a person, who was asked, and the messages that are to be written about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "asks",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="see knowledge/asking.py"),
        sa.Column(
            "version",
            sa.Integer(),
            nullable=False,
            comment="counts the transitions: of two at once one is made",
        ),
        sa.Column(
            "asker",
            sa.Text(),
            nullable=True,
            comment="who asks, and where their message stands; erased once not needed",
        ),
        sa.Column("asker_mark", sa.String(length=64), nullable=True, comment="keyed hash of who asks, erased with it"),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column(
            "to_curators",
            sa.Boolean(),
            nullable=False,
            comment="curators may read the question where nobody answers",
        ),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("further", sa.Text(), nullable=False, comment="what was asked back"),
        sa.Column("note", sa.Text(), nullable=False, comment="of a colleague who handed it over"),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("subject", sa.JSON(), nullable=False, comment="ids of roles, topics and tools"),
        sa.Column("about", sa.String(length=120), nullable=False, comment="the subject in words"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when something happens by itself; after the end: deleted",
        ),
        sa.Column(
            "lease_until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="until then one process does what is due",
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_asks")),
        comment="Questions that are put to a person.",
    )
    op.create_index("ix_asks_due", "asks", ["due_at"])
    op.create_index("ix_asks_asker", "asks", ["workspace", "asker_mark"])
    op.create_index("ix_asks_state", "asks", ["workspace", "state", "created_at"])
    op.create_table(
        "ask_people",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("ask_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False, comment="who was asked"),
        sa.Column("place", sa.Integer(), nullable=False, comment="in the order of asking"),
        sa.Column("outcome", sa.String(length=12), nullable=False, comment="has: the question is with them now"),
        sa.Column("via", sa.String(length=12), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False, comment="the asker may read the name"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False, comment="counts for the weekly cap"),
        sa.Column(
            "channel",
            sa.String(length=32),
            nullable=False,
            comment="where the message to them stands; empty before",
        ),
        sa.Column("ts", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "ask_id", "user_id", name=op.f("pk_ask_people")),
        comment="Who was asked, and what became of it.",
    )
    op.create_index("ix_ask_people_user", "ask_people", ["workspace", "user_id", "asked_at"])
    op.create_index("ix_ask_people_message", "ask_people", ["workspace", "channel", "ts"])
    op.create_table(
        "ask_deliveries",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("ask_id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False, comment="what is delivered: once for each key"),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True, comment="null for the asker"),
        sa.Column(
            "recipient",
            sa.String(length=64),
            nullable=True,
            comment="keyed hash of the asker who gets it, for a fair pace",
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="erased when sent"),
        sa.Column(
            "turn",
            sa.Integer(),
            nullable=False,
            comment="counts how often it was wanted: drawn anew, it is wanted again",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True, comment="null once it is sent"),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace", "ask_id", "key", name=op.f("pk_ask_deliveries")),
        comment="Messages about questions that are to be written, or drawn anew.",
    )
    op.create_index("ix_ask_deliveries_due", "ask_deliveries", ["due_at"])
    op.create_index("ix_ask_deliveries_workspace", "ask_deliveries", ["workspace", "due_at"])
    op.create_index("ix_ask_deliveries_recipient", "ask_deliveries", ["workspace", "recipient"])
    op.create_index("ix_ask_deliveries_user", "ask_deliveries", ["workspace", "user_id"])
    op.create_table(
        "ask_paces",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=32), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when the next call may be made",
        ),
        sa.PrimaryKeyConstraint("workspace", "method", name=op.f("pk_ask_paces")),
        comment="The pace at which messages about questions are written in a workspace, by all processes together.",
    )


def downgrade() -> None:
    for table in ("ask_paces", "ask_deliveries", "ask_people", "asks"):
        op.drop_table(table)
