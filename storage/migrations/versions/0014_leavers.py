"""Whoever declared something is looked up from time to time; who left is deleted some time after."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.add_column(
        "terms", sa.Column("look_up_at", time, comment="when the profile is looked up unasked; null for never")
    )
    op.add_column("members", sa.Column("left_at", time, comment="since when the person is known to have left"))
    terms = sa.table("terms", sa.column("look_up_at", time))
    op.execute(terms.update().values(look_up_at=datetime(1970, 1, 1, tzinfo=UTC)))
    # Since when it is so is not known of those who left before: their days begin now. Those whom a file calls
    # leavers, and whom nobody looked up yet, would otherwise be deleted at once.
    members = sa.table("members", sa.column("availability", sa.String), sa.column("left_at", time))
    op.execute(members.update().where(members.c.availability == "deactivated").values(left_at=datetime.now(UTC)))
    op.create_index("ix_terms_look_up", "terms", ["look_up_at"])
    op.create_index("ix_members_left", "members", ["left_at"])


def downgrade() -> None:
    op.drop_index("ix_members_left", "members")
    op.drop_index("ix_terms_look_up", "terms")
    op.drop_column("members", "left_at")
    op.drop_column("terms", "look_up_at")
