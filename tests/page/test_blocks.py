"""Blocks, also those that this bot never sends: whatever Slack takes is drawn."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from playwright.async_api import Locator, expect

from bot.demo import PRIYA
from bot.local import GENERAL, LocalSlack
from tests.bot.local.block_kit_cases import CASES, sent

from .seat import Seat
from .test_accessible import SCRIPT, look

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("strange_messages")]

NOT_DRAWN = "data_visualization"
"""Charts: their type is named in their place."""
WIDE = """place => [...place.querySelectorAll(".block")]
  .filter(block => block.scrollWidth > block.clientWidth + 1).map(block => block.className)"""


def taken(surface: str) -> list[dict[str, Any]]:
    """Return what Slack takes there, a message or a view each, without the charts."""
    found = [sent(case) for case in CASES["taken"] if case["surface"] == surface]
    return [thing for thing in found if NOT_DRAWN not in {block["type"] for block in thing["blocks"]}]


async def call(slack: LocalSlack, method: str, **arguments: Any) -> None:
    """Call the Web API as the bot does; Slack must take it."""
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    address = f"{slack.api_url}{method}"
    async with aiohttp.ClientSession(headers=headers) as session, session.post(address, json=arguments) as response:
        answer = await response.json()
    assert answer["ok"], answer


async def post(seat: Seat, slack: LocalSlack, *blocks: dict[str, Any]) -> Locator:
    """Post blocks, and return the message once it is drawn."""
    before = await seat.messages.count()
    await call(slack, "chat.postMessage", channel=GENERAL, text="Blocks", blocks=blocks)
    await expect(seat.messages).to_have_count(before + 1)
    return seat.last


async def problems(seat: Seat, place: Locator, where: str) -> list[str]:
    """Return what is not drawn there, what reaches beyond its place, and what axe-core finds."""
    found = await place.locator(".cannot-draw, .unknown").all_inner_texts()
    found += [f"wider than its place: {name}" for name in await place.evaluate(WIDE)]
    if await seat.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("the page scrolls sideways")
    return [f"{where}: {text}" for text in found] + await look(seat, where, {})


async def test_every_message_that_slack_takes_is_drawn(seat: Seat, workspace: LocalSlack) -> None:
    await seat.page.evaluate(SCRIPT)
    wrong: list[str] = []
    for number, message in enumerate(taken("message"), 1):
        await call(workspace, "chat.postMessage", channel=GENERAL, **message)
        await expect(seat.messages).to_have_count(number)
        wrong += await problems(seat, seat.last, message["blocks"][0]["type"])
    assert not wrong, "\n".join(wrong)


async def test_every_form_that_slack_takes_is_drawn(seat: Seat, workspace: LocalSlack) -> None:
    await seat.page.evaluate(SCRIPT)
    wrong: list[str] = []
    for number, view in enumerate(taken("modal"), 1):
        trigger = workspace.workspace.new_trigger(PRIYA).id
        await call(workspace, "views.open" if number == 1 else "views.push", trigger_id=trigger, view=view)
        blocks = seat.dialog.locator(".block")
        await expect(blocks).to_have_count(len(view["blocks"]))
        wrong += await problems(seat, seat.dialog, f"form {number}")
    assert not wrong, "\n".join(wrong)


async def test_texts_of_every_kind_become_elements(seat: Seat, workspace: LocalSlack) -> None:
    words = "# Title\n\n1. **first**\n2. [there](https://example.com/)\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`x < y`"
    message = await post(seat, workspace, {"type": "markdown", "text": words})
    await expect(message.get_by_role("heading", name="Title")).to_be_visible()
    await expect(message.get_by_role("list").get_by_role("listitem")).to_have_count(2)
    await expect(message.get_by_role("link", name="there")).to_have_attribute("href", "https://example.com/")
    await expect(message.get_by_role("cell", name="2")).to_be_visible()
    await expect(message.locator("code")).to_have_text("x < y")
    mrkdwn = f"*bold* _slanted_ ~gone~ <@{PRIYA}> <javascript:alert(1)|bad> <img src=x> &lt;b&gt;"
    message = await post(seat, workspace, {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn}})
    for tag, text in (("b", "bold"), ("i", "slanted"), ("s", "gone")):
        await expect(message.locator(f".text {tag}")).to_have_text(text)
    await expect(message.get_by_role("button", name="@Priya Menon")).to_be_visible()
    # Nothing that a text holds is taken for HTML, or runs.
    await expect(message.locator(".text img, .text a")).to_have_count(0)
    await expect(message.locator(".text")).to_contain_text("<b>")


async def test_a_table_of_data_is_sorted_and_paged(seat: Seat, workspace: LocalSlack) -> None:
    names = ("Cleo", "Ann", "Ben")
    rows = [[{"type": "raw_text", "text": "Name"}], *([{"type": "raw_text", "text": name}] for name in names)]
    table = {"type": "data_table", "caption": "People", "page_size": 2, "rows": rows}
    message = await post(seat, workspace, table)
    cells = message.get_by_role("rowheader")
    await expect(cells).to_have_text(["Cleo", "Ann"])
    await seat.button("Next", message)
    await expect(cells).to_have_text(["Ben"])
    await seat.button("Name", message)
    await expect(cells).to_have_text(["Ann", "Ben"])
    await expect(message.get_by_role("columnheader")).to_have_attribute("aria-sort", "ascending")
    await seat.button("Name", message)
    await expect(cells).to_have_text(["Cleo", "Ben"])
