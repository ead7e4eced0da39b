"""Dates of the configuration, and how the configuration in use is shown with them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import yaml

from nats_idle_exporter.config import parse_config
from nats_idle_exporter.config.rendering import render_config

CONFIG = """
systems:
  - endpoints: [http://h]
    refresh_interval: 90s
    inventory:
      - resolver_dir: /jwt
      - claims: {{url: "nats://h:4222", creds_file: /sys.creds, tls_config: {{}}}}
accounts: [{{match: a, expected_start: {}}}]
"""


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ('"2027-01-31"', datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T09:00:00Z", datetime(2027, 1, 31, 9, tzinfo=UTC)),
        ("2027-01-31 09:00", datetime(2027, 1, 31, 9, tzinfo=UTC)),
        ("2027-01-31T09:00:00+01:00", datetime(2027, 1, 31, 8, tzinfo=UTC)),
        ('"1969-12-31T23:59:59Z"', datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_expected_start_is_read(text: str, moment: datetime) -> None:
    """A date is its first moment in UTC; a timestamp may name a zone."""
    config = parse_config(CONFIG.format(text))

    assert config.accounts[0].expected_at == moment.timestamp()


def test_what_is_shown_loads_to_the_same() -> None:
    """Inventories and expected starts are shown as they are written."""
    config = parse_config(CONFIG.format("2027-01-31T09:00:00+01:00"))

    shown = render_config(config)

    tree = yaml.safe_load(shown)
    assert tree["accounts"][0]["expected_start"] == "2027-01-31T08:00:00Z"
    assert tree["systems"][0]["inventory"][0] == {"resolver_dir": "/jwt"}
    assert parse_config(shown) == config
