"""Who wrote some of an answer is noted, so that it is not guessed by what became of asking them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column(
        "ask_people",
        sa.Column(
            "wrote", sa.Boolean(), nullable=False, server_default=sa.false(), comment="some of the answer is theirs"
        ),
    )
    # Where somebody was asked back it can't be told any more who wrote: it may have been any of them.
    op.execute(
        "UPDATE ask_people SET wrote = true WHERE outcome = 'answered' OR EXISTS (SELECT 1 FROM asks a "
        "WHERE a.workspace = ask_people.workspace AND a.id = ask_people.ask_id AND a.further <> '')"
    )


def downgrade() -> None:
    op.drop_column("ask_people", "wrote")
