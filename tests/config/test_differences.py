"""What is told of two configurations: keys, and never values."""

from __future__ import annotations

import pytest

from nats_idle_exporter.config import parse_config
from nats_idle_exporter.config.differences import differences

BEFORE = """
systems:
  - {name: north, endpoints: ['http://a', 'http://b']}
  - name: south
    endpoints: ['http://c', {url: 'http://d', authorization: {credentials: hunter1}}]
    http_client: {basic_auth: {username: u, password: hunter2}}
accounts: [{match: A, owner: x}]
"""
POLL = "poll: {interval: 10s}\n"


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ("", "", ()),
        ("accounts:", f"{POLL}accounts:", ("$.poll.interval",)),
        ("owner: x", "owner: y", ("$.accounts[0].owner",)),
        ("owner: x}", "owner: x}, {match: B}", ("$.accounts",)),
        ("accounts:", "exclude: [Z]\naccounts:", ("$.exclude",)),
        ("'http://b'", "'http://e'", ("$.systems[0].endpoints[1]",)),
        (", 'http://b'", "", ("$.systems[0].endpoints",)),
        ("hunter1", "hunter3", ("$.systems[1].endpoints[1]",)),
        ("hunter2", "hunter3", ("$.systems[1].http_client.basic_auth.password",)),
        ("name: north", "name: west", ("$.systems",)),
        (
            "name: north",
            "inventory: [{accounts_file: f}], name: north",
            ("$.systems[0].inventory",),
        ),
    ],
)
def test_keys(old: str, new: str, keys: tuple[str, ...]) -> None:
    """Each change is told by its place in the later configuration."""
    found = differences(parse_config(BEFORE), parse_config(BEFORE.replace(old, new)))

    assert tuple(key for key in found.keys if key != "$.poll.timeout") == keys


def test_systems_and_endpoints() -> None:
    """What came and went is told by name; a system that moved in the list did not."""
    after = """
systems:
  - {name: south, endpoints: ['http://c', 'http://d']}
  - {name: west, endpoints: ['http://a']}
"""
    found = differences(parse_config(BEFORE), parse_config(after))

    assert found.systems_added == ("west",)
    assert found.systems_removed == ("north",)
    assert found.endpoints_added == (("west", "http://a"),)
    assert found.endpoints_removed == (("north", "http://a"), ("north", "http://b"))
    assert "$.systems[0].http_client.basic_auth" in found.keys
    assert not any("hunter" in key for key in found.keys)
