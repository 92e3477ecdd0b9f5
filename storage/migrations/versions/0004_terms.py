"""On which terms people are suggested, and how fresh what they declared is."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    terms = op.create_table(
        "terms",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("visibility", sa.String(length=12), nullable=False, comment="open, ask_first or hidden"),
        sa.Column("weekly_cap", sa.Integer(), nullable=True, comment="most suggestions a week; null for any number"),
        sa.Column("week", sa.Date(), nullable=False, comment="the Monday of the week that is counted"),
        sa.Column("suggested", sa.Integer(), nullable=False, comment="suggestions in that week"),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "check_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when to ask whether it is still right; null for never",
        ),
        sa.Column("unanswered", sa.Integer(), nullable=False, comment="such questions without an answer, in a row"),
        sa.Column("faded", sa.Boolean(), nullable=False, comment="not suggested until confirmed again"),
        sa.PrimaryKeyConstraint("workspace", "user_id", name=op.f("pk_terms")),
        comment="On which terms a person who declared something is suggested, and how fresh that is.",
    )
    with op.batch_alter_table("terms") as batch_op:
        batch_op.create_index("ix_terms_check", ["check_at"])
    with op.batch_alter_table("declarations") as batch_op:
        batch_op.alter_column(
            "kind",
            existing_type=sa.String(length=8),
            existing_nullable=False,
            comment="role, topic, or not: a topic not to be asked about",
            existing_comment="role or topic",
        )
        batch_op.add_column(
            sa.Column(
                "free_from",
                sa.DateTime(timezone=True),
                nullable=False,
                server_default=sa.text("'1970-01-01 00:00:00'"),
                comment="until then the person's weekly cap is reached",
            )
        )
    with op.batch_alter_table("declarations") as batch_op:
        batch_op.alter_column("free_from", server_default=None)
    d = sa.table(
        "declarations", sa.column("workspace"), sa.column("user_id"), sa.column("confirmed_at", sa.DateTime(True))
    )
    # Everybody who declared something before is asked a quarter after the last confirmation, as they would have been.
    assert terms is not None
    newest = sa.func.max(d.c.confirmed_at)
    if op.get_bind().dialect.name == "postgresql":
        check_at = newest + sa.text("interval '91 days'")
    else:
        check_at = sa.func.datetime(newest, "+91 days")
    op.execute(
        sa.insert(terms).from_select(
            [
                "workspace",
                "user_id",
                "visibility",
                "week",
                "suggested",
                "confirmed_at",
                "check_at",
                "unanswered",
                "faded",
            ],
            sa.select(
                d.c.workspace,
                d.c.user_id,
                sa.literal("open"),
                sa.literal(NEVER.date(), sa.Date()),
                sa.literal(0),
                newest,
                check_at,
                sa.literal(0),
                sa.false(),
            ).group_by(d.c.workspace, d.c.user_id),
        )
    )


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM declarations WHERE kind = 'not'"))
    with op.batch_alter_table("declarations") as batch_op:
        batch_op.drop_column("free_from")
        batch_op.alter_column(
            "kind",
            existing_type=sa.String(length=8),
            existing_nullable=False,
            comment="role or topic",
            existing_comment="role, topic, or not: a topic not to be asked about",
        )
    op.drop_table("terms")
