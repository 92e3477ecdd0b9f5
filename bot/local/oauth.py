"""OAuth as Slack does it: the authorize page, codes for tokens, tokens that rotate; for a team or an organisation.

The page asks nobody: whoever opens it has allowed it, unless `denies` is set.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import web

from .arguments import SlackError
from .workspace import JSON, Workspace

ACCESS = "oauth.v2.access"
"""The one method that needs no token, but the app's own id and secret."""
EXPIRES_IN = 43_200


@dataclass(slots=True)
class OAuth:
    """Hand out codes and tokens of one app."""

    workspace: Workspace
    scopes: Sequence[str]
    client_id: str = "1234567890.1234567890"
    client_secret: str = "local-client-secret"  # noqa: S105 - guards nothing but loopback
    installer: str = ""
    denies: str = ""
    """The error that people come back with, access_denied for instance."""
    default_redirect: str = ""
    """Where people go back to if the request does not say."""
    rotates: bool = False
    codes: dict[str, str] = field(default_factory=dict)
    """The codes that were not used yet, each with the address that it goes back to."""
    tokens: list[str] = field(default_factory=list)
    refresh_tokens: list[str] = field(default_factory=list)
    """Those that are good still: each is for one use."""

    async def authorize(self, request: web.Request) -> web.Response:
        """Send the browser back with a code, as the button *Allow* does."""
        asked = request.query
        if asked.get("client_id") != self.client_id:
            return web.Response(status=400, text="invalid_client_id")
        if unknown := set(asked.get("scope", "").split(",")) - set(self.scopes):
            return web.Response(status=400, text=f"invalid_scope: {sorted(unknown)}")
        redirect, answer = asked.get("redirect_uri", ""), {"state": asked.get("state", "")}
        if self.denies:
            answer["error"] = self.denies
        else:
            answer["code"] = secrets.token_hex(12)
            self.codes[answer["code"]] = redirect
        raise web.HTTPFound(f"{redirect or self.default_redirect}?{urlencode(answer)}")

    def access(self, arguments: JSON, authorization: str) -> JSON:
        """Answer oauth.v2.access."""
        self._check_client(arguments, authorization)
        if arguments.get("grant_type") == "refresh_token":
            if arguments.get("refresh_token") not in self.refresh_tokens:
                raise SlackError("invalid_refresh_token")
            self.refresh_tokens.remove(arguments["refresh_token"])
            return self._issued()
        redirect = self.codes.pop(str(arguments.get("code")), None)
        if redirect is None:
            raise SlackError("invalid_code")
        if redirect != arguments.get("redirect_uri", ""):
            raise SlackError("bad_redirect_uri")
        return self._issued() | {"authed_user": {"id": self.installer}}

    def _check_client(self, arguments: JSON, authorization: str) -> None:
        scheme, _, encoded = authorization.partition(" ")
        given = (arguments.get("client_id"), arguments.get("client_secret"))
        if scheme == "Basic":
            client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
            given = (client_id, secret)
        if given[0] != self.client_id:
            raise SlackError("invalid_client_id")
        if given[1] != self.client_secret:
            raise SlackError("bad_client_secret")

    def _issued(self) -> JSON:
        place, token = self.workspace, f"xoxb-local-{secrets.token_hex(12)}"
        rotating: JSON = {}
        if self.rotates:
            token = f"xoxe.{token}"
            rotating = {"expires_in": EXPIRES_IN, "refresh_token": f"xoxe-1-{secrets.token_hex(12)}"}
            self.refresh_tokens.append(rotating["refresh_token"])
        self.tokens.append(token)
        organisation = {"id": place.enterprise_id, "name": place.team_name} if place.enterprise_id else None
        return {
            "app_id": place.app_id,
            "scope": ",".join(self.scopes),
            "token_type": "bot",
            "access_token": token,
            "bot_user_id": place.bot.id,
            "team": None if organisation else {"id": place.team_id, "name": place.team_name},
            "enterprise": organisation,
            "is_enterprise_install": organisation is not None,
            **rotating,
        }
