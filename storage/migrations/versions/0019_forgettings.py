"""When people were forgotten is known for a day, so that what was under way leaves no row about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "forgettings",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column(
            "mark",
            sa.String(length=64),
            nullable=False,
            comment="HMAC-SHA256 of workspace and person, unlike that which stays",
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "mark", name=op.f("pk_forgettings")),
        comment="When people were forgotten, for a day: what was under way then leaves nothing about them.",
    )
    op.create_index("ix_forgettings_at", "forgettings", ["at"])


def downgrade() -> None:
    op.drop_index("ix_forgettings_at", "forgettings")
    op.drop_table("forgettings")
