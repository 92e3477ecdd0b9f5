"""`people import` of a hundred thousand people from a file, as a process of its own, over both databases."""

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from storage.keys import new_key
from tests.benchmarks.served import ROOT

PEOPLE = 100_000
TOPICS = 500
ROLES = ("mlops-engineer", "data-engineer", "data-scientist", "prompt-engineer", "model-trainer", "ai-product-manager")
LEVELS = ("lead", "practitioner", "learning")
NAMES = ("Amara", "Ben", "Chiara", "Dilnoza", "Emeka", "Freja", "Gil", "Hana")


@dataclass(frozen=True)
class Imported:
    """What an import took: seconds from the start of the process to its end, and its most resident memory."""

    seconds: float
    megabytes: float


def write_file(file: Path, people: int) -> None:
    """Write a table of so many people, each with two roles and three topics."""
    rng = random.Random(1)
    with file.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["id", "name", "title", "tz", "roles", "topics"])
        for number in range(people):
            roles = [f"{role}:{rng.choice(LEVELS)}" for role in rng.sample(ROLES, 2)]
            topics = [f"subject {topic}" for topic in rng.sample(range(TOPICS), 3)]
            name = f"{rng.choice(NAMES)} Number{number}"
            table.writerow([f"U{number:08}", name, "Engineer", "Europe/Berlin", "; ".join(roles), "; ".join(topics)])


def imported(address: str, file: Path, people: int) -> Imported:
    """Import the file into the database at an address, and see that everybody was."""
    plain = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    own = {"PYTHONPATH": str(ROOT), "DATABASE_URL": address, "ENCRYPTION_KEYS": new_key()}
    said = file.with_suffix(".out")
    started = time.perf_counter()
    with said.open("w") as out:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "bot", "people", "import", str(file), "--workspace", "T0BENCH"],
            cwd=file.parent,
            env=plain | own,
            stdout=out,
            stderr=out,
        )
        # Not what all processes before it took at most, as it is told otherwise.
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or f"{people:,} people were imported" not in said.read_text():
        raise RuntimeError(f"the import ended with {process.returncode}:\n{said.read_text()[-2_000:]}")
    kilobytes = used.ru_maxrss / 1024 if sys.platform == "darwin" else used.ru_maxrss
    return Imported(seconds, kilobytes / 1024)
