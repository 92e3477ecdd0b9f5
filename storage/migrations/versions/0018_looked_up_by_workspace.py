"""Who is looked up next is found workspace by workspace, however many wait in another one."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.drop_index("ix_terms_look_up", "terms")
    op.create_index("ix_terms_look_up", "terms", ["workspace", "look_up_at"])


def downgrade() -> None:
    op.drop_index("ix_terms_look_up", "terms")
    op.create_index("ix_terms_look_up", "terms", ["look_up_at"])
