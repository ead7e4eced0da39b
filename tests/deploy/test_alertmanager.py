"""Alertmanager's own tool accepts the example, and alerts go where it says."""

from __future__ import annotations

import subprocess

import pytest

from tests.deploy.queries import load_rules
from tests.support.monitoring_stack import ROUTES
from tests.support.programs import require_program

TO_OWNERS = {
    "NatsAccountInactive",
    "NatsAccountInactiveHoldsData",
    "NatsAccountInactiveReserves",
    "NatsAccountInactiveExportsInUse",
    "NatsAccountNeverUsed",
    "NatsAccountJwtExpiring",
    "NatsAccountJwtExpiredWithStreams",
    "NatsAccountExemptionExpired",
    "NatsAccountReadyToRemove",
}
TO_NOBODY = {"NatsAccountsInactiveByOwner"}
ALERTS = sorted({rule["alert"] for rule in load_rules() if "alert" in rule})


def amtool(*arguments: str) -> tuple[int, str]:
    """Run amtool and return its exit code and all it said."""
    command = [require_program("amtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_example_loads() -> None:
    """Alertmanager reads the shipped example."""
    code, said = amtool("check-config", str(ROUTES))

    assert code == 0, said


def goes_to(receiver: str, **labels: str) -> None:
    """Check who is told of an alert."""
    code, said = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={ROUTES}",
        f"--verify.receivers={receiver}",
        *(f"{name}={value}" for name, value in labels.items()),
    )

    assert code == 0, said


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_finds_its_receiver(alert: str) -> None:
    """Idle accounts are told to their owners, the exporter's troubles to its team."""
    receiver = "platform-team"
    if alert in TO_OWNERS:
        receiver = "account-owners"
    elif alert in TO_NOBODY:
        receiver = "nobody"

    goes_to(receiver, alertname=alert, owner="shop")


@pytest.mark.parametrize("alert", sorted(TO_OWNERS))
def test_an_owner_may_have_a_receiver_of_their_own(alert: str) -> None:
    """The example has one, for all that is told to owners."""
    goes_to("data-platform", alertname=alert, owner="data-platform")


def test_a_jwt_without_an_owner_is_the_platform_teams() -> None:
    """Somebody must renew it before clients are cut off."""
    goes_to("platform-team", alertname="NatsAccountJwtExpiring")
