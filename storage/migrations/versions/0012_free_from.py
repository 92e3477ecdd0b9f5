"""Who is free by now, and who may be asked without being named, are ranges of the index that candidates come from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
ORDER = ["out_of_office", "level", "away", "suggested_at", "lot"]
INDEX = "ix_declarations_order"
RANGE = ["workspace", "kind", "key", "suggestible"]


def upgrade() -> None:
    op.add_column(
        "declarations",
        sa.Column(
            "unnamed",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="may be asked, though not named",
        ),
    )
    op.execute(
        "UPDATE declarations SET unnamed = true WHERE NOT suggestible AND EXISTS (SELECT 1 FROM terms t "
        "WHERE t.workspace = declarations.workspace AND t.user_id = declarations.user_id "
        "AND t.visibility <> 'open' AND NOT t.faded) AND NOT EXISTS (SELECT 1 FROM members m "
        "WHERE m.workspace = declarations.workspace AND m.user_id = declarations.user_id "
        "AND (m.availability = 'deactivated' OR m.is_bot OR m.is_guest))"
    )
    op.drop_index(INDEX, "declarations")
    op.create_index(INDEX, "declarations", [*RANGE, "unnamed", "free_from", *ORDER])


def downgrade() -> None:
    op.drop_index(INDEX, "declarations")
    op.create_index(INDEX, "declarations", [*RANGE, *ORDER])
    op.drop_column("declarations", "unnamed")
