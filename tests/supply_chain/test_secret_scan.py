"""No secret is among the tracked files, and one that is planted is found."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.keys import new_key
from tests.supply_chain.secret_scan import ALLOWED, PATTERNS, Found, kinds_in, main, scan, tracked

RANDOM = random.Random(11)


def drawn(count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(RANDOM.choices(alphabet, k=count))


# Put together here: written out, they would be found.
PLANTED: dict[str, list[Callable[[], str]]] = {
    "a Slack token": [
        lambda: f"SLACK_BOT_TOKEN=xoxb-{drawn(12, string.digits)}-{drawn(13, string.digits)}-{drawn(24)}",
        lambda: f'"xapp-1-A{drawn(10, string.digits)}-{drawn(13, string.digits)}-{drawn(64)}"',
        lambda: f"xoxe.xoxb-1-{drawn(160)}",
        lambda: f"xoxp-{drawn(12, string.digits)}-{drawn(12, string.digits)}-{drawn(32)}",
    ],
    "a Slack webhook": [lambda: f"https://hooks.slack.com/services/T{drawn(8, '0123456789AB')}/B00/{drawn(24)}"],
    "a private key": [
        lambda: "-----BEGIN " + "PRIVATE KEY-----",
        lambda: "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
        lambda: "key: -----BEGIN " + "RSA PRIVATE KEY-----",
    ],
    "an AWS key": [lambda: f"aws_access_key_id = AKIA{drawn(16, string.ascii_uppercase + string.digits)}"],
    "a GitHub token": [lambda: f"ghp_{drawn(36)}"],
    "a Google key": [lambda: f"AIza{drawn(35)}"],
    "a Fernet key": [lambda: f"ENCRYPTION_KEYS={new_key()}", lambda: f'keys = ["{new_key()}"]'],
    "a signing or client secret": [
        lambda: f"SLACK_SIGNING_SECRET={drawn(32, '0123456789abcdef')}",
        lambda: f'client_secret: "{drawn(32, "0123456789abcdef")}"',
    ],
    "a password in an address": [lambda: f"postgresql://bot:{drawn(16)}@db.internal/bot"],
}


def test_no_tracked_file_holds_a_secret() -> None:
    files = tracked()
    assert Path(__file__) in files or len(files) > 300
    assert list(scan(files)) == []


def test_every_kind_is_planted() -> None:
    assert list(PLANTED) == list(PATTERNS)


@pytest.mark.parametrize(("kind", "make"), [(kind, make) for kind, every in PLANTED.items() for make in every])
def test_a_planted_one_is_found(kind: str, make: Callable[[], str], tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f"# settings\n\n{make()}\n", encoding="utf-8")
    assert list(scan([file])) == [Found(str(file), 3, kind)]


@pytest.mark.parametrize(
    "line",
    [
        "SLACK_BOT_TOKEN=xoxb-…",
        'token="xoxb-none"',
        f"xoxb-{'a' * 40}",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "postgresql://user:password@host/name",
        "postgresql://root:$password@127.0.0.1:5432/test",
        f"--hash=sha256:{drawn(64, '0123456789abcdef')}",
        base64.urlsafe_b64encode(b"\0" * 32).decode(),
    ],
)
def test_examples_are_let_through(line: str) -> None:
    assert kinds_in(line) == []


def test_what_only_looks_like_one_can_be_marked(tmp_path: Path) -> None:
    file = tmp_path / "example.py"
    file.write_text(f'KEY = "{new_key()}"  # {ALLOWED}: of a published example\n', encoding="utf-8")
    assert list(scan([file])) == []


def test_the_command_says_where_and_never_what(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, key = tmp_path / "notes.md", new_key()
    file.write_text(f"the key is {key}\n", encoding="utf-8")
    monkeypatch.setattr("tests.supply_chain.secret_scan.tracked", lambda: [file])
    assert main() == 1
    said = capsys.readouterr().out
    assert f"{file}:1: looks like a Fernet key" in said and key not in said
