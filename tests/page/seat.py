"""A person at the page: types, clicks or taps, and looks at what is drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from playwright.async_api import ConsoleMessage, Locator, Page, Request, Response, ViewportSize, expect

from .pictures import keep

Kind = Literal["desktop", "phone"]
SIZES: dict[Kind, ViewportSize] = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@dataclass
class Seat:
    """One member's view of the workspace, on a desktop or a phone."""

    page: Page
    url: str
    kind: Kind
    screenshots: bool = False
    trouble: list[str] = field(default_factory=list)

    @property
    def phone(self) -> bool:
        return self.kind == "phone"

    def watch(self) -> None:
        """Note whatever a browser complains of, and every request that leaves the page's own address."""
        page = self.page

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.trouble.append(f"console {message.type}: {message.text}")

        def asked(request: Request) -> None:
            if not request.url.startswith((self.url, "data:")):
                self.trouble.append(f"asked of elsewhere: {request.url}")

        def failed(request: Request) -> None:
            # Leaving the page ends its stream.
            if not request.url.endswith("/page/stream"):
                self.trouble.append(f"failed: {request.url} {request.failure}")

        def answered(response: Response) -> None:
            if response.status >= 400:
                self.trouble.append(f"answered {response.status}: {response.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("request", asked)
        page.on("requestfailed", failed)
        page.on("response", answered)

    async def open(self) -> None:
        await self.page.goto(self.url, wait_until="commit")
        await self.composer.wait_for()

    # Where things are

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name=re.compile("^Message "))

    @property
    def messages(self) -> Locator:
        return self.page.locator("main [data-ts]")

    @property
    def last(self) -> Locator:
        return self.messages.last

    @property
    def thread(self) -> Locator:
        return self.page.get_by_role("complementary", name="Thread")

    @property
    def hood(self) -> Locator:
        return self.page.get_by_role("complementary", name="Under the hood")

    @property
    def home(self) -> Locator:
        return self.page.get_by_role("tabpanel", name="Home")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    # What a person does

    async def press(self, what: Locator) -> None:
        await (what.tap() if self.phone else what.click())

    async def button(self, name: str, within: Locator | None = None) -> None:
        """Press the button with this name, of the last message where no other place is named."""
        await self.press((within or self.last).get_by_role("button", name=name))

    async def type(self, text: str, into: Locator | None = None) -> None:
        """Type: key by key, or as the keyboard of a phone does, which puts in whole words."""
        box = into or self.composer
        await self.press(box)
        if not self.phone:
            await box.press_sequentially(text)
            return
        for word in re.findall(r"\S+\s*", text):
            await self.page.keyboard.insert_text(word)

    async def say(self, text: str, into: Locator | None = None) -> None:
        """Type and send."""
        box = into or self.composer
        await self.type(text, box)
        await box.press("Enter")
        await expect(box).to_have_value("")

    async def ask(self, text: str, answer: str) -> Locator:
        """Send, and return the answer once it is drawn: the last message, with these words."""
        await self.say(text)
        return await self.drawn(self.last, answer)

    async def drawn(self, what: Locator, text: str) -> Locator:
        """Return this once it holds the text; it looks sooner again than `expect` does."""
        await what.filter(has_text=text).wait_for()
        return what

    async def unfold(self) -> None:
        """Bring the sidebar in, where it is a sheet."""
        if self.phone:
            await self.button("Open the menu", self.page.get_by_role("main"))

    async def go(self, place: str) -> None:
        await self.unfold()
        await self.button(place, self.page.get_by_role("navigation"))

    async def go_app(self, tab: Literal["Home", "Messages"]) -> None:
        await self.go("genai-roles, app")
        await self.press(self.page.get_by_role("tab", name=tab))

    async def be(self, name: str) -> None:
        """Become somebody else, by the switcher."""
        await self.unfold()
        await self.button("You are", self.page.get_by_role("navigation"))
        await self.dialog.get_by_role("combobox", name="Search members").press_sequentially(name)
        await self.press(self.dialog.get_by_role("option", name=name))
        await expect(self.page.get_by_text(f"You are {name} now.")).to_be_visible()

    async def menu(self, name: str) -> None:
        """Choose in the workspace's menu."""
        await self.unfold()
        await self.button("GenAI Team menu", self.page.get_by_role("navigation"))
        await self.press(self.page.get_by_role("menu").locator("button").filter(has_text=re.compile(f"^{name}")))

    async def choose(self, label: str, option: str, within: Locator) -> None:
        """Choose in a select: type some of it, and take it from the list."""
        box = within.get_by_role("combobox", name=label)
        await self.press(box)
        await box.press_sequentially(option)
        await self.press(self.page.get_by_role("option", name=option))

    async def open_thread(self) -> None:
        """Open the thread under the last message that has replies."""
        await self.press(self.page.locator("main .summary").last)
        await expect(self.thread).to_be_visible()

    async def picture(self, name: str, of: Kind = "desktop") -> None:
        """Keep what is seen as docs/images/<name>.png, where pictures are asked for."""
        if self.screenshots and self.kind == of:
            await keep(self.page, name)
