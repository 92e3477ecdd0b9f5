"""The local workspace at a prompt: type as a member, read what the bot answers, press buttons by number."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .dialog import Ask, Dialog, Left
from .drawing import Choice, Drawing, draw, mrkdwn, plain
from .forms import NotOffered
from .outcome import Outcome
from .slack import LocalSlack
from .typed import as_sent
from .workspace import Channel, Member, Message, View

FIRST_STEPS = """\
First steps:
  /genai-role mlops                     look up a role
  @bot who covers ethics review         ask in the channel, as a colleague would
  /as Priya                             be somebody else, then /genai-role me to declare a role
  a number                              press that button
Also: /people, /in CHANNEL, /dm, /reply TEXT (in the last thread), /home, /help, /quit"""
NOT_MEMBERS = "nobody"


class Terminal:
    """One sitting at the prompt."""

    def __init__(self, slack: LocalSlack, ask: Ask, write: Console) -> None:
        self._slack, self._ask, self._write = slack, ask, write
        self._workspace = slack.workspace
        self._user = self._people()[0]
        self._channel = self._workspace.channels[slack.channel("general")]
        self._thread: Message | None = None
        self._choices: list[tuple[Message | View, Choice]] = []
        self._seen: dict[int, str | None] = {}
        self._refusals = 0
        self._local: dict[str, Callable[[str], Awaitable[None]]] = {
            "/as": self._as,
            "/people": self._list,
            "/in": self._in,
            "/dm": self._dm,
            "/reply": self._reply,
            "/home": self._home,
            "/help": self._help,
        }

    async def run(self) -> None:
        """Ask for lines until the person leaves."""
        await self._help("")
        while True:
            self._show_new()
            line = await self._ask(self._prompt())
            if line is None:
                self._write.print()
                return
            if line.strip() in ("/quit", "/exit"):
                return
            try:
                await self._do(line.strip())
            except Left:
                return
            except (NotOffered, TimeoutError) as refusal:
                self._write.print(Text(str(refusal), style="yellow"))

    def _prompt(self) -> str:
        place = "direct message" if self._channel.is_dm else f"#{self._channel.name}"
        return f"{self._user.name} in {place}> "

    def _people(self) -> list[Member]:
        people = [m for m in self._workspace.members.values() if not m.is_bot and not m.deleted]
        if not people:
            raise NotOffered("the workspace has no members to type as")
        return people

    async def _do(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if not line:
            return
        if word in self._local:
            await self._local[word](rest.strip())
        elif line.isdigit():
            await self._press(int(line))
        elif line.startswith("/"):
            typed = as_sent(self._workspace, rest, named=True)
            await self._after(await self._slack.command(self._user.id, f"{word} {typed}", self._channel.id))
        else:
            await self._say(line, None)

    async def _say(self, line: str, thread_ts: str | None) -> None:
        text = as_sent(self._workspace, line)
        posted = await self._slack.say(self._user.id, text, self._channel.id, thread_ts)
        self._seen[id(posted)] = None
        if not self._channel.is_dm and f"<@{self._slack.bot_user}>" not in posted.text:
            self._write.print("Said to the channel; the bot hears only @bot here.", style="dim")
            return
        if not (self._channel.is_dm or self._channel.bot_member):
            self._write.print("The bot is not in this channel; only its commands work here.", style="dim")
            return
        self._thread = posted
        try:
            await self._slack.wait_for_reply(posted)
        except TimeoutError:
            self._write.print("No answer yet; it shows here when it comes.", style="yellow")

    async def _press(self, number: int) -> None:
        if not 1 <= number <= len(self._choices):
            raise NotOffered("there is no such number to press")
        surface, choice = self._choices[number - 1]
        value, selected = choice.value, choice.selected
        if choice.typed:
            selected = await self._search(surface, choice)
        user, at = self._user.id, choice.field
        await self._after(
            await self._slack.press(user, surface, at.action_id, value=value, selected=selected, block_id=at.block_id)
        )

    async def _search(self, surface: Message | View, choice: Choice) -> str:
        typed = await self._ask("Search: ")
        if typed is None:
            raise Left
        options = await self._slack.suggest(self._user.id, surface, choice.field.action_id, typed.strip())
        if not options:
            raise NotOffered("nothing found")
        for number, option in enumerate(options, start=1):
            self._write.print(Text(f"[{number}] {plain(option['text']['text'])}"))
        answer = (await self._ask("Number: ") or "").strip()
        if not answer.isdigit() or not 1 <= int(answer) <= len(options):
            raise NotOffered("nothing chosen")
        return str(options[int(answer) - 1]["value"])

    async def _after(self, outcome: Outcome) -> None:
        """Say what Slack would say, and go through a modal that was opened."""
        if outcome.error in ("operation_timeout", "dispatch_failed"):
            self._write.print(Text(f"Slack: the app did not respond ({outcome.error}).", style="red"))
        if self._slack.open_view(self._user.id) is not None:
            self._show_new()
            await Dialog(self._slack, self._user.id, self._ask, self._write, self._names()).run()

    # What is shown

    def _names(self) -> dict[str, str]:
        names = {member.id: member.display_name or member.name for member in self._workspace.members.values()}
        names |= {channel.id: channel.name for channel in self._workspace.channels.values()}
        return names | {self._slack.bot_user: self._workspace.bot.name}

    def _show_new(self) -> None:
        """Show what is new or changed for this person, in any conversation they are in."""
        fresh = [m for m in self._workspace.messages if self._is_fresh(m)]
        if fresh:
            self._choices = []
        for call in self._slack.refused[self._refusals :]:
            # What only a developer can mend: blocks, views and answers that Slack would not take.
            if call.messages:
                self._write.print(Text(f"Slack refused the app: {call}", style="red"))
        self._refusals = len(self._slack.refused)
        for message in fresh:
            self._seen[id(message)] = message.edited_ts
            self._show(message)

    def _is_fresh(self, message: Message) -> bool:
        channel = self._workspace.channels[message.channel]
        mine = channel.dm_with in (None, self._user.id) and message.visible_to(self._user.id)
        return mine and self._seen.get(id(message), "unseen") != message.edited_ts

    def _show(self, message: Message) -> None:
        names = self._names()
        head = Text(names.get(message.user, message.user), style="bold")
        if message.from_bot:
            head.append(" APP", style="reverse")
        notes = [self._where(self._workspace.channels[message.channel])]
        notes += ["in a thread"] if message.thread_ts else []
        notes += ["only visible to you"] if message.ephemeral_to else []
        notes += ["edited"] if message.edited_ts else []
        head.append("  " + ", ".join(note for note in notes if note), style="dim not reverse")
        self._write.print(head)
        drawing = Drawing(names, first=len(self._choices) + 1)
        if message.blocks:
            draw(message.blocks, drawing)
        else:
            drawing.add(mrkdwn(message.text, names))
        self._print(message, drawing)

    def _print(self, surface: Message | View, drawing: Drawing) -> None:
        for line in drawing.lines:
            self._write.print(Padding(line, (0, 0, 0, 2), expand=False))
        self._choices += [(surface, choice) for choice in drawing.choices]

    def _where(self, channel: Channel) -> str:
        if channel.id == self._channel.id:
            return ""
        return "direct message" if channel.is_dm else f"#{channel.name}"

    # The terminal's own commands

    async def _help(self, rest: str) -> None:
        self._write.print(Text(FIRST_STEPS, style="dim"))

    async def _as(self, name: str) -> None:
        wanted = name.lower().lstrip("@")
        people = self._people()
        exact = [m for m in people if wanted in (m.name.lower(), m.handle, m.id.lower())]
        found = exact or [m for m in people if wanted and m.name.lower().startswith(wanted)]
        if len(found) != 1:
            some = ", ".join(m.name for m in found) or NOT_MEMBERS
            raise NotOffered(f"which one is {name!r}? Found: {some} (/people lists everybody)")
        was_dm = self._channel.is_dm
        self._user = found[0]
        self._channel = self._workspace.dm(self._user.id) if was_dm else self._channel
        self._write.print(Text(f"You are {self._user.name} ({self._user.title or 'no title'}).", style="dim"))

    async def _list(self, rest: str) -> None:
        table = Table(box=None, header_style="dim")
        for column in ("name", "title", "time zone", "state"):
            table.add_column(column)
        for member in self._workspace.members.values():
            flags = ["bot"] * member.is_bot + ["guest"] * member.guest + ["deactivated"] * member.deleted
            state = ", ".join(flags) or member.status_text or member.presence
            table.add_row(Text(member.name), Text(plain(member.title)), member.tz, state)
        self._write.print(table)

    async def _in(self, name: str) -> None:
        self._channel = self._workspace.channels[self._slack.channel(name)]
        self._thread = None

    async def _dm(self, rest: str) -> None:
        self._channel = self._workspace.dm(self._user.id)
        self._thread = None

    async def _reply(self, text: str) -> None:
        if self._thread is None or self._thread.channel != self._channel.id:
            raise NotOffered("there is no thread to reply in yet: ask @bot something first")
        mention = "" if self._channel.is_dm or "@bot" in text else "@bot "
        await self._say(mention + text, self._thread.thread_ts or self._thread.ts)

    async def _home(self, rest: str) -> None:
        view = await self._slack.open_home(self._user.id)
        self._choices = []
        self._write.print(Text("── Home ──", style="bold"))
        self._print(view, draw(view.blocks, Drawing(self._names())))


async def run_at_terminal(slack: LocalSlack) -> None:
    """Let whoever sits at standard input use the workspace."""
    await run_terminal(slack, ask_stdin, Console(highlight=False))


async def run_terminal(slack: LocalSlack, ask: Ask, write: Console) -> None:
    """Let one person at a prompt use the workspace; `ask` shows a prompt and returns a line, None at the end."""
    await Terminal(slack, ask, write).run()


async def ask_stdin(prompt: str) -> str | None:
    """Read a line from standard input without stopping the loop; None at its end.

    The thread is a daemon: a pool's thread would keep the process from ending while it waits for Enter.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str | None] = loop.create_future()

    def settle(line: str | None) -> None:
        if not answer.done():
            answer.set_result(line)

    def read() -> None:
        try:
            line: str | None = input(prompt)
        except (EOFError, ValueError):
            line = None
        try:
            loop.call_soon_threadsafe(settle, line)
        except RuntimeError:
            # The loop was closed while the line was typed.
            return

    threading.Thread(target=read, daemon=True).start()
    return await answer
