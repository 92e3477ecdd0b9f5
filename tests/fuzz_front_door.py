"""Throw mutated payloads at a whole bot over signed HTTP: no server error, nothing in the log that alarms, no hang."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from slack_sdk.errors import SlackApiError

from bot.app import Bot
from bot.local import GENERAL, LocalSlack
from handlers.errors import code_of
from handlers.response_url import ELSEWHERE, ReplyError
from tests.conftest import ANN, BEN, TEAM
from tests.handlers.test_who_may import ACTIONS, OPTIONS, VIEWS

PATIENCE = 20.0
"""Seconds after which an answer is a hang."""
IDS = {"action": [*ACTIONS], "view": [*VIEWS], "options": [*OPTIONS]}
"""An id for every listener, by kind."""
MADE_UP = frozenset({"invalid_trigger_id", "channel_not_found", "user_not_found"})
"""Slack's answers to a trigger, a channel and a person that are none: only by asking can the bot find out."""
PERSON = {"user": {"id": ANN, "team_id": TEAM, "name": "ann"}, "team": {"id": TEAM}, "trigger_id": "1.2.abc"}
VALUES = ("mlops-engineer", "a1", '{"role": "mlops-engineer"}', '["a", "b"]', "helpful gAAAA", "home:{}", "team-one")
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 10**30, "", " ", "\x00", "x" * 5000, "<!channel>", "\u202e", "%s{0}", "ﷺ" * 500),
    *([], {}, [[]], [None], {"": None}, {"id": None}, [{"id": {}}], {"value": []}, "1e999", "NaN", BEN, "T0ELSEWHERE"),
)

MORE = (
    *("enterprise", "authorizations", "is_enterprise_install", "is_ext_shared_channel", "view", "container", "message"),
    *("response_url", "channel", "team", "user", "event_time", "api_app_id", "ssl_check", "type", "actions", "state"),
    *("thread_ts", "subtype", "bot_id", "files", "tokens", "team_ids", "user_team", "source_team", "selected_option"),
    *("selected_options", "selected_user", "selected_users", "profile", "deleted", "tz", "item", "assistant_thread"),
)
"""What Slack sends elsewhere, or that the bot or Bolt reads somewhere."""


