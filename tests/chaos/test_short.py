"""A few faults in a short time; `make chaos` has them all in full."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from pydantic import SecretStr

from bot.app import build_app
from bot.serve import start_site
from bot.settings import Settings
from bot.worker import MOST_PUT_BACK_SECONDS
from tests.chaos.__main__ import complaints
from tests.chaos.runs import faulty, sqlite_killed
from tests.chaos.standin import FAULTS, SECRET, TOKEN, StandIn
from tests.chaos.tally import count
from tests.chaos.traffic import Sender, make_mentions, plan
from tests.conftest import Clock, MakeGuide, Sleeper, settled, when_asked


async def test_a_killed_bot_loses_nothing_and_repeats_only_what_was_under_way() -> None:
    result = await sqlite_killed(random.Random(3), messages=60, seconds=4.0, kills=3, longest=1.0)
    assert complaints(result) == []
    assert result.kills == 3
    assert result.tally.once + result.tally.twice >= 60


async def test_a_failing_slack_loses_nothing_and_only_a_lost_answer_repeats(
    empty_database: Path, tmp_path: Path, clock: Clock, sleeper: Sleeper, make_guide: MakeGuide
) -> None:
    rng = random.Random(4)
    file = shutil.copy(empty_database, tmp_path / "bot.sqlite3")
    async with StandIn(rng, next_fault=faulty(rng, 0.3), silent_seconds=0.05) as slack:
        settings = Settings(
            _env_file=None,  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
            slack_bot_token=SecretStr(TOKEN),
            slack_signing_secret=SecretStr(SECRET),
            slack_api_url=slack.url("one"),
            database_url=f"sqlite+aiosqlite:///{file}",
            https_proxy=None,
            ssl_cert_file=None,
        )
        bot = build_app(settings, now=clock.now, sleep=sleeper, make_guide=make_guide, regularly=when_asked)
        base, stop = await start_site(bot, "127.0.0.1", 0)
        try:
            mentions = make_mentions(rng, 40)
            await Sender([f"{base}/slack/events"]).send(plan(rng, mentions, 0.5))
            await settled(bot)
            while (depth := await bot.inbox.depth(clock.now())).waiting:
                # Three times in vain: it waits.
                clock.move(seconds=MOST_PUT_BACK_SECONDS + 1)
                await bot.worker.poll()
                await settled(bot)
        finally:
            await stop()
    tally = count(mentions, slack.posts)
    assert (tally.lost, tally.unexplained, tally.strays, depth.dead) == ([], [], [], 0)
    assert tally.once + tally.after_cuts >= 40
    assert set(slack.faults) == set(FAULTS)


def test_what_comes_twice_without_a_reason_fails_a_run() -> None:
    """The counting itself: a suite that could not fail would show nothing."""
    from tests.chaos.processes import Kill
    from tests.chaos.standin import Post

    (mention,) = make_mentions(random.Random(1), 1)
    first, again = Post(mention.key, "one.1", 10.0, 10.1), Post(mention.key, "one.2", 12.0, 12.1)
    assert not count([mention], []).good
    assert count([mention], [first]).good
    assert not count([mention], [first, again]).good
    assert not count([mention], [first, again], [Kill("one.1", 11.0)]).good
    assert not count([mention], [first, again], [Kill("one.2", 10.2)]).good
    excused = count([mention], [first, again], [Kill("one.1", 10.2)])
    assert excused.good and excused.at_kills.total() == 1
