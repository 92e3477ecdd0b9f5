"""What a workspace knows beyond the bundled knowledge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "team_entries",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("names", sa.JSON(), nullable=False, comment="other names"),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False, comment="empty for a topic"),
        sa.Column("roles", sa.JSON(), nullable=False, comment="ids, best first"),
        sa.Column("topics", sa.JSON(), nullable=False, comment="in words"),
        sa.Column("source", sa.String(length=12), nullable=False, comment="written, imported or kept"),
        sa.Column("user_id", sa.String(length=32), comment="who wrote it last; null where nobody is known"),
        sa.Column(
            "shown_author",
            sa.String(length=200),
            nullable=False,
            comment="the name that is shown with it; empty for none",
        ),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("verified_at", sa.DateTime(timezone=True)),
        sa.Column(
            "verify_by",
            sa.DateTime(timezone=True),
            comment="when somebody is to say again that it is right; null for never",
        ),
        sa.Column("state", sa.String(length=12), nullable=False, comment="proposed, published or retired"),
        sa.Column("changed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_team_entries")),
        comment="What a workspace knows beyond the bundled entries.",
    )
    op.create_index("ix_team_entries_verify", "team_entries", ["verify_by"])
    op.create_index("ix_team_entries_user", "team_entries", ["workspace", "user_id"])
    op.create_table(
        "team_aliases",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False, comment="the normalised word"),
        sa.Column("name", sa.String(length=120), nullable=False, comment="the word as typed"),
        sa.Column("entry_id", sa.String(length=64), nullable=False, comment="a bundled role, topic or tool"),
        sa.Column("user_id", sa.String(length=32), comment="who added it; null where nobody is known"),
        sa.Column("written_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("workspace", "key", name=op.f("pk_team_aliases")),
        comment="A workspace's own words for bundled entries.",
    )
    op.create_index("ix_team_aliases_user", "team_aliases", ["workspace", "user_id"])
    op.create_table(
        "team_versions",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column(
            "version", sa.String(length=32), nullable=False, comment="drawn at every change of the two tables below"
        ),
        sa.PrimaryKeyConstraint("workspace", name=op.f("pk_team_versions")),
        comment="By which processes see that what a workspace knows has changed.",
    )


def downgrade() -> None:
    op.drop_table("team_versions")
    op.drop_table("team_aliases")
    op.drop_table("team_entries")
