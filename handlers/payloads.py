"""The only reader of Slack's payloads: dicts in, typed values out.

Payloads: https://docs.slack.dev/interactivity/handling-user-interaction and
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers.errors import PayloadError

Payload = Mapping[str, Any]
LONGEST_ID = 32
"""Signs of an id or a timestamp of Slack's, at most; the database has room for no more."""
LONGEST_QUESTION = 2000
"""Signs of a message that are read as a question: Slack takes forty thousand, and reading takes time by the sign."""


@dataclass(frozen=True)
class Actor:
    """Say who acts, and in which workspace."""

    workspace: str
    """The enterprise id for organisation-wide installs, else the team id."""
    team: str
    user: str
    outside: bool = False
    """Whether another company reads along, or the person belongs to another workspace than the one that is asked."""
    outsider: bool = False
    """Whether the person does, as far as the payload says; what does not say it is settled by their profile."""


@dataclass(frozen=True)
class Command:
    """Hold a slash command."""

    actor: Actor
    channel: str
    text: str
    trigger_id: str


@dataclass(frozen=True)
class Said:
    """Hold a message that speaks to the bot, by mention or directly."""

    actor: Actor
    channel: str
    ts: str
    thread_ts: str | None
    text: str
    direct: bool
    is_cut: bool = False
    """Whether it was longer than what is read of it."""


@dataclass(frozen=True)
class Press:
    """Hold a button pressed or an option chosen; ``value`` is the button's or the option's."""

    actor: Actor
    user_name: str
    action_id: str
    value: str
    trigger_id: str
    response_url: str | None
    channel: str | None
    message_ts: str | None
    thread_ts: str | None
    ephemeral: bool
    view_id: str | None
    in_modal: bool
    private_metadata: str = ""
    """What the view that it happened in carries."""

    @property
    def direct(self) -> bool:
        """Tell whether it happened in a direct message."""
        return bool(self.channel and self.channel.startswith("D"))


@dataclass(frozen=True)
class Shortcut:
    """Hold a shortcut; ``message_text`` is the message that it was used on, if any."""

    actor: Actor
    trigger_id: str
    message_text: str


@dataclass(frozen=True)
class Search:
    """Hold what somebody types into a menu that we fill; ``action_id`` is the menu's."""

    actor: Actor
    action_id: str
    typed: str


@dataclass(frozen=True)
class Submission:
    """Hold a submitted modal: chosen option values, or the typed text, by block id."""

    actor: Actor
    chosen: Mapping[str, tuple[str, ...]]
    typed: Mapping[str, str]
    private_metadata: str
    view_id: str = ""


def as_text(value: object) -> str:
    """Return a value that has to be text. Raises PayloadError where it is something else."""
    if not isinstance(value, str):
        raise PayloadError("something in the payload is not text that has to be")
    return value


def as_id(value: object, longest: int = LONGEST_ID) -> str:
    """Return an id of Slack's. Raises PayloadError where it is none, or longer than any of them."""
    text = as_text(value)
    if not 0 < len(text) <= longest or not text.isprintable():
        raise PayloadError("something in the payload is no id that has to be")
    return text


def is_id(text: str) -> bool:
    """Tell whether a text can be an id of Slack's."""
    return 0 < len(text) <= LONGEST_ID and text.isprintable()


def _question(text: object) -> str:
    return as_text(text or "")[:LONGEST_QUESTION]


def _actor(workspace_team: object, enterprise: object, org_wide: bool, user: object, outsider: bool = False) -> Actor:
    workspace = enterprise if org_wide and enterprise else workspace_team
    if not workspace:
        raise PayloadError("team: missing")
    if not user:
        raise PayloadError("user: missing")
    return Actor(as_id(workspace), as_id(workspace_team or workspace), as_id(user), outsider, outsider)


