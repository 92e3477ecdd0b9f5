"""Who reached their cap in a week that is over is found by an index of these alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
CAPPED = sa.text("weekly_cap > 0 AND suggested >= weekly_cap")


def upgrade() -> None:
    op.create_index("ix_terms_capped", "terms", ["week"], sqlite_where=CAPPED, postgresql_where=CAPPED)


def downgrade() -> None:
    op.drop_index("ix_terms_capped", "terms")
