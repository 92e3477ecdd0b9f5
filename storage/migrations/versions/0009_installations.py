"""Installations of the app; what is noted of removals; states of OAuth that came back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "installations",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), comment="who installed it; gone once the person is forgotten"),
        sa.Column("enterprise_id", sa.String(length=32)),
        sa.Column("org_wide", sa.Boolean(), nullable=False),
        sa.Column("app_id", sa.String(length=32), nullable=False),
        sa.Column("bot_id", sa.String(length=32), nullable=False),
        sa.Column("bot_user_id", sa.String(length=32), nullable=False),
        sa.Column("url", sa.String(length=200), nullable=False, comment="where the workspace is, for profile links"),
        sa.Column("scopes", sa.Text(), nullable=False, comment="granted, with commas"),
        sa.Column(
            "asked_for",
            sa.Text(),
            nullable=False,
            comment="scopes that need not be asked for any more",
        ),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("refresh_token", sa.Text(), nullable=False, comment="empty where tokens do not rotate"),
        sa.Column("expires_at", sa.DateTime(timezone=True), comment="null where tokens do not rotate"),
        sa.Column(
            "refresh_until",
            sa.DateTime(timezone=True),
            comment="until then one process renews the token, and no other",
        ),
        sa.Column("version", sa.Integer(), nullable=False, comment="one more with each change"),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", name=op.f("pk_installations")),
        comment="Where the app is installed by OAuth.",
    )
    op.create_index("ix_installations_changed", "installations", ["changed_at"])
    op.create_index("ix_installations_expires", "installations", ["expires_at"])
    op.create_index("ix_installations_asked_for", "installations", ["asked_for"])
    op.create_table(
        "removals",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(length=32), nullable=False, comment="the event of Slack"),
        sa.Column(
            "delete_at",
            sa.DateTime(timezone=True),
            comment="when the rest goes; null where it has gone, or was installed again",
        ),
        sa.Column("deleted_rows", sa.Integer(), comment="null where nothing has been deleted"),
        sa.PrimaryKeyConstraint("workspace", "removed_at", name=op.f("pk_removals")),
        comment="Where the app was removed: what stays of a workspace, without a person.",
    )
    op.create_index("ix_removals_removed", "removals", ["removed_at"])
    op.create_index("ix_removals_delete", "removals", ["delete_at"])
    op.create_table(
        "used_states",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False, comment="SHA-256 of a state"),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "mark", name=op.f("pk_used_states")),
        comment="States of OAuth that came back, for as long as they could come back again; of no workspace yet.",
    )
    op.create_index("ix_used_states_used", "used_states", ["used_at"])


def downgrade() -> None:
    op.drop_table("used_states")
    op.drop_table("removals")
    op.drop_table("installations")
