"""Imports: what a file declared and nobody has confirmed yet."""

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


def downgrade() -> None:
    op.drop_column("terms", "imported_at")
