"""What axe-core finds of the page, in light and dark, on a desktop and a phone: nothing serious."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from .conftest import Opened
from .seat import Kind, Seat

pytestmark = pytest.mark.asyncio(loop_scope="session")

GRAVE = ("serious", "critical")
SCRIPT = Axe().axe_script


async def look(seat: Seat, where: str, options: dict[str, object]) -> list[str]:
    """Return what is wrong here, a line each."""
    found = await seat.page.evaluate("options => axe.run(options)", {"resultTypes": ["violations"], **options})
    return [
        f"{where}: {fault['id']} ({fault['impact']}) at {node['target']}: {node['failureSummary']}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["desktop", "phone"])
async def test_axe_finds_nothing_serious(opened: Opened, kind: Kind, theme: Literal["light", "dark"]) -> None:
    # A theme changes colours and nothing else, so the rest is looked at once.
    options: dict[str, object] = {"runOnly": ["color-contrast", "link-in-text-block"]} if theme == "dark" else {}
    wrong: list[str] = []
    async with opened(kind) as seat:
        await seat.page.emulate_media(color_scheme=theme)
        await seat.page.evaluate(SCRIPT)
        await seat.ask("/genai-role mlops", "Responsibilities")
        await seat.ask("/genai-role compare mlops and mle", "How to tell them apart")
        await seat.say("@genai-roles who covers ethics review?")
        await seat.drawn(seat.last, "1 reply")
        wrong += await look(seat, "channel", options)
        await seat.open_thread()
        await seat.drawn(seat.thread, "Nobody was notified.")
        wrong += await look(seat, "thread", options)
        await seat.button("Close thread", seat.thread)

        await seat.say("/genai-role me")
        await seat.choose("I practise", "AI Product Manager", seat.dialog)
        wrong += await look(seat, "form with its list open", options)
        await seat.page.keyboard.press("Escape")
        await seat.button("Save", seat.dialog)
        await seat.drawn(seat.dialog, "Keep it in one place")
        wrong += await look(seat, "form with a mistake", options)
        await seat.button("Cancel", seat.dialog)

        await seat.button("Under the hood", seat.page.get_by_role("main"))
        await seat.press(seat.hood.locator("summary").first)
        wrong += await look(seat, "under the hood", options)
        await seat.button("Close under the hood", seat.hood)

        await seat.go_app("Home")
        await seat.drawn(seat.home, "What I declare")
        wrong += await look(seat, "Home tab", options)
        for section, words in (("Directory", "people in the directory"), ("Privacy", "Never"), ("Help", "Support")):
            await seat.button(section, seat.home)
            await seat.drawn(seat.home, words)
            wrong += await look(seat, section, options)
        await seat.unfold()
        await seat.button("You are", seat.page.get_by_role("navigation"))
        await expect(seat.dialog.get_by_role("option").first).to_be_visible()
        wrong += await look(seat, "people", options)
        assert not wrong, "\n".join(wrong)
