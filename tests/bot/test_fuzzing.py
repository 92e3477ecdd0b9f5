"""A few hundred mutated payloads; `make fuzz ARGS="--part front-door"` sends them for longer."""

from __future__ import annotations

import random
from functools import partial

import pytest

from bot.app import Bot
from bot.local import LocalSlack
from tests.conftest import ANN, BEN, Clock, declares
from tests.fuzz_front_door import IDS, Fuzzer


@pytest.mark.usefixtures("faults", "refusals")
@pytest.mark.parametrize("seed", range(3))
async def test_no_mutated_payload_is_a_server_error(slack: LocalSlack, bot: Bot, clock: Clock, seed: int) -> None:
    await declares(bot, slack, BEN, {"mlops-engineer": "lead"}, ("looms",))
    slack.workspace.members[ANN].admin = True
    fuzzer = Fuzzer(slack, bot, random.Random(seed), IDS, partial(clock.move, seconds=1))
    await fuzzer.run(rounds=150)
    assert fuzzer.wrong == []
    assert fuzzer.sent == 150
