"""What a person says that they do no longer: shown as far as they declare it, with the form that changes it."""

from __future__ import annotations

from handlers import ids
from handlers.blocks.message import Message, actions, button, escape, message, section
from handlers.blocks.people import View
from handlers.blocks.render import declared
from handlers.payloads import Said
from knowledge.guide import Guide
from knowledge.people import Declaration
from knowledge.ports import People

ALL_OF_IT = "To withdraw everything, say “forget me”: that also deletes what else I keep about you."


async def offer_to_change(said: Said, guide: Guide, people: People, view: View) -> Message | None:
    """Say what of it is declared, with the button that opens the form; None where the text is anything else."""
    if not guide.may_withdraw(said.text):
        return None
    declaration = await people.declaration(said.actor.workspace, said.actor.user)
    ended = guide.withdrawn(said.text, declaration)
    if ended is None:
        return None
    holds = bool(declaration.roles or declaration.topics)
    lines = [f"You have not declared {' or '.join(f'“{one}”' for one in ended.others)}."] if ended.others else []
    if not holds:
        lines.append("You declare nothing.")
    elif ended.everything or not (ended.roles or ended.topics):
        lines += ["You declared:", *declared(declaration, view)]
    else:
        roles = {role: declaration.roles[role] for role in ended.roles}
        topics = {key: declaration.topics[key] for key in ended.topics}
        lines = ["Of what you declared, this is it:", *declared(Declaration(roles, topics), view), *lines]
        lines.append("“Change…” opens the form, where you take it out and save.")
    if ended.everything:
        lines.append(ALL_OF_IT)
    label = "Open the form with what you declare"
    change = (
        button("Change…", ids.DECLARE, "-", label=label) if holds else button("Declare what I do", ids.DECLARE, "-")
    )
    return message(lines, [section(escape("\n".join(lines))), actions(change)])
