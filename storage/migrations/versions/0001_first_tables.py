"""First tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "declarations",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False, comment="role or topic"),
        sa.Column("key", sa.String(length=120), nullable=False, comment="role id, or the normalised topic"),
        sa.Column("label", sa.String(length=120), nullable=False, comment="the topic as typed"),
        sa.Column("level", sa.Integer(), nullable=False, comment="0 lead, 1 practitioner, 2 learning, 3 none"),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suggestible", sa.Boolean(), nullable=False),
        sa.Column("out_of_office", sa.Boolean(), nullable=False),
        sa.Column("away", sa.Boolean(), nullable=False),
        sa.Column("suggested_at", sa.DateTime(timezone=True), nullable=False, comment="1970 where never"),
        sa.Column("lot", sa.Integer(), nullable=False, comment="drawn once: decides between equals"),
        sa.PrimaryKeyConstraint("workspace", "user_id", "kind", "key", name=op.f("pk_declarations")),
    )
    with op.batch_alter_table("declarations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_declarations_order",
            ["workspace", "kind", "key", "suggestible", "out_of_office", "level", "away", "suggested_at", "lot"],
            unique=False,
        )

    op.create_table(
        "inbox",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("message_ts", sa.String(length=32), nullable=True),
        sa.Column(
            "user_id", sa.String(length=32), nullable=True, comment="who caused it; gone once the person is forgotten"
        ),
        sa.Column("body", sa.Text(), nullable=False, comment="erased when done"),
        sa.Column("state", sa.String(length=8), nullable=False, comment="waiting, done or dead"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "event_id", name=op.f("pk_inbox")),
        sa.UniqueConstraint("workspace", "channel", "message_ts", name=op.f("uq_inbox_workspace_channel_message_ts")),
    )
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.create_index("ix_inbox_state", ["state", "received_at"], unique=False)
        batch_op.create_index("ix_inbox_user", ["workspace", "user_id"], unique=False)

    op.create_table(
        "members",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("tz", sa.String(length=64), nullable=False),
        sa.Column("availability", sa.String(length=16), nullable=False),
        sa.Column("is_bot", sa.Boolean(), nullable=False),
        sa.Column("is_guest", sa.Boolean(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "user_id", name=op.f("pk_members")),
        comment="Profiles, as Slack gave them, of people who declared something.",
    )
    op.create_table(
        "threads",
        sa.Column("workspace", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("thread", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False, comment="who asked last"),
        sa.Column("subject", sa.JSON(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "channel", "thread", name=op.f("pk_threads")),
        comment="What a conversation is about: ids of entries, never its text.",
    )
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.create_index("ix_threads_user", ["workspace", "user_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("threads", schema=None) as batch_op:
        batch_op.drop_index("ix_threads_user")

    op.drop_table("threads")
    op.drop_table("members")
    with op.batch_alter_table("inbox", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_user")
        batch_op.drop_index("ix_inbox_state")

    op.drop_table("inbox")
    with op.batch_alter_table("declarations", schema=None) as batch_op:
        batch_op.drop_index("ix_declarations_order")

    op.drop_table("declarations")
