"""Hashes of forgotten people, so that no import brings them back, and the secret that the hashes are made with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "forgotten",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False, comment="HMAC-SHA256 of workspace and person"),
        sa.PrimaryKeyConstraint("workspace", "mark", name=op.f("pk_forgotten")),
        comment="Keyed hashes of people who are not to be brought back by an import.",
    )
    op.create_table(
        "secrets",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="encrypted"),
        sa.PrimaryKeyConstraint("workspace", "name", name=op.f("pk_secrets")),
        comment="What is drawn once for a workspace and never shown.",
    )


def downgrade() -> None:
    op.drop_table("secrets")
    op.drop_table("forgotten")
