"""States of OAuth belong to no workspace: a column that was always empty goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
COMMENT = "States of OAuth that came back, for as long as they could come back again; of no workspace yet."


def upgrade() -> None:
    _make(sa.PrimaryKeyConstraint("mark", name=op.f("pk_used_states")))


def downgrade() -> None:
    workspace = sa.Column("workspace", sa.String(length=32), nullable=False, server_default="")
    _make(workspace, sa.PrimaryKeyConstraint("workspace", "mark", name=op.f("pk_used_states")))


def _make(*parts: sa.schema.SchemaItem) -> None:
    # Rows are good for ten minutes and there are few; SQLite changes no primary key in place.
    op.drop_index("ix_used_states_used", "used_states")
    op.rename_table("used_states", "used_states_old")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("pk_used_states", "used_states_old")
    op.create_table(
        "used_states",
        sa.Column("mark", sa.String(length=64), nullable=False, comment="SHA-256 of a state"),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        *parts,
        comment=COMMENT,
    )
    op.execute("INSERT INTO used_states (mark, used_at) SELECT mark, used_at FROM used_states_old")
    op.drop_table("used_states_old")
    op.create_index("ix_used_states_used", "used_states", ["used_at"])
