"""Imports: what a file declared and nobody has confirmed yet, and whom Slack is to be asked about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column(
        "terms",
        sa.Column(
            "imported_at",
            sa.DateTime(timezone=True),
            comment="when a file declared it; null once the person said something themself",
        ),
    )
    op.add_column(
        "members",
        sa.Column(
            "look_up_at",
            sa.DateTime(timezone=True),
            comment="when Slack is asked for the first time; null once it answered",
        ),
    )
    op.create_index("ix_members_look_up", "members", ["look_up_at"])
    # Imported before, and never looked up.
    op.execute("UPDATE members SET look_up_at = checked_at WHERE checked_at < '1971-01-01'")


def downgrade() -> None:
    op.drop_index("ix_members_look_up", "members")
    op.drop_column("members", "look_up_at")
    op.drop_column("terms", "imported_at")