class Alarms(logging.Handler):
    """Keep what is logged as an error, or with a traceback, and need not be."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if (record.levelno >= logging.ERROR or record.exc_info) and not is_right(record):
            self.found.append(self.format(record))


def is_right(record: logging.LogRecord) -> bool:
    """Tell whether an alarm is what a request, or a machine, of this kind has to bring about."""
    said = record.getMessage()
    match record.exc_info and record.exc_info[1]:
        case SlackApiError() as error:
            return code_of(error) in MADE_UP
        case ReplyError() as error:
            # Nothing is posted to an address that is not Slack's, and nothing can be to one that Slack never gave out.
            return str(error) in (ELSEWHERE, "response_url answered 404")
        case TimeoutError():
            # A busy machine may be too slow for one event; Slack sends it again, and so does the fuzzer.
            return "could not be written down" in said
        case None:
            # What it failed of three times was logged each time, and is judged by that. In a workspace that is none
            # nobody can be told either.
            return "given up after its last attempt" in said or "the app is not installed there" in said
    return False


@dataclass
class Fuzzer:
    """Send, and note what went wrong; ``ids`` are the names of listeners by kind."""

    slack: LocalSlack
    bot: Bot
    rng: random.Random
    ids: Mapping[str, list[str]]
    tick: Callable[[], object] = lambda: None
    """Lets time pass after each request: a fair pace is kept, and most of it would be refused otherwise."""
    wrong: list[str] = field(default_factory=list)
    sent: int = 0
    trigger: str | None = None
    """The last one that was handed out."""

    async def run(self, rounds: int | None = None, seconds: float | None = None) -> None:
        """Send until that many were sent, or that much time is over, or something went wrong."""
        alarms = Alarms()
        logging.getLogger().addHandler(alarms)
        until = None if seconds is None else time.monotonic() + seconds
        try:
            while not self.wrong and (rounds is None or self.sent < rounds):
                if until is not None and time.monotonic() >= until:
                    break
                await self._one(alarms)
        finally:
            logging.getLogger().removeHandler(alarms)
            # Calls with ids that are none were refused, as they should be.
            self.slack.calls.clear()

    async def _one(self, alarms: Alarms) -> None:
        body, headers = self._request()
        self.sent += 1
        self.tick()
        try:
            async with asyncio.timeout(PATIENCE):
                # A busy machine may be slower than Slack is patient, or too slow to write an event down: Slack sends it
                # again, and a person presses again. What hangs stays without an answer.
                status, _ = await self.slack.post_raw(body, headers, signed=True)
                while status in (0, 503):
                    body = self._with_new_trigger(body)
                    status, _ = await self.slack.post_raw(body, headers, signed=True)
                if self.sent % 20 == 0:
                    await self.bot.worker.idle()
                    await self.bot.tasks.finish(PATIENCE)
        except TimeoutError:
            self.wrong.append(f"no answer within {PATIENCE} s: {body[:2000]!r}")
            return
        if status not in (200, 400, 401, 413):
            self.wrong.append(f"status {status}: {body[:2000]!r}")
        if alarms.found:
            self.wrong.append(f"{alarms.found[0]}\n{body[:2000]!r}")

    def _with_new_trigger(self, body: bytes) -> bytes:
        """Put a new trigger in the place of the last one, which may be used up."""
        if self.trigger is None:
            return body
        used, self.trigger = self.trigger, self.slack.workspace.new_trigger(ANN).id
        return body.replace(used.encode(), self.trigger.encode())

    def _request(self) -> tuple[bytes, dict[str, str]]:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        honest = self._honest()
        if "trigger_id" in honest:
            honest["trigger_id"] = self.trigger = self.slack.workspace.new_trigger(ANN).id
        if "channel" in honest or "channel_id" in honest:
            url = self.slack.workspace.new_response_url(ANN, GENERAL)
            honest["response_url"] = f"{self.slack.api_url.removesuffix('/api/')}/response/{url.id}"
        payload = self._mutated(honest)
        if "command" in payload:
            return urlencode({name: value for name, value in payload.items() if isinstance(value, str)}).encode(), form
        raw = json.dumps(payload)
        if self.rng.random() < 0.1:
            # Cut, doubled, or with signs put in anywhere.
            at = self.rng.randrange(len(raw))
            raw = self.rng.choice((raw[:at], raw[:at] + raw, f"{raw[:at]}\\ud800{raw[at:]}", f"{raw[:at]}[{raw[at:]}"))
        if payload.get("type") == "event_callback":
            return raw.encode(), {"Content-Type": "application/json"}
        return urlencode({"payload": raw}).encode(), form

    def _honest(self) -> dict[str, Any]:
        choose, value = self.rng.choice, self.rng.choice(VALUES)
        view: dict[str, Any] = {
            "type": choose(("home", "modal")),
            "id": "V1",
            "private_metadata": value,
            "state": {"values": {}},
        }
        match choose(("action", "action", "view", "options", "shortcut", "command", "event")):
            case "action":
                action = {"type": "button", "action_id": choose(self.ids["action"]), "block_id": "b", "value": value}
                where = choose(({"view": {**view, "type": "home"}}, {"channel": {"id": GENERAL}}))
                return {"type": "block_actions", **PERSON, **where, "actions": [action]}
            case "view":
                fields: dict[str, Any] = {"topics": {"input": {"type": "plain_text_input", "value": value}}}
                fields["question"] = fields["team_name"] = fields["answer"] = fields["topics"]
                fields["curators"] = {"input": {"type": "multi_users_select", "selected_users": [BEN]}}
                fields["roles_lead"] = {"input": {"selected_options": [{"value": value}]}}
                view |= {"type": "modal", "callback_id": choose(self.ids["view"]), "state": {"values": fields}}
                return {"type": "view_submission", **PERSON, "view": view}
            case "options":
                return {"type": "block_suggestion", **PERSON, "action_id": choose(self.ids["options"]), "value": value}
            case "shortcut":
                return {
                    "type": "message_action",
                    **PERSON,
                    "callback_id": "find_who_can_help",
                    "message": {"text": value},
                }
            case "command":
                text = choose(("who mlops", "me", "my data", "compare a and b", "help", "settings", value))
                who = {"team_id": TEAM, "user_id": ANN, "channel_id": GENERAL, "trigger_id": "1.2.abc"}
                return {"command": "/genai-role", "text": text, **who}
            case _:
                kind = choose(("app_mention", "message", "app_home_opened", "user_change"))
                ts = f"17{self.rng.randrange(10**8):08}.000100"
                said: dict[str, Any] = {
                    "type": kind,
                    "user": ANN,
                    "channel": GENERAL,
                    "ts": ts,
                    "text": f"mlops {value}",
                    "tab": "home",
                }
                if kind == "user_change":
                    said["user"] = {"id": ANN, "profile": {"status_text": value}}
                said["channel_type"] = "im"
                event = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{self.rng.getrandbits(60):x}"}
                return event | {"event": said, "authorizations": [{"team_id": TEAM}]}

    def _mutated(self, payload: dict[str, Any]) -> dict[str, Any]:
        made = copy.deepcopy(payload)
        for _ in range(self.rng.choice((0, 1, 1, 2, 4))):
            holder, key = self.rng.choice(list(_places(made)))
            if self.rng.random() < 0.2 and isinstance(holder, dict):
                holder[self.rng.choice(MORE)] = copy.deepcopy(self.rng.choice(JUNK))
            elif self.rng.random() < 0.3 and isinstance(holder, dict):
                del holder[key]
                if not made:
                    break
            else:
                holder[key] = copy.deepcopy(self.rng.choice(JUNK))
        return made


def _places(thing: Any) -> Iterator[tuple[Any, Any]]:
    """Go through everything that can be put in another's place."""
    parts = list(thing.items()) if isinstance(thing, dict) else list(enumerate(thing))
    for key, part in parts:
        yield thing, key
        if isinstance(part, dict | list) and part:
            yield from _places(part)
