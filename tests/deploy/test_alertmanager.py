"""Alertmanager's own tool accepts the example, and alerts go where it says."""

from __future__ import annotations

import subprocess

import pytest

from tests.deploy.queries import load_rules
from tests.support.monitoring_stack import ROUTES
from tests.support.programs import require_program

INACTIVITY = {
    "NatsAccountInactive": "account-owners",
    "NatsAccountsInactiveByOwner": "nobody",
}


def amtool(*arguments: str) -> tuple[int, str]:
    """Run amtool and return its exit code and all it said."""
    command = [require_program("amtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_example_loads() -> None:
    """Alertmanager reads the shipped example."""
    code, said = amtool("check-config", str(ROUTES))

    assert code == 0, said


@pytest.mark.parametrize(
    "alert", [rule["alert"] for rule in load_rules() if "alert" in rule]
)
def test_every_alert_finds_its_receiver(alert: str) -> None:
    """Idle accounts are told to their owners, the exporter's troubles to its team."""
    code, said = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={ROUTES}",
        f"--verify.receivers={INACTIVITY.get(alert, 'platform-team')}",
        f"alertname={alert}",
    )

    assert code == 0, said
