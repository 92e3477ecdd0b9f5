"""What outlives a restart of the local workspace."""

from __future__ import annotations

from pathlib import Path

from bot.local import GENERAL, LocalSlack, Member
from bot.local.history import History
from bot.local.workspace import Message

ANN = Member("U0ANN000001", "Ann Archer", tz="Europe/Berlin")


def workspace() -> LocalSlack:
    return LocalSlack(members=[ANN])


def post(slack: LocalSlack, text: str, channel: str = GENERAL, ephemeral_to: str | None = None) -> Message:
    ts = slack.workspace.next_ts()
    return slack.workspace.post(Message(channel, ts, ANN.id, text, ephemeral_to=ephemeral_to))


async def test_what_was_said_and_who_joined_comes_back(tmp_path: Path) -> None:
    file, first = tmp_path / "folder" / "w.sqlite3", workspace()
    async with History(first.workspace, file):
        kept, changed = post(first, "kept"), post(first, "before")
        post(first, "only to Ann", ephemeral_to=ANN.id)
        gone = post(first, "gone")
        private = post(first, "in private", first.dm(ANN.id))
        changed.text, changed.edited_ts = "after", first.workspace.next_ts()
        first.workspace.changed(changed)
        gone.deleted = True
        first.workspace.changed(gone)
        first.workspace.add_members([Member("U0CLEO00001", "Cleo Chan", title="Data Engineer")])
        first.workspace.changed()
    second = workspace()
    async with History(second.workspace, file):
        assert [m.text for m in second.messages(GENERAL)] == ["kept", "after"]
        assert [m.text for m in second.messages(private.channel)] == ["in private"]
        assert second.workspace.members["U0CLEO00001"].title == "Data Engineer"
        found = second.workspace.find(GENERAL, kept.ts)
        assert found is not None and found.user == ANN.id
        later = post(second, "later")
    third = workspace()
    async with History(third.workspace, file):
        assert [m.text for m in third.messages(GENERAL)] == ["kept", "after", "later"]
        assert later.ts == third.messages(GENERAL)[-1].ts


async def test_a_reset_empties_the_file(tmp_path: Path) -> None:
    file, first = tmp_path / "w.sqlite3", workspace()
    async with first, History(first.workspace, file):
        post(first, "before")
        first.workspace.add_members([Member("U0CLEO00001", "Cleo Chan")])
        first.reset()
        post(first, "after")
    second = workspace()
    async with History(second.workspace, file):
        assert [m.text for m in second.messages(GENERAL)] == ["after"]
        assert list(second.workspace.members) == [ANN.id]
