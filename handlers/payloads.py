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
from knowledge.people import Availability, Member
from knowledge.status import said_by

Payload = Mapping[str, Any]
INTERACTIONS = ("block_actions", "view_", "shortcut", "message_action", "block_suggestion", "interactive_message")
"""How the types of clicks, forms and shortcuts begin."""
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


def malformed(body: Payload) -> str | None:
    """Say what a payload lacks that every one of its kind has; None where it can be dispatched."""
    try:
        if "command" in body:
            _check_command(body)
        elif str(body.get("type", "")).startswith(INTERACTIONS):
            _check_interaction(body)
        elif not body.get("ssl_check"):
            _needs(body, "type")
        _check_envelope(body)
    except PayloadError as error:
        return str(error)
    return None


def _check_envelope(body: Payload) -> None:
    """Check what Bolt reads of everything, to find the workspace and to say what it has no listener for."""
    _objects(body, "view")
    if body.get("authorizations") is not None:
        _list(body["authorizations"], "authorizations")
    for name in ("team", "enterprise"):
        if not isinstance(body.get(name), str | Mapping | None):
            raise PayloadError(f"{name}: neither text nor an object")


def _check_command(body: Payload) -> None:
    _needs(body, "command")
    _texts(body, "text", "channel_id", "trigger_id", "response_url")
    command(body)


def _check_interaction(body: Payload) -> None:
    _objects(body, "user", "team", "enterprise", "view", "container", "channel", "message")
    _texts(body, "trigger_id", "response_url", "callback_id")
    for name, texts in _TEXTS.items():
        _texts(body.get(name) or {}, *texts, within=name)
    interaction_actor(body)
    match body["type"]:
        case "block_actions":
            actions = _list(body.get("actions"), "actions")
            if not actions:
                raise PayloadError("actions: missing")
            for action in actions:
                _needs(action, "type", within="actions")
                _needs(action, "action_id", within="actions")
                _texts(action, "block_id", "value", within="actions")
                _objects(action, "selected_option", within="actions")
                _texts(action.get("selected_option") or {}, "value", within="actions.selected_option")
            view = body.get("view") or {}
            if view.get("type") == "modal" and view.get("state") is not None:
                # A button in a form comes with what was typed so far.
                _check_state(view["state"])
        case "view_submission":
            view = body.get("view") or {}
            _needs(view, "type", within="view")
            _needs(view, "callback_id", within="view")
            _check_state(view.get("state"))
        case "block_suggestion":
            _needs(body, "action_id")
            _texts(body, "value")
        case "shortcut" | "message_action":
            _needs(body, "callback_id")
            _needs(body, "trigger_id")


def _check_state(state: object) -> None:
    """Check what was entered: elements by action id by block id, each with options or a text."""
    where = "view.state.values"
    values = state.get("values") if isinstance(state, Mapping) else None
    # A form without fields has an empty list here.
    blocks = {} if values == [] else values
    if not isinstance(blocks, Mapping) or not all(isinstance(elements, Mapping) for elements in blocks.values()):
        raise PayloadError(f"{where}: missing or not an object")
    for element in (element for elements in blocks.values() for element in elements.values()):
        if not isinstance(element, Mapping):
            raise PayloadError(f"{where}: not an object")
        _texts(element, "value", "selected_user", within=where)
        if not isinstance(element.get("selected_users"), list | None):
            raise PayloadError(f"{where}.selected_users: not a list")
        for user in (*(element.get("selected_users") or ()), element.get("selected_user") or "U"):
            as_id(user)
        _objects(element, "selected_option", within=where)
        if element.get("selected_option"):
            _needs(element["selected_option"], "value", within=f"{where}.selected_option")
        for option in _list(element.get("selected_options") or [], f"{where}.selected_options"):
            _needs(option, "value", within=f"{where}.selected_options")


_TEXTS = {
    "user": ("name", "username"),
    "view": ("id", "type", "callback_id", "private_metadata", "app_installed_team_id"),
    "container": ("channel_id", "message_ts", "thread_ts"),
    "channel": ("id",),
    "message": ("ts", "thread_ts", "text"),
}
"""What readers take out of the objects of an interaction, where it is there."""


def _needs(holder: Payload, name: str, within: str = "") -> None:
    value = holder.get(name)
    if not isinstance(value, str) or not value:
        raise PayloadError(f"{_path(within, name)}: missing or not text")


