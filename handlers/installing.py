"""What happens to the installation itself."""

from __future__ import annotations

import logging
from typing import Any

from handlers import payloads
from knowledge.ports import People

logger = logging.getLogger(__name__)


async def uninstalled(body: dict[str, Any], *, people: People) -> None:
    """Delete everything about the workspace when the app is removed from it."""
    actor = payloads.event_actor(body)
    count = await people.forget_workspace(actor.workspace)
    logger.info("app_uninstalled: %s rows of the workspace deleted", count)


async def tokens_revoked(body: dict[str, Any]) -> None:
    """Say in the log that the token is void; the operator has to install the app again."""
    tokens = body["event"].get("tokens") or {}
    if tokens.get("bot"):
        logger.error("tokens_revoked: the bot token is void. Reinstall the app and set the new SLACK_BOT_TOKEN.")


async def team_access_changed(body: dict[str, Any]) -> None:
    """Note that an organisation-wide install gained or lost teams; rows are kept by organisation, so none move."""
    teams = len(body["event"].get("team_ids") or ())
    logger.info("%s: %s teams", body["event"]["type"], teams)
