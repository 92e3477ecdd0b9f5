"""A modal at a prompt: asked field by field."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum

from rich.console import Console
from rich.text import Text

from . import forms
from .drawing import Drawing, draw, plain
from .forms import KINDS, Field, NotOffered, Value
from .outcome import Outcome
from .slack import LocalSlack
from .workspace import JSON, View

HINT = "A form is open: answer it, Enter goes on; cancel closes it without sending."
Ask = Callable[[str], Awaitable[str | None]]


class Kept(Enum):
    """The answer that leaves a field as it is."""

    KEPT = "kept"


KEPT = Kept.KEPT


class Left(Exception):
    """The person left the prompt (end of input)."""


class Cancelled(Exception):
    """The person closed the modal."""


class Dialog:
    """Ask one person through the modals they have open, until none is."""

    def __init__(self, slack: LocalSlack, user: str, ask: Ask, write: Console, names: Mapping[str, str]) -> None:
        self._slack, self._user, self._ask, self._write, self._names = slack, user, ask, write, names
        self._asked: set[tuple[str, str, str]] = set()
        self._drawn = self._titled = self._listed = ""

    async def run(self) -> Outcome:
        """Go through the open modals; return what the last submission brought."""
        outcome = Outcome()
        try:
            while (view := self._slack.open_view(self._user)) is not None:
                await self._show(view)
                field = next((f for f in _fields(view) if self._key(view, f) not in self._asked), None)
                if self._slack.open_view(self._user) is not view or self._drawn != view.hash:
                    continue
                if field is not None:
                    self._asked.add(self._key(view, field))
                    await self._fill(view, field)
                elif view.body.get("submit"):
                    outcome = await self._submit(view)
                else:
                    await self._line("Enter closes: ")
                    await self._slack.close(self._user)
        except Cancelled:
            await self._slack.close(self._user, everything=True)
            self._write.print("Closed without sending.", style="dim")
        return outcome

    def _key(self, view: View, field: Field) -> tuple[str, str, str]:
        return view.id, field.block_id, field.action_id

    async def _line(self, prompt: str) -> str:
        line = await self._ask(prompt)
        if line is None:
            raise Left
        if line.strip().lower() == "cancel":
            raise Cancelled
        return line.strip()

    async def _answer(self, prompt: str, *, names: bool = False) -> str:
        """Ask for a field; what is meant for the workspace's prompt must not get into it."""
        line = await self._line(prompt)
        if line.startswith("/" if names else ("/", "@")) or line.lower() == "help":
            raise NotOffered(f"{line!r} goes to the prompt of the workspace")
        return line

    def _hint(self) -> None:
        self._write.print(HINT, style="dim")

    async def _show(self, view: View) -> None:
        """Draw a view once for each content it has; let its buttons be pressed before the fields are asked."""
        if self._drawn == view.hash:
            return
        if self._titled != view.id:
            self._titled = view.id
            self._write.print(Text(f"── {plain(view.title)} ──", style="bold"), Text("(cancel closes)", style="dim"))
        self._drawn = view.hash
        drawing = draw(view.blocks, Drawing(self._names, form=True))
        for line in drawing.lines:
            self._write.print(line)
        while drawing.choices and self._slack.open_view(self._user) is view and self._drawn == view.hash:
            answer = await self._line("A number presses a button, Enter goes on: ")
            if not answer:
                return
            if not answer.isdigit() or not 1 <= int(answer) <= len(drawing.choices):
                self._write.print("There is no such number.")
                self._hint()
                continue
            choice = drawing.choices[int(answer) - 1]
            at = choice.field
            await self._slack.press(self._user, view, at.action_id, value=choice.value, block_id=at.block_id)

    async def _fill(self, view: View, field: Field) -> None:
        """Ask for one field until the answer is possible."""
        key = f"{field.block_id}/{field.action_id}"
        while True:
            try:
                value = await self._value(view, field)
                if value is KEPT:
                    return
                # What a form keeps to itself until it is submitted, and what the bot hears of at once.
                if field.is_input and not field.block.get("dispatch_action"):
                    await self._slack.enter(self._user, view, {key: value})
                else:
                    await self._slack.press(self._user, view, field.action_id, selected=value, block_id=field.block_id)
                return
            except (NotOffered, ValueError) as refusal:
                self._write.print(Text(f"That does not work: {refusal}", style="yellow"))
                self._hint()

    async def _value(self, view: View, field: Field) -> Value | Kept:
        kind = KINDS[field.type]
        state = forms.state_values(view.blocks, view.entered)[field.block_id][field.action_id]
        held = _held(state.get(kind.key))
        options = field.options
        if "external" in field.type:
            typed = await self._answer(f"{self._label(field, held)} (type to search): ")
            if not typed:
                return KEPT
            options = await self._slack.suggest(self._user, view, field.action_id, typed)
            if not options:
                raise NotOffered("nothing found")
        if options:
            hint = "numbers, with commas" if kind.many else "a number"
            shown = _numbered(options)
            # Fields that follow each other often offer the same.
            if shown.plain == self._listed:
                hint += ", as above"
            else:
                self._write.print(shown)
                self._listed = shown.plain
            answer = await self._answer(f"{self._label(field, held)} ({hint}): ")
            return _picked(answer, options, many=kind.many)
        answer = await self._answer(f"{self._label(field, held)}: ", names="users" in field.type)
        if not answer:
            return KEPT
        if answer == "-":
            return [] if kind.many else None
        if "users" in field.type:
            people = [self._person(name) for name in answer.split(",")]
            return people if kind.many else people[0]
        return [part.strip() for part in answer.split(",")] if kind.many else answer

    def _person(self, name: str) -> str:
        wanted = name.strip().lstrip("@").lower()
        for member in self._slack.workspace.members.values():
            if wanted in (member.name.lower(), member.handle, member.id.lower()):
                return member.id
        raise NotOffered(f"nobody is called {name.strip()!r}")

    def _label(self, field: Field, held: str) -> str:
        notes = [] if not field.block.get("optional") else ["optional"]
        notes += [f"Enter keeps: {held}"] if held else []
        return plain(field.label) + (f" [{'; '.join(notes)}]" if notes else "")

    async def _submit(self, view: View) -> Outcome:
        outcome = await self._slack.submit(self._user, view)
        for block_id, words in outcome.errors.items():
            label = next((plain(f.label) for f in _fields(view) if f.block_id == block_id), block_id)
            self._write.print(Text(f"{label}: {words}", style="yellow"))
            self._hint()
        self._asked -= {key for key in self._asked if key[0] == view.id and key[1] in outcome.errors}
        if outcome.error:
            self._write.print(Text(f"Slack: the app did not take the form ({outcome.error}).", style="red"))
            await self._line("Enter tries again, cancel closes: ")
        return outcome