def _texts(holder: Payload, *names: str, within: str = "") -> None:
    for name in names:
        if not isinstance(holder.get(name), str | None):
            raise PayloadError(f"{_path(within, name)}: not text")


def _objects(holder: Payload, *names: str, within: str = "") -> None:
    for name in names:
        if not isinstance(holder.get(name), Mapping | None):
            raise PayloadError(f"{_path(within, name)}: not an object")


def _list(value: object, name: str) -> list[Payload]:
    if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
        raise PayloadError(f"{name}: missing or not a list of objects")
    return value


def _path(within: str, name: str) -> str:
    return f"{within}.{name}" if within else name


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


def check_event(event: Payload) -> None:
    """Check what Bolt reads of an event before any listener, and what is read of a profile. Raises PayloadError."""
    _texts(event, "channel_id", "user_id", "ts", "thread_ts", "tab", within="event")
    _objects(event, "item", "message", "view", "assistant_thread", within="event")
    for name in ("channel", "user"):
        if not isinstance(event.get(name), str | Mapping | None):
            raise PayloadError(f"event.{name}: neither text nor an object")
    if event.get("type") == "app_home_opened":
        _needs(event, "user", within="event")
    if event.get("type") in ("team_access_granted", "team_access_revoked"):
        access_teams(event)
    if event.get("type") == "user_change":
        _objects(event, "user", within="event")
        user = event.get("user") or {}
        _needs(user, "id", within="event.user")
        _texts(user, "tz", "name", "real_name", "presence", within="event.user")
        _objects(user, "profile", within="event.user")
        says = ("status_text", "status_emoji", "display_name", "real_name", "title")
        _texts(user.get("profile") or {}, *says, within="event.user.profile")


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


def belongs(user: Payload, workspace: str) -> bool:
    """Tell by a user object whether the person is of a workspace, or of the organisation where it is one's.

    Slack calls strangers only those with whom nothing is shared: of others the ids alone say where they belong. Who is
    not said to be of here is not: https://docs.slack.dev/apis/slack-connect
    """
    organisation = user.get("enterprise_user")
    organisation = organisation if isinstance(organisation, Mapping) else {}
    teams = organisation.get("teams")
    homes = [user.get("team_id"), organisation.get("enterprise_id"), *(teams if isinstance(teams, list) else ())]
    return workspace in homes and not user.get("is_stranger")


def member(user: Payload, workspace: str, now: datetime) -> Member:
    """Read a user object, as users.info and user_change carry it; the status tells who is out of office.

    A status that has ended by ``now`` says nothing. Of a workspace, people of other companies are guests at most.
    """
    profile = user.get("profile") or {}
    availability: Availability = "active"
    if not _has_ended(profile.get("status_expiration"), now):
        availability = said_by(profile.get("status_text") or "", profile.get("status_emoji") or "")
    if user.get("deleted"):
        availability = "deactivated"
    elif availability == "active" and user.get("presence") == "away":
        availability = "away"
    name = profile.get("display_name") or profile.get("real_name") or user.get("real_name") or user.get("name") or ""
    return Member(
        user=user["id"],
        name=name,
        title=profile.get("title") or "",
        tz=user.get("tz") or "",
        availability=availability,
        is_bot=bool(user.get("is_bot")) or user["id"] == "USLACKBOT",
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted") or not belongs(user, workspace)),
    )


def _has_ended(expiration: object, now: datetime) -> bool:
    """Tell by the ``status_expiration`` of a profile whether its status has ended; 0 stands for one without an end."""
    return isinstance(expiration, int | float) and 0 < expiration <= now.timestamp()


def administers(user: Payload, workspace: str) -> bool:
    """Tell by a user object whether the person administers the workspace, or the organisation where it is one's."""
    if workspace.startswith("E"):
        # The administrator of one workspace must not decide for all of an organisation.
        user = user.get("enterprise_user") or {}
    return any(user.get(name) is True for name in ("is_admin", "is_owner", "is_primary_owner"))


DND = ("dnd_enabled", "next_dnd_start_ts", "next_dnd_end_ts")


def is_within_dnd(found: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether it is a time at which a person's schedule of do-not-disturb lets nothing through."""
    start, end = found.get("next_dnd_start_ts"), found.get("next_dnd_end_ts")
    if not found.get("dnd_enabled") or not isinstance(start, int) or not isinstance(end, int):
        return False
    return start <= now.timestamp() < end
