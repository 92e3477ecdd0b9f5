"""Questions that a person got are counted beside their terms; messages that hold words of a person can be blanked."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column(
        "terms",
        sa.Column(
            "asked_week", sa.Date(), comment="the Monday of the week in which questions to them were counted last"
        ),
    )
    op.add_column(
        "terms",
        sa.Column(
            "asked", sa.Integer(), nullable=False, server_default="0", comment="questions that they got in that week"
        ),
    )
    now = datetime.now(UTC)
    monday = now.date() - timedelta(days=now.weekday())
    terms = sa.table("terms", *map(sa.column, ("workspace", "user_id", "asked")), sa.column("asked_week", sa.Date()))
    people = sa.table(
        "ask_people", *map(sa.column, ("workspace", "user_id")), sa.column("asked_at", sa.DateTime(timezone=True))
    )
    this_week = (
        sa.select(sa.func.count())
        .select_from(people)
        .where(
            people.c.workspace == terms.c.workspace,
            people.c.user_id == terms.c.user_id,
            people.c.asked_at >= datetime.combine(monday, time(), UTC),
        )
        .scalar_subquery()
    )
    op.execute(sa.update(terms).values(asked_week=monday, asked=this_week))
    op.add_column(
        "ask_people",
        sa.Column(
            "says_name",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="they want it shown with their answer",
        ),
    )
    op.add_column(
        "ask_deliveries",
        sa.Column(
            "ts",
            sa.String(length=32),
            nullable=False,
            server_default=sa.text("''"),
            comment="of what holds words of a person, once sent",
        ),
    )
    op.add_column(
        "team_entries",
        sa.Column(
            "by_curator",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="a curator said last that it is right",
        ),
    )
    _comment("others might read the name when they were asked", "in whose week it is counted")
    # What a side said stands beside it; the other side is not to read a no out of it.
    op.execute("UPDATE keepings SET outcome = 'open' WHERE outcome = 'withdrawn'")


def _comment(shown: str, asked_at: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"COMMENT ON COLUMN ask_people.shown IS '{shown}'")
        op.execute(f"COMMENT ON COLUMN ask_people.asked_at IS '{asked_at}'")


def downgrade() -> None:
    _comment("the asker may read the name", "counts for the weekly cap")
    op.drop_column("team_entries", "by_curator")
    op.drop_column("ask_deliveries", "ts")
    op.drop_column("ask_people", "says_name")
    op.drop_column("terms", "asked")
    op.drop_column("terms", "asked_week")
