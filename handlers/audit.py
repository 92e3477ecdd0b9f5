"""The audit log, and what administrators do with the data of one person: shown, erased, and each of it recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers import ids, payloads
from handlers.blocks.audit import as_mrkdwn, as_object, names_of
from handlers.blocks.message import SECTION, Block, actions, button, cut, message, option, plain, section
from handlers.blocks.message import context as small_print
from handlers.declaring_form import input_block
from handlers.permissions import Standings
from handlers.personal import as_json
from handlers.replies import Clock, modal_of, open_modal, opening, over, show_modal
from handlers.settings import NOT_YOURS, not_yours
from knowledge.guide import Guide
from knowledge.ports import People, TeamKnowledge, Workspaces
from knowledge.workspaces import KEEP_RECORDS, Recorded

MOST_SHOWN = 20
MOST_EXPORTED, MOST_PARTS = 200, 12
"""Entries that one page of an export holds at most, and sections that they fill."""
LONGEST_COUNT = 7
UNNAMED = (
    "Left out is what the person asked or answered without their name, and the words of messages that wait: only they "
    "are shown that, by `/genai-role my data`."
)
NOTHING = "Nothing was recorded yet."
NO_MORE = "There are no more entries."
EXPORT, ERASE = "export", "erase"
WHAT: Mapping[str, str] = {EXPORT: "Show all that is kept, as JSON", ERASE: "Erase all that is kept"}


async def show_audit(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    guide: Guide,
    team: TeamKnowledge,
    standings: Standings,
    workspaces: Workspaces,
) -> None:
    """Show the last entries of the audit log to an administrator."""
    press = payloads.press(body)

    async def build() -> Block:
        if not await standings.may(client, press.actor, "see the audit log"):
            return modal_of(not_yours(), "Audit log")
        entries = await workspaces.recorded(press.actor.workspace, MOST_SHOWN)
        names = names_of(guide.catalog, await team.known(press.actor.workspace))
        note = (
            f"The last {MOST_SHOWN} entries, times in UTC. They are kept for {KEEP_RECORDS.days} days. Whoever runs me "
            "can write all of them into a file: `python -m bot audit --json`."
        )
        shown = [section(as_mrkdwn(entry, names)) for entry in entries] or [section(NOTHING)]
        if entries:
            shown.append(actions(button("Export", ids.AUDIT_EXPORT, "0", label="Show all entries as JSON, to copy")))
        return modal_of(message([note], [*shown, small_print(note)]), "Audit log")

    await open_modal(client, over(client, press), build())
    await ack()


async def export_audit(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    guide: Guide,
    team: TeamKnowledge,
    standings: Standings,
    workspaces: Workspaces,
) -> None:
    """Show entries as JSON Lines to an administrator, newest first, to copy; the value is how many to pass over."""
    press = payloads.press(body)
    skip = int(press.value) if press.value.isdecimal() and len(press.value) < LONGEST_COUNT else 0

    async def build() -> Block:
        if not await standings.may(client, press.actor, "see the audit log"):
            return modal_of(not_yours(), "Audit log")
        entries = await workspaces.recorded(press.actor.workspace, MOST_EXPORTED, skip)
        names = names_of(guide.catalog, await team.known(press.actor.workspace))
        parts, count = [""], 0
        for entry in entries:
            line = cut(f"{json.dumps(as_object(entry, names), ensure_ascii=False)}\n", SECTION)
            if len(parts[-1]) + len(line) > SECTION:
                if len(parts) == MOST_PARTS:
                    break
                parts.append("")
            parts[-1] += line
            count += 1
        said = f"Entries {skip + 1:,} to {skip + count:,}, the newest first, as JSON Lines." if count else NO_MORE
        shown: list[Block] = [{"type": "section", "text": plain(part, SECTION)} for part in parts if part]
        if count < len(entries) or count == MOST_EXPORTED:
            shown.append(actions(button("Older ones", ids.AUDIT_EXPORT, str(skip + count))))
        return modal_of(message([said], [section(said), *shown]), "Audit log")

    replacing = partial(show_modal, client, press, replace=bool(skip) and press.in_modal)
    await open_modal(client, replacing if press.in_modal else opening(client, press.trigger_id), build())
    await ack()


async def choose_person(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient, *, standings: Standings) -> None:
    """Ask an administrator whose data it is about, and what to do."""
    press = payloads.press(body)

    async def build() -> Block:
        allowed = await standings.may(client, press.actor, "export a person")
        return _person_form() if allowed else modal_of(not_yours(), "A person's data")

    await open_modal(client, over(client, press), build())
    await ack()


def _person_form() -> Block:
    who: Block = {"type": "users_select", "action_id": ids.INPUT, "placeholder": plain("Choose a person", 150)}
    what: Block = {
        "type": "radio_buttons",
        "action_id": ids.INPUT,
        "options": [option(words, choice) for choice, words in WHAT.items()],
        "initial_option": option(WHAT[EXPORT], EXPORT),
    }
    return {
        "type": "modal",
        "callback_id": ids.VIEW_PERSON,
        "title": plain("A person's data", 24),
        "submit": plain("Go on", 24),
        "close": plain("Cancel", 24),
        "blocks": [
            small_print("Either is recorded in the audit log: who did it and when, and a keyed hash of the person."),
            {**input_block(ids.BLOCK_PERSON, "Whose data", who), "optional": False},
            {**input_block(ids.BLOCK_WHAT, "What to do", what), "optional": False},
        ],
    }


async def handle_person(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    people: People,
    standings: Standings,
    workspaces: Workspaces,
    now: Clock,
) -> None:
    """Show all that is kept about a person, or ask whether to erase it."""
    submission = payloads.submission(body)
    actor = submission.actor
    user = next(iter(submission.chosen.get(ids.BLOCK_PERSON, ())), "")
    erase = ERASE in submission.chosen.get(ids.BLOCK_WHAT, ())
    if not await standings.may(client, actor, "erase a person" if erase else "export a person"):
        await ack(response_action="errors", errors={ids.BLOCK_PERSON: NOT_YOURS})
    elif not user:
        await ack(response_action="errors", errors={ids.BLOCK_PERSON: "Please choose a person."})
    elif erase:
        await ack(response_action="push", view=_confirm(user))
    else:
        kept = await people.kept(actor.workspace, user, for_another=True)
        await workspaces.record_hashed(actor.workspace, Recorded(actor.user, "person exported", now(), about=user))
        shown = as_json({"person": user, "workspace": actor.workspace, **kept}, note=UNNAMED)
        await ack(response_action="push", view=modal_of(shown, "A person's data"))


def _confirm(user: str) -> Block:
    text = (
        "Everything that I keep about this person is deleted at once: declaration, profile, conversations, questions "
        "that wait. Only a keyed hash stays, so that no import brings them back. This can't be undone."
    )
    return {
        "type": "modal",
        "callback_id": ids.VIEW_ERASE,
        "private_metadata": user,
        "title": plain("Erase this person?", 24),
        "submit": plain("Erase", 24),
        "close": plain("Keep", 24),
        "blocks": [section(text)],
    }


async def erase_person(
    ack: AsyncAck,
    body: dict[str, Any],
    client: AsyncWebClient,
    *,
    people: People,
    standings: Standings,
    now: Clock,
) -> None:
    """Erase a person, record that by the hash that is left of them, and say how much it was."""
    submission = payloads.submission(body)
    actor, user = submission.actor, submission.private_metadata
    if not await standings.may(client, actor, "erase a person"):
        await ack(response_action="update", view=modal_of(not_yours(), "A person's data"))
        return
    if not payloads.is_id(user):
        said = "I can't tell whose data that is. Please choose the person again."
        await ack(response_action="update", view=modal_of(message([said], [section(said)]), "A person's data"))
        return
    rows = await people.forget(actor.workspace, user, record=Recorded(actor.user, "person erased", now()))
    said = f"Done: I deleted everything I kept about this person ({rows} {'row' if rows == 1 else 'rows'})."
    await ack(response_action="update", view=modal_of(message([said], [section(said)]), "A person's data"))
