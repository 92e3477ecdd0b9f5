"""The front door: only Slack gets in, and whatever is sent, nothing breaks."""

from __future__ import annotations

import io
import json
import logging
import time
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.app import Bot
from bot.intake import inbox_event
from bot.local import GENERAL, LocalSlack
from bot.local.delivery import sign
from bot.server import MOST_BYTES, MalformedBody, parse
from handlers.errors import PayloadError
from tests.conftest import ANN, interact, rows, settled

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_TYPE = {"Content-Type": "application/json"}
COMMAND = urlencode({"command": "/genai-role", "text": "mlops", "team_id": "T1", "user_id": "U1"}).encode()


def quiet(caplog: pytest.LogCaptureFixture) -> bool:
    """Tell whether the log has neither a traceback nor anything alarming."""
    return not any(record.exc_info or record.levelno >= logging.ERROR for record in caplog.records)


def signed(slack: LocalSlack, **changed: str) -> dict[str, str]:
    """Return good headers for COMMAND, some of them changed; an empty one is left out."""
    names = {"timestamp": "X-Slack-Request-Timestamp", "signature": "X-Slack-Signature"}
    headers = FORM | sign(slack.signing_secret, COMMAND, time.time())
    headers |= {names[name]: value for name, value in changed.items()}
    return {name: value for name, value in headers.items() if value}


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": "v0=" + "0" * 64},
        {"signature": "v0="},
        {"signature": "nonsense"},
        {"signature": "v0=äöü"},
        {"signature": ""},
        {"timestamp": ""},
        {"timestamp": "soon"},
        {"timestamp": "12.5"},
        {"timestamp": "-5"},
        {"timestamp": "٣٤٥"},
        {"timestamp": "9" * 400},
        {"timestamp": "0"},
        {"timestamp": "", "signature": ""},
    ],
)
async def test_what_is_not_signed_is_refused_quietly(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, changed: dict[str, str]
) -> None:
    status, _ = await slack.post_raw(COMMAND, signed(slack, **changed))
    assert status == 401
    assert quiet(caplog)
    assert "mlops" not in caplog.text


async def test_a_good_signature_gets_in(slack: LocalSlack, bot: Bot) -> None:
    assert (await slack.post_raw(COMMAND, signed(slack)))[0] == 200


@pytest.mark.parametrize("age", [301, 3600, -301])
async def test_a_stale_request_is_refused(slack: LocalSlack, bot: Bot, age: float) -> None:
    assert (await slack.post_raw(COMMAND, FORM, signed=True, age=age))[0] == 401


async def test_a_changed_body_is_refused(slack: LocalSlack, bot: Bot) -> None:
    assert (await slack.post_raw(COMMAND + b"&x=1", signed(slack)))[0] == 401


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON_TYPE),
        (b"not json", JSON_TYPE),
        (b"[1, 2]", JSON_TYPE),
        (b'"text"', JSON_TYPE),
        (b"null", JSON_TYPE),
        (b"{", JSON_TYPE),
        (b"[" * 100_000, JSON_TYPE),
        (b'{"type": "event_callback"}', JSON_TYPE),
        (b'{"type": "event_callback", "event": 5, "event_id": "E"}', JSON_TYPE),
        (b'{"type": "x", "text": "\\ud800"}', JSON_TYPE),
        (b"payload=notjson", FORM),
        (b"payload=[]", FORM),
        (b"payload=", FORM),
        (b"payload=%FF%FE", FORM),
        (b"&".join(b"a%d=1" % at for at in range(101)), FORM),
        (COMMAND, JSON_TYPE),
        (COMMAND, {"Content-Type": "text/plain"}),
        (COMMAND, {"Content-Type": ";;;"}),
        (COMMAND, {}),
    ],
)
async def test_what_is_malformed_is_a_bad_request(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, body: bytes, headers: dict[str, str]
) -> None:
    status, text = await slack.post_raw(body, headers, signed=True)
    assert status == 400
    assert 0 < len(text) < 100
    assert quiet(caplog)


