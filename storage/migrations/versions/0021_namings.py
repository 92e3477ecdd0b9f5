"""To whom people were named in a week is known as a hash, so that one who asks again counts once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "namings",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False, comment="keyed hash of who asked"),
        sa.Column("user_id", sa.String(length=32), nullable=False, comment="who was named"),
        sa.Column(
            "event",
            sa.String(length=64),
            nullable=False,
            comment="keyed hash of the event that was answered; empty where none was",
        ),
        sa.Column("week", sa.Date(), nullable=False, comment="the Monday of the week in which it was counted"),
        sa.Column("place", sa.Integer(), nullable=False, comment="in the order of the answer"),
        sa.PrimaryKeyConstraint("workspace", "mark", "user_id", "event", name=op.f("pk_namings")),
        comment="To whom people were named in a week: for one asker once, also where an answer is tried again.",
    )
    op.create_index("ix_namings_user", "namings", ["workspace", "user_id"])
    op.create_index("ix_namings_week", "namings", ["week"])


def downgrade() -> None:
    op.drop_index("ix_namings_week", "namings")
    op.drop_index("ix_namings_user", "namings")
    op.drop_table("namings")
