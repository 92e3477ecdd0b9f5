"""Every environment variable that the bot knows, typed. Nothing else reads the environment, and nothing at import."""

from __future__ import annotations

import os
import re
import ssl
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

SLACK_API = "https://slack.com/api/"
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY")


class SettingsError(Exception):
    """Report settings that can't work; the message says what to change."""


class Settings(BaseSettings):
    """Hold the settings, from the environment first and a ``.env`` file in the working folder second."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True)

    slack_bot_token: SecretStr | None = Field(None, description="Bot token (xoxb-…) of the one workspace.")
    slack_signing_secret: SecretStr | None = Field(None, description="Proves that a request comes from Slack.")
    slack_app_token: SecretStr | None = Field(None, description="App-level token (xapp-…) for Socket Mode.")
    slack_client_id: str | None = Field(None, description="OAuth: installation in many workspaces.")
    slack_client_secret: SecretStr | None = Field(None, description="OAuth: installation in many workspaces.")
    slack_api_url: str = Field(SLACK_API, description="Base of Slack's Web API; tests set it to loopback.")
    database_url: str = Field("", description="SQLAlchemy URL; an SQLite file in the user's data folder unless set.")
    encryption_keys: SecretStr | None = Field(None, description="Keys for private text at rest, newest first.")
    public_url: str | None = Field(None, description="The address that Slack reaches the bot at.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    metrics_port: int | None = Field(None, ge=0, le=65535, description="Port for metrics.")
    metrics_host: str = Field("127.0.0.1", description="Address that metrics are served on.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged.")
    log_format: Literal["text", "json"] = Field("text", description="Log lines for people or for machines.")
    https_proxy: str | None = Field(None, description="Proxy for calls to Slack.")
    ssl_cert_file: str | None = Field(None, description="Certificates to trust for calls to Slack.")
    support_contact: str = Field("", description="E-mail address or URL that people reach whoever runs the bot at.")

    @field_validator("support_contact")
    @classmethod
    def _reachable(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s<>|]+|[^\s<>|@/:]+@[^\s<>|@/:]+", value):
            raise ValueError("neither an e-mail address nor a URL that begins with https://")
        return value

    @property
    def database(self) -> str:
        """Return DATABASE_URL, or the default file in the user's data folder."""
        if self.database_url:
            return self.database_url
        return f"sqlite+aiosqlite:///{user_data_path('genai-roles-bot') / 'bot.sqlite3'}"


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings. Raises SettingsError with every variable that does not fit."""
    try:
        return Settings(_env_file=env_file)  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
    except ValidationError as error:
        lines = [f"{str(problem['loc'][0]).upper()}: {problem['msg']}" for problem in error.errors()]
        raise SettingsError("\n".join(lines)) from error


def hide_from_libraries() -> None:
    """Remove SLACK_* and proxies from the environment once the settings are read: two libraries read it by themselves.

    With SLACK_CLIENT_ID and SLACK_CLIENT_SECRET set Bolt drops the given token and keeps installations in files
    (slack_bolt/app/async_app.py). Slack's SDK takes a proxy from there even for a stand-in on loopback
    (slack_sdk/proxy_env_variable_loader.py).
    """
    for name in [name for name in os.environ if name.startswith("SLACK_") or name.upper() in PROXIES]:
        del os.environ[name]


def has_display() -> bool:
    """Tell whether a browser can open a window here."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def check_certificates(settings: Settings) -> None:
    """Raise SettingsError where SSL_CERT_FILE can't be used."""
    if settings.ssl_cert_file:
        try:
            ssl.create_default_context(cafile=settings.ssl_cert_file)
        except OSError as error:
            reason = "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror
            raise SettingsError(
                f"SSL_CERT_FILE {settings.ssl_cert_file} can't be used: {reason}. "
                "Set it to a file of certificates (PEM), or unset it."
            ) from error


Mode = Literal["local", "http", "socket"]
Way = Literal["http", "socket", "worker"]
"""How payloads reach a process: from Slack over HTTP, from Slack over a socket, or from the inbox alone."""


