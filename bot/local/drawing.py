"""Blocks as text for a terminal: what a person would read, with everything that can be pressed numbered."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.emoji import Emoji
from rich.text import Text

from .forms import KINDS, Field, Value, children_of, elements_of
from .workspace import JSON

# One alternative a group: code blocks, code, links and mentions, bold, italic, strike.
MRKDWN = re.compile(
    r"```(?P<pre>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<(?P<link>[^<>]+)>"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])"
    r"|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])"
    r"|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])",
    re.DOTALL,
)
GAP = Text("   ")
STYLES = {"bold": "bold", "italic": "italic", "strike": "strike"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a number stands for: a button, or one option of a menu. `typed`: the person types what to look for."""

    field: Field
    label: str
    value: str | None = None
    selected: Value = None
    typed: bool = False


@dataclass(slots=True)
class Drawing:
    """Lines to show, and what their numbers stand for, counted on from `first`.

    With `form` the elements that keep a value are left out: a form asks for them one by one.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    first: int = 1
    form: bool = False
    lines: list[Text] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)

    def add(self, line: Text) -> None:
        """Add a line."""
        self.lines.append(line)

    def number(self, choice: Choice) -> Text:
        """Give a choice its number; return how it is shown."""
        self.choices.append(choice)
        shown = Text(f"[{self.first + len(self.choices) - 1}]", style="bold cyan")
        return shown.append(f" {choice.label}", style="not bold default")


def plain(text: str) -> str:
    """Return the characters behind Slack's escapes and emoji names."""
    return Emoji.replace(html.unescape(text))


def mrkdwn(text: str, names: Mapping[str, str]) -> Text:
    """Return Slack's mrkdwn as styled text; ids become names, links become their words."""
    out = Text()
    position = 0
    for match in MRKDWN.finditer(text):
        out.append(plain(text[position : match.start()]))
        position = match.end()
        kind = match.lastgroup or ""
        inside = match[kind]
        if kind == "link":
            out.append_text(_link(inside, names))
        elif kind == "pre":
            out.append(html.unescape(inside.strip("\n")), style="green")
        elif kind == "code":
            out.append(html.unescape(inside), style="green")
        else:
            inner = mrkdwn(inside, names)
            inner.stylize(STYLES[kind])
            out.append_text(inner)
    return out.append(plain(text[position:]))


def _link(inside: str, names: Mapping[str, str]) -> Text:
    target, _, words = inside.partition("|")
    if target[:1] in "@#":
        known = names.get(target[1:], words or target[1:])
        return Text(target[0] + known.lstrip("@#"), style="blue")
    if target.startswith("!"):
        return Text("@" + (words or target[1:]).lstrip("@"), style="blue")
    return Text(plain(words or target), style=f"underline blue link {html.unescape(target)}")


def text_object(text: JSON | None, names: Mapping[str, str]) -> Text:
    """Return a text object as styled text."""
    if not text:
        return Text()
    return mrkdwn(text["text"], names) if text["type"] == "mrkdwn" else Text(plain(text["text"]))


def draw(blocks: Sequence[JSON], drawing: Drawing) -> Drawing:
    """Draw blocks into `drawing` and return it."""
    for block in blocks:
        _draw_block(block, drawing)
        draw(children_of(block), drawing)
    return drawing


def _draw_block(block: JSON, drawing: Drawing) -> None:
    names = drawing.names
    match block["type"]:
        case "header":
            drawing.add(Text(plain(block["text"]["text"]), style="bold underline"))
        case "section":
            if block.get("text"):
                drawing.add(text_object(block["text"], names))
            for one in block.get("fields") or []:
                lines = text_object(one, names).split("\n")
                drawing.add(Text("\n").join(Text("  ") + line for line in lines))
        case "context":
            words = [text_object(e, names) for e in block["elements"] if e["type"] != "image"]
            line = Text("  ").join(words)
            line.stylize("dim")
            drawing.add(line)
        case "divider":
            drawing.add(Text("─" * 40, style="dim"))
        case "markdown":
            drawing.add(Text(block["text"]))
        case "alert":
            drawing.add(Text("! ", style="bold") + text_object(block["text"], names))
        case "image" | "video":
            drawing.add(Text(f"[{block['type']}: {plain(block['alt_text'])}]", style="dim"))
        case "rich_text":
            for element in block["elements"]:
                drawing.add(_rich(element, names))
        case "table" | "data_table":
            for row in block["rows"]:
                drawing.add(Text(" | ").join(_cell(cell, names) for cell in row))
        case "card":
            for part in ("title", "subtitle", "body"):
                if block.get(part):
                    drawing.add(text_object(block[part], names))
    _draw_elements(block, drawing)


def _cell(cell: JSON, names: Mapping[str, str]) -> Text:
    return _rich(cell, names) if cell.get("elements") else Text(plain(str(cell.get("text", cell.get("value", "")))))


def _rich(element: JSON, names: Mapping[str, str]) -> Text:
    """Return a part of rich text; lists get a bullet or a number a line."""
    kind = element["type"]
    if kind == "rich_text_list":
        marks = [
            f"{n}. " if element.get("style") == "ordered" else "• " for n in range(1, len(element["elements"]) + 1)
        ]
        indent = "  " * (element.get("indent", 0) + 1)
        items = [Text(indent + mark) + _rich(e, names) for mark, e in zip(marks, element["elements"], strict=True)]
        return Text("\n").join(items)
    if "elements" in element:
        parts = Text().join(_rich(e, names) for e in element["elements"])
        if kind == "rich_text_quote":
            return Text("│ ", style="dim") + parts
        if kind == "rich_text_preformatted":
            parts.stylize("green")
        return parts
    style = " ".join(STYLES[name] for name, on in (element.get("style") or {}).items() if on and name in STYLES)
    match kind:
        case "link":
            return Text(element.get("text") or element["url"], style=f"underline blue link {element['url']}")
        case "user" | "channel":
            mark, known = ("@", element.get("user_id")) if kind == "user" else ("#", element.get("channel_id"))
            return Text(mark + names.get(str(known), str(known)), style="blue")
        case "emoji":
            return Text(Emoji.replace(f":{element['name']}:"))
    return Text(str(element.get("text", "")), style=style)


def _draw_elements(block: JSON, drawing: Drawing) -> None:
    row: list[Text] = []
    for element in elements_of(block):
        field = Field(block, element)
        menu = element["type"] in KINDS
        choices = [] if drawing.form and menu else _choices(field)
        numbered = [drawing.number(choice) for choice in choices]
        if menu and numbered:
            # A menu gets lines of its own, in its place among the buttons, so that the numbers run on.
            if row:
                drawing.add(GAP.join(row))
            row = []
            drawing.add(Text(f"{plain(field.label)}:", style="italic"))
            drawing.add(GAP.join(numbered))
        else:
            row += numbered
    if row:
        drawing.add(GAP.join(row))


def _choices(field: Field) -> list[Choice]:
    """Return what can be done with one element."""
    element = field.element
    match element["type"]:
        case "button" | "workflow_button" | "icon_button":
            return [Choice(field, plain(field.label), value=element.get("value"))]
        case "feedback_buttons":
            both = [element["positive_button"], element["negative_button"]]
            return [Choice(field, plain(b["text"]["text"]), value=b["value"]) for b in both]
        case "external_select" | "multi_external_select":
            return [Choice(field, "search…", typed=True)]
        case kind if field.options:
            many = kind in KINDS and KINDS[kind].many
            options = [(plain(o["text"]["text"]), str(o["value"])) for o in field.options]
            return [Choice(field, words, selected=[v] if many else v) for words, v in options]
        case _:
            return []