def command(body: Payload) -> Command:
    """Read a slash command."""
    actor = _actor(
        body.get("team_id", ""),
        body.get("enterprise_id"),
        body.get("is_enterprise_install") in ("true", True),
        body.get("user_id", ""),
    )
    return Command(actor, body.get("channel_id", ""), _question(body.get("text")), body.get("trigger_id", ""))


def event_actor(body: Payload) -> Actor:
    """Read who caused an event, and in which workspace; user is empty where nobody did."""
    authorizations, event = body.get("authorizations") or [{}], body.get("event")
    authorization = authorizations[0] if isinstance(authorizations, list) else None
    if not isinstance(event, Mapping) or not isinstance(authorization, Mapping):
        raise PayloadError("event or authorizations: not as they should be")
    team = authorization.get("team_id") or body.get("team_id") or event.get("team") or ""
    enterprise = authorization.get("enterprise_id") or body.get("enterprise_id")
    user = event.get("user") or ""
    user_id = user.get("id") or "" if isinstance(user, Mapping) else user
    org_wide = (authorization if body.get("authorizations") else body).get("is_enterprise_install") in (True, "true")
    workspace = enterprise if org_wide and enterprise else team
    if not workspace:
        raise PayloadError("team_id: missing")
    shared = body.get("is_ext_shared_channel") is True
    home = event.get("user_team") or event.get("source_team") or event.get("team")
    outsider = _is_elsewhere(home, team, enterprise, org_wide=org_wide and not shared)
    user_id = as_id(user_id) if user_id else ""
    return Actor(as_id(workspace), as_id(team or workspace), user_id, shared or outsider, outsider)


def event_time(body: Payload) -> datetime | None:
    """Return when an event happened, to the second; None where that is not said."""
    at = body.get("event_time")
    return datetime.fromtimestamp(at, UTC) if isinstance(at, int) and 0 < at < 2**33 else None


def removed_from(body: Payload) -> tuple[str, ...]:
    """Return where the app may have been removed, the likeliest first.

    Slack does not document the payload for organisation-wide installs. Where it does not say what kind of install it is
    about, it may be the team's or, if there is none, the organisation's.
    """
    workspace = event_actor(body).workspace
    authorization = (body.get("authorizations") or [{}])[0]
    says = "is_enterprise_install" in authorization
    enterprise = authorization.get("enterprise_id") or body.get("enterprise_id")
    return (workspace, as_id(enterprise)) if enterprise and enterprise != workspace and not says else (workspace,)


def access_teams(event: Payload) -> tuple[str, ...]:
    """Return the teams that an organisation gave the app to, or took it from."""
    teams = event.get("team_ids") or []
    if not isinstance(teams, list) or not all(isinstance(team, str) for team in teams):
        raise PayloadError("event.team_ids: not a list of texts")
    return tuple(as_id(team) for team in teams)


def _is_elsewhere(home: object, team: object, enterprise: object, *, org_wide: bool) -> bool:
    """Tell whether a person's home, as a payload says it, is surely another workspace or organisation than ours."""
    if not isinstance(home, str) or not home:
        return False
    # Where the bot is installed for an organisation, another workspace may be one of its own: the profile tells. In a
    # channel that is shared it is more likely another company's.
    return home not in (team, enterprise) and (home.startswith("E") or not org_wide)


def home_opened(body: Payload) -> str | None:
    """Return what the Home tab carries that somebody opens, empty for a new one; None where it is another tab."""
    event = body["event"]
    if event.get("tab") != "home":
        return None
    view = event.get("view")
    carried = view.get("private_metadata") if isinstance(view, Mapping) else None
    return carried if isinstance(carried, str) else ""


def said(body: Payload) -> Said:
    """Read a message event or an app_mention."""
    event = body["event"]
    return Said(
        event_actor(body),
        event["channel"],
        event["ts"],
        event.get("thread_ts"),
        _question(event.get("text")),
        event.get("channel_type") == "im" or event["channel"].startswith("D"),
        is_cut=len(as_text(event.get("text") or "")) > LONGEST_QUESTION,
    )


