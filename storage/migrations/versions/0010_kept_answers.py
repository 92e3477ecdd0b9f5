"""Answers that were kept: consents, and what is verified again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "keepings",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False, comment="of the question"),
        sa.Column("entry_id", sa.String(length=32), nullable=False, comment="of the entry that is made of it"),
        sa.Column("outcome", sa.String(length=12), nullable=False, comment="see knowledge/keeping.py"),
        sa.Column("asker_says", sa.String(length=4), nullable=False, comment="yes, no, or empty"),
        sa.Column("answerer_says", sa.String(length=4), nullable=False, comment="yes, no, or empty"),
        sa.Column(
            "asker_mark",
            sa.String(length=64),
            comment="keyed hash of who asked, until it is published; null if anonymous",
        ),
        sa.Column("user_id", sa.String(length=32), comment="who answered, and is asked whether it is still right"),
        sa.Column(
            "shown_author",
            sa.String(length=200),
            nullable=False,
            comment="the name that they want to be shown with it",
        ),
        sa.Column("answer", sa.Text(), nullable=False, comment="as they want it kept; empty once it is proposed"),
        sa.Column(
            "gone_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="deleted then, unless an entry was made of it",
        ),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_keepings")),
        comment="What became of asking both sides whether a question and its answer may be kept.",
    )
    op.create_index("ix_keepings_entry", "keepings", ["workspace", "entry_id"])
    op.create_index("ix_keepings_user", "keepings", ["workspace", "user_id"])
    op.create_index("ix_keepings_asker", "keepings", ["workspace", "asker_mark"])
    op.create_index("ix_keepings_gone", "keepings", ["gone_at"])
    op.create_table(
        "verifications",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("entry_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), comment="who was asked; null for nobody"),
        sa.Column(
            "verify_by",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of the entry: a later one begins anew",
        ),
        sa.Column(
            "turn",
            sa.Integer(),
            nullable=False,
            comment="0 to be asked, 1 asked, 2 reminded, 3 left to the curators",
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, comment="when the next turn comes"),
        sa.PrimaryKeyConstraint("workspace", "entry_id", name=op.f("pk_verifications")),
        comment="How far it is with asking whether an entry is still right.",
    )
    op.create_index("ix_verifications_user", "verifications", ["workspace", "user_id"])


def downgrade() -> None:
    op.drop_table("verifications")
    op.drop_table("keepings")
