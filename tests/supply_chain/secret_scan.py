"""Look for secrets in the tracked files: `python -m tests.supply_chain.secret_scan`."""

from __future__ import annotations

import base64
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
KINDS = {
    "a Slack token": r"\bxox[abeoprs](?:\.xox[abp])?-[0-9A-Za-z-]{20,}|\bx(?:app-\d|wfp)-[0-9A-Za-z-]{20,}",
    "a Slack webhook": r"hooks\.slack\.com/(?:services|workflows|triggers)/T[0-9A-Z]{6,}/[0-9A-Za-z/]{10,}",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[oprsu]_[0-9A-Za-z]{36}\b|\bgithub_pat_[0-9A-Za-z_]{60,}",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a Fernet key": r"(?<![\w/+-])[\w-]{43}=(?![\w=])",
    "a signing or client secret": r"(?i)(?:signing|client)_?secret\W{1,5}[0-9a-f]{32}\b",
    "a password in an address": r"\b[a-z][a-z0-9+]{2,20}://[^\s:/@{]+:[^\s@/{$]{12,}@",
}
"""What a secret looks like; each pattern is of things that nobody types by chance."""
PATTERNS = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}
LEAST_BITS = 3.0
"""Entropy a character: below it, it is an example (xoxb-aaaa…), and no secret was ever drawn."""
ALLOWED = "not a secret"
"""Said in a comment on the same line of what only looks like one."""


class Found(NamedTuple):
    """Where something stands that looks like a secret; never the thing itself."""

    file: str
    line: int
    kind: str


def tracked() -> list[Path]:
    """Return the files under version control."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)  # noqa: S607
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def scan(files: Iterable[Path]) -> Iterator[Found]:
    for file in files:
        data = file.read_bytes()
        if b"\0" in data[:8000]:
            continue
        name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            if ALLOWED not in line:
                yield from (Found(name, number, kind) for kind in kinds_in(line))


def kinds_in(line: str) -> list[str]:
    return [kind for kind, pattern in PATTERNS.items() if any(_meant(kind, one[0]) for one in pattern.finditer(line))]


def _meant(kind: str, text: str) -> bool:
    if kind == "a private key":
        return True
    if kind == "a Fernet key" and len(base64.urlsafe_b64decode(text)) != 32:
        return False
    counts = Counter(text)
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    return bits >= LEAST_BITS


def main() -> int:
    found = list(scan(tracked()))
    for one in found:
        print(f"{one.file}:{one.line}: looks like {one.kind}")
    print(f"{len(found)} found." if found else "No secret found.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
