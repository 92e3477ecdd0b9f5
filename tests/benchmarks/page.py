"""The page of the local workspace in Chromium: how soon it can be used, and how soon a reply is drawn."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page

from tests.benchmarks.served import ROOT
from tests.page.chromium import launched

ADDRESS = re.compile(r"^Local workspace: (http://\S+)")
START_SECONDS = 20.0
COMMAND = "/genai-role mlops"
DRAWN = """() => {
  const box = document.querySelector("main textarea");
  const before = document.querySelectorAll("main [data-ts]").length;
  window.drawn = new Promise((done) => {
    let pressed = 0;
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter") pressed = performance.now();
    }, {capture: true});
    new MutationObserver((changes, observer) => {
      if (document.querySelectorAll("main [data-ts]").length === before) return;
      observer.disconnect();
      // The frame after the next one begins when what changed is on the screen.
      requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - pressed)));
    }).observe(document.querySelector("main"), {subtree: true, childList: true});
  });
}"""


@asynccontextmanager
async def local_workspace(folder: Path) -> AsyncIterator[tuple[str, float]]:
    """Run `python -m bot local --no-browser` with its data in a folder; give its address, and when it printed it."""
    plain = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "TMPDIR")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-u", "-m", "bot", "local", "--no-browser"),
        *("--database", f"sqlite+aiosqlite:///{folder / 'local.sqlite3'}"),
        cwd=folder,
        env={**plain, "HOME": str(folder), "PYTHONPATH": str(ROOT), "PORT": "0", "LOG_LEVEL": "WARNING"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            found = None
            while found is None and (line := await process.stdout.readline()):
                found = ADDRESS.match(line.decode())
        if found is None:
            raise RuntimeError("the local workspace did not start")
        yield found[1], time.perf_counter()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def opened(browser: Browser, address: str) -> Page:
    """Open the page in a profile of its own; it is there once the composer takes the focus."""
    page = await (await browser.new_context()).new_page()
    await page.goto(address, wait_until="commit")
    await page.locator("main textarea").focus()
    return page


async def drawn_after(page: Page) -> float:
    """Send the command; return how many milliseconds after Enter its answer was drawn."""
    await page.locator("main textarea").press_sequentially(COMMAND)
    await page.evaluate(DRAWN)
    await page.keyboard.press("Enter")
    return float(await page.evaluate("window.drawn"))


async def figures(executable: str, folder: Path, count: int) -> tuple[list[float], list[float]]:
    """Return in seconds how soon the page can be used, and in milliseconds how soon replies are drawn."""
    ready: list[float] = []
    drawn: list[float] = []
    async with launched(executable) as browser:
        for number in range(3):
            place = folder / f"workspace-{number}"
            place.mkdir()
            async with local_workspace(place) as (address, printed):
                page = await opened(browser, address)
                ready.append(time.perf_counter() - printed)
                if not drawn:
                    await drawn_after(page)
                    drawn = [await drawn_after(page) for _ in range(count)]
                await page.context.close()
    return ready, drawn