def _fields(view: View) -> list[Field]:
    return [field for field in forms.fields(view.blocks) if field.type in KINDS]


def _held(value: object) -> str:
    """Return what a field holds now, in words."""
    match value:
        case None | "" | []:
            return ""
        case dict():
            return plain(str((value.get("text") or {}).get("text", "…")))
        case list():
            return ", ".join(_held(item) for item in value)
        case _:
            return str(value)


def _numbered(options: list[JSON]) -> Text:
    shown = [f"[{n}] {plain(option['text']['text'])}" for n, option in enumerate(options, start=1)]
    return Text("   ".join(shown))


def _picked(answer: str, options: list[JSON], *, many: bool) -> Value | Kept:
    """Read numbers (or an option's words) into option values."""
    if not answer:
        return KEPT
    if answer == "-":
        return [] if many else None
    values: list[str] = []
    for part in [p.strip() for p in answer.split(",") if p.strip()] if many else [answer]:
        if part.isdigit():
            if not 1 <= int(part) <= len(options):
                raise NotOffered(f"there is no number {part}")
            values.append(str(options[int(part) - 1]["value"]))
        else:
            found = [o for o in options if plain(o["text"]["text"]).lower() == part.lower()]
            if not found:
                raise NotOffered(f"{part!r} is not one of them")
            values.append(str(found[0]["value"]))
    return values if many else values[0]