async def test_what_is_not_utf8_is_refused(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    body = b'{"type": "\xff\xfe"}'
    stamp = {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=0"}
    assert (await slack.post_raw(body, {**JSON_TYPE, **stamp}))[0] == 401
    status, _ = await slack.post_raw(body, JSON_TYPE, signed=True)
    assert status in (400, 401)
    assert quiet(caplog)


async def test_what_is_too_large_is_not_read(slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    async with slack._out.session.post(slack.bot_url, data=io.BytesIO(b"x" * (MOST_BYTES + 1))) as response:
        assert response.status == 413
    assert quiet(caplog)
    largest = b'{"type": "some_day", "text": "' + b"x" * (MOST_BYTES - 40) + b'"}'
    assert (await slack.post_raw(largest, JSON_TYPE, signed=True))[0] == 200


async def test_other_ways_in_are_closed(slack: LocalSlack, bot: Bot) -> None:
    base = slack.bot_url.removesuffix("/slack/events")
    session = slack._out.session
    async with session.get(slack.bot_url) as response:
        assert response.status == 405
    async with session.post(f"{base}/elsewhere") as response:
        assert response.status == 404


async def test_slacks_own_checks_are_answered(slack: LocalSlack, bot: Bot) -> None:
    answer = await slack.verify_url("a-challenge")
    assert (answer.status, answer.json()) == (200, {"challenge": "a-challenge"})
    status, _ = await slack.post_raw(b"ssl_check=1&token=x", FORM, signed=True)
    assert status == 200
    limited = {"type": "app_rate_limited", "team_id": "T1", "minute_rate_limited": 1_700_000_000, "api_app_id": "A1"}
    assert (await slack.send_json(limited)).status == 200


async def test_a_retry_by_slack_is_not_answered_twice(slack: LocalSlack, bot: Bot) -> None:
    event = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}
    await slack.send_event(event, event_id="Ev0RETRY")
    envelope = {"type": "event_callback", "team_id": "T0LOCAL0001", "event": event, "event_id": "Ev0RETRY"}
    retry = {**JSON_TYPE, "X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    assert (await slack.post_raw(json.dumps(envelope).encode(), retry, signed=True))[0] == 200
    await settled(bot)
    assert len(slack.called("chat.postMessage")) == 1


@pytest.mark.parametrize("name", ["X-Slack-Bolt-Lazy-Only", "X-Slack-Bolt-Lazy-Function-Name"])
async def test_headers_that_are_not_signed_change_nothing(slack: LocalSlack, bot: Bot, name: str) -> None:
    status, text = await slack.post_raw(COMMAND, {**FORM, name: "1"}, signed=True)
    assert (status, "MLOps Engineer" in text) == (200, True)


PERSON = {"user": {"id": ANN}, "team": {"id": "T0LOCAL0001"}}
PRESS: dict[str, Any] = {"type": "block_actions", **PERSON}
PRESSED = {"action_id": "ask_someone", "type": "button"}
SUBMISSION = {"type": "view_submission", **PERSON}
VIEW: dict[str, Any] = {"type": "modal", "callback_id": "declaration"}


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        ({}, "type"),
        ({"type": 5}, "type"),
        ({"command": "/genai-role"}, "team"),
        ({"command": "/genai-role", "team_id": "T1"}, "user"),
        ({"command": "/genai-role", "user_id": "U1"}, "team"),
        ({"command": 5, "type": "x"}, "command"),
        ({"command": "/genai-role", "text": 5, "team_id": "T1", "user_id": "U1"}, "text"),
        ({"command": "/genai-role", "team_id": "T" * 40, "user_id": "U1"}, "id"),
        ({"type": "view_submission"}, "team"),
        ({"type": "view_submission", "view": VIEW}, "team"),
        ({"type": "view_submission", "view": "declaration", **PERSON}, "view"),
        (SUBMISSION, "view.type"),
        ({**SUBMISSION, "view": VIEW}, "view.state"),
        ({**SUBMISSION, "view": {**VIEW, "state": {}}}, "view.state"),
        ({**SUBMISSION, "view": {**VIEW, "state": {"values": {"a": 5}}}}, "view.state"),
        ({**SUBMISSION, "view": {**VIEW, "state": {"values": {"a": {"b": 5}}}}}, "view.state"),
        ({**SUBMISSION, "view": {**VIEW, "state": {"values": {"a": {"b": {"selected_options": 5}}}}}}, "view.state"),
        ({"type": "view_closed"}, "team"),
        ({"type": "block_actions"}, "team"),
        ({"type": "block_actions", "actions": [], "team": {"id": "T1"}}, "user"),
        ({"type": "block_actions", "actions": [{"action_id": "ask_someone", "type": "button"}]}, "team"),
        ({"type": "block_actions", "actions": [{"action_id": "ask_someone"}], "user": 5, "team": 7}, "user"),
        (PRESS, "actions"),
        ({**PRESS, "actions": []}, "actions"),
        ({**PRESS, "actions": "ask_someone"}, "actions"),
        ({**PRESS, "actions": ["ask_someone"]}, "actions"),
        ({**PRESS, "actions": {"0": {}}}, "actions"),
        ({**PRESS, "actions": [{"type": "button"}]}, "actions.action_id"),
        ({**PRESS, "actions": [{"action_id": 5, "type": "button"}]}, "actions.action_id"),
        ({**PRESS, "actions": [{"action_id": "ask_someone", "type": "button", "value": 7}]}, "actions.value"),
        ({**PRESS, "actions": [PRESSED], "view": {**VIEW, "state": "x"}}, "view.state"),
        ({**PRESS, "actions": [PRESSED], "view": {**VIEW, "state": {"values": {"b": 1}}}}, "view.state"),
        ({**PRESS, "actions": [PRESSED], "view": {**VIEW, "state": {"values": {"b": {"a": 5}}}}}, "view.state"),
        ({"type": "shortcut", "callback_id": "declare_role"}, "team"),
        ({"type": "shortcut", "callback_id": "declare_role", **PERSON}, "trigger_id"),
        ({"type": "message_action", "callback_id": "find_who_can_help", **PERSON}, "trigger_id"),
        ({"type": "block_suggestion"}, "team"),
        ({"type": "interactive_message"}, "team"),
    ],
)
async def test_a_payload_that_lacks_parts_is_a_bad_request(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, payload: dict[str, Any], named: str
) -> None:
    body = urlencode({"payload": json.dumps(payload)}).encode()
    status, text = await slack.post_raw(body, FORM, signed=True)
    assert (status, named in text) == (400, True), text
    assert 0 < len(text) < 100
    assert quiet(caplog)
    assert slack.calls == [call for call in slack.calls if call.method == "auth.test"]


@pytest.mark.parametrize("empty", ["view", "channel", "message", "container", "enterprise", "response_url"])
async def test_what_is_null_is_as_if_it_were_not_there(slack: LocalSlack, bot: Bot, empty: str) -> None:
    for pressed in (PRESSED, {**PRESSED, "action_id": "of_an_older_version"}):
        assert await interact(slack, {**PRESS, "actions": [pressed], empty: None}) == 200


VIEW_IN_FORM = b"command=%2Fodd&team_id=T1&user_id=U1&view=x"


@pytest.mark.parametrize(
    "form", [b"", b"text=mlops", b"command=%2Fgenai-role", b"command=%2Fgenai-role&team_id=T1", VIEW_IN_FORM]
)
async def test_a_form_that_lacks_parts_is_a_bad_request(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, form: bytes
) -> None:
    assert (await slack.post_raw(form, FORM, signed=True))[0] == 400
    assert quiet(caplog)


MENTION = {"type": "app_mention", "user": ANN, "channel": GENERAL, "ts": "1700000000.000100", "text": "mlops"}


@pytest.mark.parametrize(
    ("envelope", "event"),
    [
        ({"event_id": None}, {}),
        ({"event_id": ""}, {}),
        ({"event_id": "E" * 65}, {}),
        ({"event_id": "E\x00"}, {}),
        ({"team_id": None}, {}),
        ({"team_id": 5}, {}),
        ({"authorizations": [5]}, {}),
        ({"authorizations": {"0": {}}}, {}),
        ({}, {"type": "user_change"}),
        ({}, {"type": "user_change", "user": {}}),
        ({}, {"type": "user_change", "user": {"id": ANN, "profile": "<!channel>"}}),
        ({}, {"type": "user_change", "user": {"id": ANN, "profile": {"status_text": 5}}}),
        ({}, {"type": "user_change", "user": {"id": ANN, "profile": {"status_emoji": []}}}),
        ({}, {"type": "user_change", "user": {"id": ANN, "tz": {}}}),
        ({"authorizations": 0}, {}),
        ({"authorizations": False}, {}),
        ({"enterprise": 5}, {}),
        ({"user": True}, {}),
        ({"channel": 7}, {}),
        ({"team": 5}, {}),
        ({}, {"type": None}),
        ({}, {"type": ["app_mention"]}),
        ({}, {"user": 5}),
        ({}, {"channel": None}),
        ({}, {"channel": {"id": GENERAL}}),
        ({}, {"ts": 5}),
        ({}, {"thread_ts": ["1700000000.000100"]}),
        ({}, {"text": {"deep": 1}}),
    ],
)
async def test_an_event_that_lacks_parts_is_a_bad_request(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, envelope: dict[str, Any], event: dict[str, Any]
) -> None:
    sent = {"type": "event_callback", "team_id": "T0LOCAL0001", "event_id": "Ev0ODD", **envelope}
    answer = await slack.send_json({**sent, "event": {**MENTION, **event}})
    assert answer.status == 400
    assert quiet(caplog)
    assert await rows(bot, "inbox") == []


async def test_an_event_may_be_nested_as_deeply_as_it_likes(
    slack: LocalSlack, bot: Bot, caplog: pytest.LogCaptureFixture, faults: None
) -> None:
    for depth in range(100, 1100, 10):
        event = json.dumps({**MENTION, "ts": f"17{depth}", "odd": "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
        head = f'{{"type": "event_callback", "team_id": "T0LOCAL0001", "event_id": "Ev{depth}", "event": '
        status, _ = await slack.post_raw(f"{head}{event}}}".encode(), JSON_TYPE, signed=True)
        assert status in (200, 400), depth


# Properties

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
KEYS = st.sampled_from(
    "type event event_id team_id user id channel ts text view blocks actions action_id value container command "
    "authorizations enterprise_id is_enterprise_install callback_id state values message response_url".split()
)
KINDS = st.sampled_from(
    ["event_callback", "block_actions", "view_submission", "shortcut", "message_action", "app_mention", "message"]
)
ANYTHING = st.recursive(
    SCALARS | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
BODIES = st.dictionaries(KEYS, ANYTHING, max_size=8)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/x-www-form-urlencoded", "", "x/y"]))
def test_parsing_any_bytes_gives_an_object_or_says_why_not(raw: bytes, content_type: str) -> None:
    try:
        parsed = parse(raw, content_type)
    except MalformedBody:
        return
    assert isinstance(parsed, dict)


EVENT = {"type": "message", "channel_type": "im", "user": "U1", "channel": "D1", "ts": "1.1", "text": "hi"}
ENVELOPE = {"type": "event_callback", "team_id": "T1", "event_id": "E1", "authorizations": [{"team_id": "T1"}]}


@given(st.dictionaries(KEYS, ANYTHING, max_size=2), st.dictionaries(KEYS, ANYTHING, max_size=2))
def test_reading_any_event_gives_text_or_says_why_not(body: dict[str, Any], event: dict[str, Any]) -> None:
    try:
        found = inbox_event({**ENVELOPE, **body, "event": {**EVENT, **event}})
    except PayloadError:
        return
    if found is not None:
        assert all(isinstance(part, str) for part in (found.workspace, found.event_id))
        assert all(part is None or isinstance(part, str) for part in (found.channel, found.message_ts, found.user))


@settings(max_examples=80)
@given(body=BODIES, kind=KINDS)
async def test_no_body_is_a_server_error(
    slack: LocalSlack, bot: Bot, faults: None, body: dict[str, Any], kind: str
) -> None:
    sent = {**ENVELOPE, **body, "type": kind} if kind == "event_callback" else {**body, "type": kind}
    # Nobody is told at an address that was made up.
    sent.pop("response_url", None)
    raw = json.dumps(sent).encode()
    status, _ = await slack.post_raw(raw, JSON_TYPE, signed=True)
    assert status in (200, 400)
    await settled(bot)


async def test_health_and_readiness(slack: LocalSlack, bot: Bot) -> None:
    base = slack.bot_url.removesuffix("/slack/events")
    session = slack._out.session
    async with session.get(f"{base}/healthz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ok"})
    async with session.get(f"{base}/readyz") as response:
        assert (response.status, await response.json()) == (200, {"database": "ok", "slack": "connected"})
    async with bot.engine.begin() as connection:
        await connection.execute(text("DELETE FROM alembic_version"))
    async with session.get(f"{base}/readyz") as response:
        assert (response.status, (await response.json())["database"]) == (503, "migrations missing")
    assert await rows(bot, "inbox") == []
