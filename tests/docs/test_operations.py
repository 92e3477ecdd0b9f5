"""The operations page lists the metrics, labels, findings and log keys that there are."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import get_args

from pydantic import SecretStr

from bot import doctor
from bot.doctor import examine
from bot.logs import JsonLines, about
from bot.metrics import KINDS, PREFIX, EventOutcome, Metrics, Outcome, Surface
from bot.settings import Settings
from knowledge.feedback import RatedKind, Verdict
from tests.docs.pages import ROOT, code, read, rows, section

PAGE = ROOT / "docs" / "operations.md"


def measured() -> dict[str, list[str]]:
    """The names of all samples of the bot's own, by Prometheus' rules, each with its labels."""
    found = {}
    for collector, names in Metrics().registry._collector_to_names.items():
        for family in collector.collect():
            if family.name.startswith(PREFIX):
                name = f"{family.name}_total" if family.type == "counter" else family.name
                found[name] = list(getattr(collector, "_labelnames", ()))
                assert name in names
    return found


def test_every_metric_is_in_the_table_with_its_labels() -> None:
    shown = {code(row[0])[0]: code(row[1]) for row in rows(section(PAGE, "Metrics")) if PREFIX in row[0]}
    assert shown == measured()


def test_every_value_of_a_label_is_in_the_table() -> None:
    table = [row for row in rows(section(PAGE, "Metrics")) if len(row) == 3 and PREFIX not in row[0]]
    shown = {(code(row[0])[0], row[1]): code(row[2]) for row in table}
    assert shown == {
        ("surface", "requests"): list(get_args(Surface)),
        ("outcome", "requests"): list(get_args(Outcome)),
        ("outcome", "events"): list(get_args(EventOutcome)),
        ("kind", "answers"): list(dict.fromkeys(KINDS.values())),
        ("kind", "votes"): list(get_args(RatedKind)),
        ("verdict", "votes"): list(get_args(Verdict)),
    }


def test_alerts_are_about_metrics_that_there_are() -> None:
    alerts = section(PAGE, "Alerts to set")
    named = {re.sub(r"_bucket$", "", name) for name in re.findall(rf"{PREFIX}\w+", alerts)}
    assert named <= set(measured())
    outcomes = set(re.findall(r'outcome="(\w+)"', alerts))
    assert outcomes <= {*get_args(Outcome), *get_args(EventOutcome)}


async def test_every_finding_of_the_doctor_is_in_the_table() -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # known to pydantic-settings, not to mypy
        slack_bot_token=SecretStr("xoxb-none"),
        slack_app_token=SecretStr("xapp-none"),
        slack_client_id="1.2",
        slack_client_secret=SecretStr("none"),
        slack_api_url="http://127.0.0.1:9/api/",
        database_url="sqlite+aiosqlite://",
        https_proxy=None,
        ssl_cert_file=None,
    )
    report = await examine(settings, lambda: datetime.now(UTC))
    shown = [code(row[0])[0] for row in rows(section(PAGE, "First: doctor"))]
    assert shown == [finding.name for finding in report.findings]


def test_the_bounds_are_those_of_the_doctor() -> None:
    page = read(PAGE)
    assert doctor.MOST_WAITING == 60 and "more than a minute" in page and "oldest_seconds > 60" in page


def test_every_key_of_a_log_line_is_in_the_table() -> None:
    record = logging.makeLogRecord({"msg": "said", "exc_info": (ValueError, ValueError(), None)})
    with about(request="r", event="e", workspace="w"):
        line = json.loads(JsonLines().format(record))
    assert sorted(code(row[0])[0] for row in rows(section(PAGE, "Logs"))) == sorted(line)
