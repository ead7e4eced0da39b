"""Prometheus' own tools accept the rules and the job, and the rules' tests pass."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.queries import load_rules
from tests.support.monitoring_stack import REPOSITORY, RULES, SCRAPE
from tests.support.programs import require_program

if TYPE_CHECKING:
    from pathlib import Path

RULES_TESTS = sorted(RULES.parent.glob("*_test.yaml"))
RUNBOOKS = REPOSITORY / "docs" / "alerts.md"
ALERTS = [rule for rule in load_rules() if "alert" in rule]
SECTIONS = ("Meaning", "Impact", "Diagnosis", "Mitigation")


def promtool(*arguments: object) -> tuple[int, str]:
    """Run promtool and return its exit code and all it said."""
    command = [require_program("promtool"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_scrape_configuration_loads() -> None:
    """Prometheus reads the shipped configuration together with the rules."""
    code, said = promtool("check", "config", SCRAPE)

    assert code == 0, said


def test_the_rules_have_no_lint() -> None:
    """Promtool finds nothing to complain about."""
    code, said = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)

    assert code == 0, said


@pytest.mark.parametrize("tests", RULES_TESTS, ids=lambda path: path.name)
def test_the_rules_do_what_their_tests_say(tests: Path) -> None:
    """Each alert fires when it must, and is not misled by what is out."""
    code, said = promtool("test", "rules", tests)

    assert code == 0, said


@pytest.mark.parametrize(
    "rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}"
)
def test_every_alert_is_complete(rule: dict[str, Any]) -> None:
    """An alert waits, has a severity, tells what happened and is unit tested."""
    assert "for" in rule
    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["summary"].endswith(".")
    tested = "".join(path.read_text() for path in RULES_TESTS)
    assert f"alertname: {rule['alert']}\n" in tested


def test_only_a_jwt_that_ends_soon_is_critical() -> None:
    """Idle accounts are no emergency; cutting off those who are connected is one."""
    critical = [r for r in ALERTS if r["labels"]["severity"] == "critical"]

    assert [rule["alert"] for rule in critical] == ["NatsAccountJwtExpiring"]


def test_every_alert_has_a_runbook() -> None:
    """The page has one part for each alert, where the alert's link leads."""
    parts = RUNBOOKS.read_text().split("\n## ")[1:]
    runbooks = {title: text for title, _, text in (p.partition("\n") for p in parts)}

    assert list(runbooks) == list(dict.fromkeys(rule["alert"] for rule in ALERTS))
    for rule in ALERTS:
        assert rule["annotations"]["runbook_url"] == (
            f"{RUNBOOKS.relative_to(REPOSITORY)}#{rule['alert'].lower()}"
        )
    for text in runbooks.values():
        positions = [text.index(f"**{section}.**") for section in SECTIONS]
        assert positions == sorted(positions)
