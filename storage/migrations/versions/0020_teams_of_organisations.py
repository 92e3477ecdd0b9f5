"""The teams of an organisation that installed the app themselves are found by an index."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_index("ix_installations_enterprise", "installations", ["enterprise_id"])


def downgrade() -> None:
    op.drop_index("ix_installations_enterprise", "installations")
