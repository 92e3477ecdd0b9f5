"""The directory as it is shown: what filters it, the people of a page, and the way to the others."""

from __future__ import annotations

import json
from collections.abc import Mapping

from handlers import ids
from handlers.blocks.message import Block, actions, button, context, cut, escape, header, option, plain, section
from handlers.blocks.people import LONGEST_NAME, NOT_A_MEMBER, Footing, View, dated, local_time
from handlers.places import Place
from knowledge.directory import MOST_COUNTED, Entry, Page, Shown
from knowledge.people import Declaration

ALL_ROLES = "-"
LONGEST_LINE = 700
"""Cut here, before markup is put around it: roles and topics always fit in one section."""
NOT_SHOWN = {
    "ask_first": "Others don't see your name, only that somebody here does this: you want to be asked first.",
    "hidden": "Others see nothing of this: you are hidden.",
    "open": "Others don't see this: only active members of this workspace are shown.",
}


def directory(
    page: Page, counts: Mapping[str, int], place: Place, view: View, topic: str = "", ask_about: str = ""
) -> list[Block]:
    """Show a page of it; ``topic``: the words of the chosen one; ``ask_about``: the entry that can be asked about."""
    if not counts.get(""):
        return _nobody_yet()
    blocks = [
        header("Directory"),
        *_filters(counts, place, view, topic),
        section(_found(page, counts, place, topic, view)),
    ]
    for one in page.entries:
        blocks += entry(one, view)
    ways = [
        *([button("← Back", f"{ids.DIRECTORY}:back", _at(page.entries[0]))] if page.before else []),
        *([button("Next →", f"{ids.DIRECTORY}:next", _at(page.entries[-1]))] if page.after else []),
        *([button("Ask someone", ids.ASK, ask_about, label="Show whom to ask about this")] if ask_about else []),
    ]
    if ways:
        blocks.append(actions(*ways))
    blocks.append(
        context(
            "In order of name. Whoever wants to be asked first or is hidden is not listed, nor is what was not "
            "confirmed for long. Nobody is notified."
        )
    )
    return blocks


def entry(one: Entry, view: View) -> list[Block]:
    """Show a person as everybody who looks into the directory sees them; a name in plain text notifies nobody."""
    name = cut(" ".join(one.name.split()), LONGEST_NAME) or f"member {one.at.user}"
    roles = ", ".join(
        f"{view.roles[role].name if role in view.roles else role} ({level})" for role, level in one.roles.items()
    )
    lines = [f"*{escape(name)}*", escape(cut(roles, LONGEST_LINE))]
    if one.topics:
        lines.append("Topics: " + escape(cut(", ".join(one.topics), LONGEST_LINE)))
    small = [
        local_time(view.now, one.tz),
        dated(view.now, one.confirmed, imported=one.imported),
        {"ooo": "out of office", "away": "away now"}.get(one.availability, ""),
    ]
    return [section("\n".join(filter(None, lines))), context(escape(" · ".join(filter(None, small))))]


def seen_by_others(shown: Shown, declaration: Declaration, view: View, footing: Footing) -> list[Block]:
    """Show somebody who declared something what others see of it."""
    if shown.entry is not None:
        return [section("*What others see of you in the directory:*"), *entry(shown.entry, view)]
    if footing.member is False:
        return [section(f"*What others see of you:* {NOT_A_MEMBER}")]
    if shown.faded:
        text = "*Others don't see this now:* you did not confirm it for long. *Change* and *Save* bring it back."
        return [section(text)]
    return [section(f"*What others see of you:* {NOT_SHOWN[declaration.terms.visibility]}")]


def _nobody_yet() -> list[Block]:
    return [
        header("Directory"),
        section("*Nobody is in the directory yet.* Be the first: say what you do, and whoever looks for it finds you."),
        actions(button("Declare what I do", ids.DECLARE, "-", primary=True)),
        section(
            "*To begin as a team:* tell your colleagues to type `/genai-role me`; it takes a minute. Whoever runs me "
            "can bring in a list: `python -m bot people import FILE`."
        ),
    ]


def _filters(counts: Mapping[str, int], place: Place, view: View, topic: str) -> list[Block]:
    roles = [option("All roles", ALL_ROLES)]
    roles += [option(f"{role.name} ({_number(counts.get(role.id, 0))})", role.id) for role in view.roles.values()]
    by_role: Block = {
        "type": "static_select",
        "action_id": f"{ids.DIRECTORY}:role",
        "placeholder": plain("Role", 150),
        "options": roles,
        "initial_option": next((one for one in roles if one["value"] == place.role), roles[0]),
    }
    by_topic: Block = {
        "type": "external_select",
        "action_id": ids.DIRECTORY_TOPIC,
        "placeholder": plain("Any topic", 150),
        "min_query_length": 0,
    }
    if place.topic:
        by_topic["initial_option"] = option(topic or place.topic, place.topic)
    chosen = [by_role, by_topic]
    if place.role or place.topic or place.typed:
        chosen.append(button("Clear", f"{ids.DIRECTORY}:clear", "-", label="Clear role, topic and search"))
    search: Block = {
        "type": "plain_text_input",
        "action_id": f"{ids.DIRECTORY}:search",
        "max_length": LONGEST_NAME,
        "placeholder": plain("Ann, or Airflow", 150),
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    if place.typed:
        search["initial_value"] = place.typed
    # What a person entered stays while the ids stay: after "Clear" they are others.
    return [
        {**actions(*chosen), "block_id": f"directory_filters_{place.cleared}"},
        {
            "type": "input",
            "block_id": f"directory_search_{place.cleared}",
            "dispatch_action": True,
            "optional": True,
            "label": plain("Search by name or topic, and press Enter", 2000),
            "element": search,
        },
    ]


def _found(page: Page, counts: Mapping[str, int], place: Place, topic: str, view: View) -> str:
    role = view.roles[place.role].name if place.role in view.roles else ""
    about = " and ".join(filter(None, [escape(role), escape(f"“{topic or place.topic}”") if place.topic else ""]))
    if not page.entries:
        fits = " for ".join(filter(None, [f"“{escape(place.typed)}”" if place.typed else "", about]))
        if not page.all_found:
            return f"*Nobody found so far for {fits}.* It fits more people than I look through: type more letters."
        return f"*Nobody is in the directory for {fits}.*"
    if place.typed:
        inside = f" among {about}" if about else ""
        more = "" if page.all_found else " It fits more people than are shown: type more letters."
        return f"*Found by “{escape(place.typed)}”{inside}.*{more}"
    if place.topic:
        return f"*Declared {about}:*"
    number = counts.get(place.role, 0)
    people = "person" if number == 1 else "people"
    return (
        f"*{_number(number)} {people}* declared {about}." if role else f"*{_number(number)} {people}* in the directory."
    )


def _number(count: int) -> str:
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


def _at(one: Entry) -> str:
    return json.dumps([one.at.name, one.at.user], ensure_ascii=False)