def is_question(event: Payload) -> bool:
    """Tell whether a message event is a person's own words: not a bot's, not an edit, a deletion or a join."""
    subtype = event.get("subtype")
    return bool(
        event.get("user")
        and event.get("ts")
        and not event.get("bot_id")
        and subtype in (None, "file_share", "thread_broadcast")
    )


def interaction_actor(body: Payload) -> Actor:
    """Read who presses, chooses, searches or submits, and in which workspace."""
    user = body.get("user") or {}
    # A form that was opened in a channel shared with another company comes with that company's team when it is theirs
    # who submit it; where the app is installed stands in the view.
    team = (
        (body.get("view") or {}).get("app_installed_team_id")
        or (body.get("team") or {}).get("id")
        or user.get("team_id")
    )
    # As Bolt reads them, or the token would be of another place than the data.
    enterprise = (body.get("enterprise") or {}).get("id") or (body.get("team") or {}).get("enterprise_id")
    org_wide = bool(enterprise) and body.get("is_enterprise_install") in (True, "true")
    outsider = _is_elsewhere(user.get("team_id"), team, enterprise, org_wide=org_wide)
    return _actor(team, enterprise, org_wide, user.get("id"), outsider)


def press(body: Payload) -> Press:
    """Read the first action of a block_actions payload."""
    action = body["actions"][0]
    container = body.get("container") or {}
    message = body.get("message") or {}
    selected = action.get("selected_option") or {}
    user = body["user"]
    return Press(
        actor=interaction_actor(body),
        user_name=user.get("name") or user.get("username") or "",
        action_id=action["action_id"],
        value=action.get("value") or selected.get("value") or "",
        trigger_id=body.get("trigger_id", ""),
        response_url=body.get("response_url"),
        channel=container.get("channel_id") or (body.get("channel") or {}).get("id"),
        message_ts=container.get("message_ts") or message.get("ts"),
        thread_ts=container.get("thread_ts") or message.get("thread_ts"),
        ephemeral=bool(container.get("is_ephemeral")),
        view_id=(body.get("view") or {}).get("id"),
        in_modal=(body.get("view") or {}).get("type") == "modal",
        private_metadata=(body.get("view") or {}).get("private_metadata") or "",
    )


def shortcut(body: Payload) -> Shortcut:
    """Read a global or message shortcut."""
    text = _question((body.get("message") or {}).get("text"))
    return Shortcut(interaction_actor(body), body.get("trigger_id", ""), text)


def search(body: Payload) -> Search:
    """Read a block_suggestion."""
    return Search(interaction_actor(body), body["action_id"], _question(body.get("value")))


def submission(body: Payload) -> Submission:
    """Read a view_submission."""
    chosen: dict[str, tuple[str, ...]] = {}
    typed: dict[str, str] = {}
    for block_id, elements in (body["view"]["state"]["values"] or {}).items():
        for element in elements.values():
            if "selected_options" in element:
                chosen[block_id] = tuple(option["value"] for option in element["selected_options"] or [])
            elif "selected_option" in element:
                option = element["selected_option"]
                chosen[block_id] = (option["value"],) if option else ()
            elif "selected_users" in element:
                chosen[block_id] = tuple(as_id(user) for user in element["selected_users"] or [])
            elif "selected_user" in element:
                user = element["selected_user"]
                chosen[block_id] = (as_id(user),) if user else ()
            elif "value" in element:
                typed[block_id] = element["value"] or ""
    view = body["view"]
    return Submission(interaction_actor(body), chosen, typed, view.get("private_metadata") or "", view.get("id") or "")


def entered(body: Payload) -> Submission | None:
    """Read what stands in the fields of the modal in which a button was pressed; None for a press elsewhere."""
    view = body.get("view") or {}
    return submission(body) if view.get("type") == "modal" and (view.get("state") or {}).get("values") else None
