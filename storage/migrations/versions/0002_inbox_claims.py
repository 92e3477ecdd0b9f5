"""Claims with leases in the inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

LONG_AGO = "1970-01-01 00:00:00+00:00"


def upgrade() -> None:
    with op.batch_alter_table("inbox") as batch_op:
        # The defaults are for the rows that are there: free for whoever comes first.
        batch_op.add_column(
            sa.Column(
                "claimed_by",
                sa.String(length=64),
                nullable=False,
                server_default="",
                comment="the process that works on it",
            )
        )
        batch_op.add_column(
            sa.Column(
                "lease_until",
                sa.DateTime(timezone=True),
                nullable=False,
                server_default=LONG_AGO,
                comment="from then on another process may take it over",
            )
        )
        batch_op.alter_column("state", existing_type=sa.String(length=8), comment="claimed, done or dead")
        batch_op.drop_index("ix_inbox_state")
        batch_op.create_index("ix_inbox_lease", ["state", "lease_until"])
        batch_op.create_index("ix_inbox_received", ["state", "received_at"])
    op.execute("UPDATE inbox SET state = 'claimed' WHERE state = 'waiting'")
    with op.batch_alter_table("inbox") as batch_op:
        batch_op.alter_column("claimed_by", server_default=None)
        batch_op.alter_column("lease_until", server_default=None)
    with op.batch_alter_table("threads") as batch_op:
        batch_op.create_index("ix_threads_touched", ["touched_at"])


def downgrade() -> None:
    with op.batch_alter_table("threads") as batch_op:
        batch_op.drop_index("ix_threads_touched")
    op.execute("UPDATE inbox SET state = 'waiting' WHERE state = 'claimed'")
    with op.batch_alter_table("inbox") as batch_op:
        batch_op.drop_index("ix_inbox_received")
        batch_op.drop_index("ix_inbox_lease")
        batch_op.create_index("ix_inbox_state", ["state", "received_at"])
        batch_op.alter_column("state", existing_type=sa.String(length=8), comment="waiting, done or dead")
        batch_op.drop_column("lease_until")
        batch_op.drop_column("claimed_by")
