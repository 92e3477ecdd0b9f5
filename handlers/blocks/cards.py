"""Cards: a role, a topic or a tool explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from handlers import ids
from handlers.blocks.message import Block, Message, actions, button, context, cut, escape, header, message, section
from handlers.blocks.people import View, holders
from knowledge.answers import Facet, Part, RoleCard, ToolCard, TopicCard
from knowledge.models import Example, Handover, Role, RoleNote, Statement, Tool

MOST_TOOLS = 12
MARKS = {"guide": "•", "ours": "◦"}
BY_FIELD = "My knowledge doesn't answer that itself. It lies in the field of this role:"
LEGEND = "• from the guide   ◦ added by this project"


class Lines:
    """Collect a message: what is said in words, and how it is drawn."""

    def __init__(self, title: str, words: Iterable[str] | None = None, blocks: Iterable[Block] | None = None) -> None:
        self.words = [title] if words is None else list(words)
        self.blocks: list[Block] = [header(title)] if blocks is None else list(blocks)

    def paragraph(self, statements: Iterable[Statement]) -> None:
        """Add statements as running text."""
        text = " ".join(statement.text for statement in statements)
        self.words.append(text)
        self.blocks.append(section(escape(text)))

    def bullets(self, title: str, statements: Sequence[Statement]) -> None:
        """Add a list under a title, each line marked by its source."""
        if statements:
            self.words += [f"{title}:", *(f"{MARKS[s.source]} {s.text}" for s in statements)]
            self.blocks.append(
                section(f"*{title}*\n" + "\n".join(f"{MARKS[s.source]} {escape(s.text)}" for s in statements))
            )

    def text(self, title: str, words: str) -> None:
        """Add one line under a title."""
        self.words.append(f"{title}: {words}")
        self.blocks.append(section(f"*{title}:* {escape(words)}"))

    def example(self, example: Example) -> None:
        """Add the example, with its code."""
        self.words.append(f"Example: {example.text}")
        drawn = f"*Example*\n{MARKS[example.source]} {escape(example.text)}"
        if example.code:
            self.words.append(example.code.rstrip())
            drawn += f"\n```{escape(example.code.rstrip())}```"
        self.blocks.append(section(drawn))

    def handovers(self, view: View, handovers: Sequence[Handover]) -> None:
        """Add whom the role works with, and what goes which way."""
        self.words.append("Works with:")
        drawn = ["*Works with*"]
        for with_whom in handovers:
            name = view.roles[with_whom.role].name
            self.words.append(
                f"{MARKS[with_whom.source]} {name}: gives {lower(with_whom.gives)} Gets {lower(with_whom.gets)}"
            )
            drawn.append(
                f"{MARKS[with_whom.source]} *{escape(name)}:* gives {escape(lower(with_whom.gives))} "
                f"Gets {escape(lower(with_whom.gets))}"
            )
        self.blocks.append(section("\n".join(drawn)))

    def role_notes(self, view: View, title: str, notes: Sequence[RoleNote]) -> None:
        """Add a list of notes about other roles."""
        self.words += [f"{title}:", *(f"{MARKS[n.source]} {view.roles[n.role].name}: {n.text}" for n in notes)]
        self.blocks.append(
            section(
                f"*{title}*\n"
                + "\n".join(f"{MARKS[n.source]} *{escape(view.roles[n.role].name)}:* {escape(n.text)}" for n in notes)
            )
        )

    def tools(self, tools: Sequence[tuple[Tool, RoleNote]], *, purposes: bool) -> None:
        """Add the tools of a role, by name, or with what each is for."""
        if not tools:
            return
        shown = tools[:MOST_TOOLS]
        if purposes:
            self.words += ["Tools:", *(f"{MARKS[note.source]} {tool.name}: {note.text}" for tool, note in shown)]
            self.blocks.append(
                section(
                    "*Tools*\n"
                    + "\n".join(
                        f"{MARKS[note.source]} *{escape(tool.name)}:* {escape(note.text)}" for tool, note in shown
                    )
                )
            )
        else:
            self.text("Tools", " · ".join(tool.name for tool, _ in shown))

    def source(self, where: str, name: str) -> None:
        """Add which entry the answer stands on."""
        self.words.append(f"Source: {name} ({where}), bundled knowledge base.")
        self.blocks.append(context(f"Source: *{escape(name)}* ({where})", LEGEND))

    def message(self, *last: Block) -> Message:
        """Finish the message."""
        return message(self.words, [*self.blocks, *last])


def lower(sentence: str) -> str:
    """Begin a sentence in lower case, unless its first word is a name or an abbreviation."""
    first = sentence.split(" ", 1)[0]
    return sentence if first[1:] != first[1:].lower() or first in ("A/B",) else sentence[0].lower() + sentence[1:]


def role_card(answer: RoleCard, view: View) -> Message:
    """Show a role: all of it, or the part that was asked for."""
    role, facet = answer.role, answer.facet
    lines = _in_short(role) if answer.by_field else _described(answer, view)
    if answer.names_people:
        words, marked = holders(view, answer.holders)
        lines.words.append(words)
        lines.blocks.append(section(marked))
    if answer.others:
        also = ", ".join(other.name for other in answer.others)
        lines.words.append(f"Also near: {also}.")
        lines.blocks.append(context(f"Also near: {escape(also)}"))
    lines.source(f"roles/{role.id}", role.name)
    return lines.message(_role_buttons(role, whole=facet == "summary" and answer.part is None and not answer.by_field))


_Described = tuple[Role, tuple[str, ...], tuple[Block, ...]]
_described_before: dict[tuple[int, Facet, Part | None], _Described] = {}


def _described(answer: RoleCard, view: View) -> Lines:
    """Draw what is the same on every card of the role; drawn once, as most commands ask for it.

    Kept by the identity of the role, which is held, so that another catalog's role of the same id is drawn anew.
    """
    key = (id(answer.role), answer.facet, answer.part)
    if key not in _described_before:
        drawn = _describe(answer, view)
        _described_before[key] = (answer.role, tuple(drawn.words), tuple(drawn.blocks))
    _, words, blocks = _described_before[key]
    return Lines(answer.role.name, words, blocks)


def _in_short(role: Role) -> Lines:
    """Draw whose field a question is: who that is and what to ask them, not all that is known of the role."""
    lines = Lines(role.name, [BY_FIELD, role.name], [section(BY_FIELD), header(role.name)])
    lines.paragraph(role.summary[:1])
    lines.bullets("Ask them about", role.ask_about)
    return lines


def _describe(answer: RoleCard, view: View) -> Lines:
    role, facet = answer.role, answer.facet
    lines = Lines(f"{role.name} (emerging role)" if role.emerging else role.name)
    if answer.part is not None:
        lines.paragraph(role.summary[:1])
        _add_part(lines, role, answer.part, view)
    elif facet in ("summary", "people", "compare"):
        lines.paragraph(role.summary)
        lines.bullets("Responsibilities", role.responsibilities)
        lines.bullets("Skills", role.skills)
        lines.tools(answer.tools, purposes=False)
        lines.example(role.example)
        lines.handovers(view, role.works_with)
    else:
        lines.paragraph(role.summary[:1])
        if facet == "responsibilities":
            lines.bullets("Responsibilities", role.responsibilities)
            lines.bullets("Delivers", role.delivers)
        elif facet == "skills":
            lines.bullets("Skills", role.skills)
            lines.tools(answer.tools, purposes=True)
        else:
            lines.example(role.example)
    return lines


def _add_part(lines: Lines, role: Role, part: Part, view: View) -> None:
    match part:
        case "delivers":
            lines.bullets("Delivers", role.delivers)
        case "success_measures":
            lines.bullets("How its success is measured", role.success_measures)
        case "decides":
            lines.bullets("Decides", role.decides)
            lines.bullets("Does not decide", role.does_not_decide)
        case "works_with":
            lines.handovers(view, role.works_with)
        case "ask_about":
            lines.bullets("What to ask this person", role.ask_about)
        case "grows_from":
            lines.role_notes(view, "How to grow into it from", role.grows_from)
        case _:
            assert_never(part)


def _role_buttons(role: Role, *, whole: bool) -> Block:
    first = button("More", ids.MORE, role.id) if whole else button("Whole card", "open_entry", role.id)
    return actions(
        button("I do this", ids.DECLARE, role.id, label=f"Declare that you do the work of the {role.name}"),
        button("Ask someone", ids.ASK, role.id, label=f"Show whom to ask about {role.name}"),
        button("Compare", ids.COMPARE, role.id, label=f"Compare {role.name} with another role"),
        first,
        button("Share in channel", ids.SHARE, role.id, label=f"Post the card of {role.name} for everybody here"),
    )


def more_about(role: Role, view: View) -> Message:
    """Show the second half of a role: what it delivers, decides, is confused with and grows from."""
    lines = Lines(f"{role.name}: more")
    lines.bullets("Delivers", role.delivers)
    lines.bullets("How its success is measured", role.success_measures)
    lines.bullets("Decides", role.decides)
    lines.bullets("Does not decide", role.does_not_decide)
    lines.bullets("What to ask this person", role.ask_about)
    lines.role_notes(view, "Often confused with", role.confused_with)
    lines.role_notes(view, "How to grow into it from", role.grows_from)
    lines.source(f"roles/{role.id}", role.name)
    return lines.message(actions(button("First half", "open_entry", role.id), button("Ask someone", ids.ASK, role.id)))


def topic_card(answer: TopicCard, view: View) -> Message:
    """Show a topic: the answer, the details, whose field it is."""
    topic = answer.topic
    lines = Lines(topic.name)
    lines.words.append(topic.question)
    lines.blocks.append(context(escape(topic.question)))
    lines.paragraph(topic.answer)
    lines.bullets("Worth knowing", topic.details)
    if answer.tools:
        lines.text("Tools", " · ".join(tool.name for tool in answer.tools))
    lines.text("Whose field it is", ", ".join(role.name for role in answer.roles))
    lines.source(f"topics/{topic.id}", topic.name)
    return lines.message(_entry_buttons(topic.id, topic.name, answer.roles))


def tool_card(answer: ToolCard, view: View) -> Message:
    """Show a tool: what it is, and who uses it for what."""
    tool = answer.tool
    lines = Lines(tool.name)
    lines.paragraph(tool.summary)
    lines.role_notes(view, "Who uses it", tool.used_by)
    lines.source(f"tools/{tool.id}", tool.name)
    return lines.message(_entry_buttons(tool.id, tool.name, [role for role, _ in answer.users]))


def _entry_buttons(entry_id: str, name: str, roles: Sequence[Role]) -> Block:
    opened = [button(cut(role.short, 24), f"open_entry:{at}", role.id) for at, role in enumerate(roles[:2], 1)]
    return actions(
        *opened,
        button("Ask someone", ids.ASK, entry_id, label=f"Show whom to ask about {name}"),
        button("Share in channel", ids.SHARE, entry_id, label=f"Post the entry {name} for everybody here"),
    )
