"""Questions without an answer, and answers that were rated."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False, comment="drawn for each answer"),
        sa.Column("noted_on", sa.Date(), nullable=False, comment="the day alone: a time would lead back to an event"),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="of answer"),
        sa.Column("entries", sa.JSON(), nullable=False, comment="ids of what was shown"),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column(
            "verdict",
            sa.String(length=8),
            nullable=True,
            comment="helpful or not; null where there was no answer to rate",
        ),
        sa.Column("question", sa.Text(), nullable=False, comment="encrypted, timeless; empty where the answer helped"),
        sa.PrimaryKeyConstraint("workspace", "id", name=op.f("pk_asked")),
        comment="Questions without an answer, and answers that were rated.",
    )
    with op.batch_alter_table("asked") as batch_op:
        batch_op.create_index("ix_asked_noted", ["noted_on"])


def downgrade() -> None:
    with op.batch_alter_table("asked") as batch_op:
        batch_op.drop_index("ix_asked_noted")
    op.drop_table("asked")