def mode_of(settings: Settings) -> Mode:
    """Say what to run for these credentials.

    Raises SettingsError, with what is missing, for an incomplete set.
    """
    bot, secret = settings.slack_bot_token, settings.slack_signing_secret
    app = settings.slack_app_token
    many = _oauth_of(settings)
    if app and not bot:
        raise SettingsError("SLACK_APP_TOKEN is set without SLACK_BOT_TOKEN. Set both for Socket Mode, or neither.")
    if app:
        return "socket"
    if many is not None:
        return "http"
    if bot and not secret:
        raise SettingsError(
            "SLACK_BOT_TOKEN is set without SLACK_SIGNING_SECRET. "
            "You find it under Basic Information of your Slack app. For Socket Mode, set SLACK_APP_TOKEN instead."
        )
    if secret and not bot:
        raise SettingsError(
            "SLACK_BOT_TOKEN is missing; you find it under OAuth & Permissions of your Slack app. "
            "SLACK_SIGNING_SECRET is set, and only works together with it."
        )
    return "http" if bot else "local"


@dataclass(frozen=True)
class OAuth:
    """Hold what installation in many workspaces needs."""

    client_id: str
    client_secret: str = field(repr=False)
    public_url: str = ""
    """Without a slash at its end; empty where it is not known."""

    @property
    def link(self) -> str:
        """Return where people install the app; empty where that is not known."""
        return f"{self.public_url}/slack/install" if self.public_url else ""


def _oauth_of(settings: Settings) -> OAuth | None:
    """Return the credentials for installation, None where none are set. Raises SettingsError for a part of them."""
    client_id, secret = settings.slack_client_id, settings.slack_client_secret
    if not client_id and not secret:
        return None
    if not client_id or not secret or not settings.slack_signing_secret:
        names = {
            "SLACK_CLIENT_ID": client_id,
            "SLACK_CLIENT_SECRET": secret,
            "SLACK_SIGNING_SECRET": settings.slack_signing_secret,
        }
        there = [name for name, value in names.items() if value]
        lacking = [name for name, value in names.items() if not value]
        raise SettingsError(
            f"{' and '.join(there)} {'are' if len(there) > 1 else 'is'} set without {' and '.join(lacking)}. "
            "Installation in many workspaces needs all three; you find them under Basic Information of your Slack app."
        )
    url = (settings.public_url or "").rstrip("/")
    if url and not url.startswith(("https://", "http://")):
        raise SettingsError("PUBLIC_URL has to begin with https:// (or http:// on your own machine).")
    return OAuth(client_id, secret.get_secret_value(), url)


@dataclass(frozen=True)
class Credentials:
    """Hold what one way of reaching Slack needs; what it does not need is None."""

    bot_token: str | None = None
    signing_secret: str | None = None
    app_token: str | None = None
    oauth: OAuth | None = None


def credentials_for(settings: Settings, way: Way) -> Credentials:
    """Return the credentials for this way, and no others. Raises SettingsError, with what is missing."""
    bot, secret, app = settings.slack_bot_token, settings.slack_signing_secret, settings.slack_app_token
    many = _oauth_of(settings) if way != "socket" else None
    if many is not None and secret is not None:
        return Credentials(signing_secret=secret.get_secret_value() if way == "http" else None, oauth=many)
    if way == "http" and bot and secret:
        return Credentials(bot.get_secret_value(), signing_secret=secret.get_secret_value())
    if way == "socket" and bot and app:
        return Credentials(bot.get_secret_value(), app_token=app.get_secret_value())
    if way == "worker" and bot:
        return Credentials(bot.get_secret_value())
    needed = {
        "http": "SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET are both needed to serve Slack over HTTP.",
        "socket": "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are both needed for Socket Mode.",
        "worker": "SLACK_BOT_TOKEN is needed to answer what waits in the inbox.",
    }
    other = {
        "http": " With SLACK_APP_TOKEN, run: python -m bot socket" if bot and app else "",
        "socket": " With SLACK_SIGNING_SECRET, run: python -m bot serve" if bot and secret else "",
        "worker": "",
    }
    raise SettingsError(needed[way] + other[way])
