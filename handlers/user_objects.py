"""What Slack says of a person, read: user objects, and their schedule of do-not-disturb."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from handlers.payloads import Payload
from knowledge.people import Availability, Member
from knowledge.status import said_by

DND = ("dnd_enabled", "next_dnd_start_ts", "next_dnd_end_ts")


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


def is_within_dnd(found: Mapping[str, Any], now: datetime) -> bool:
    """Tell whether it is a time at which a person's schedule of do-not-disturb lets nothing through."""
    start, end = found.get("next_dnd_start_ts"), found.get("next_dnd_end_ts")
    if not found.get("dnd_enabled") or not isinstance(start, int) or not isinstance(end, int):
        return False
    return start <= now.timestamp() < end
