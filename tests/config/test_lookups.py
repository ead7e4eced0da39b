"""URLs whose host is looked up, and patterns of files of targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from nats_idle_exporter.config import load_config
from nats_idle_exporter.lookups import (
    DNS,
    SRV,
    Lookup,
    is_lookup,
    lookup_of,
    parse_lookup,
    place_key,
)
from nats_idle_exporter.urls import UrlError


@pytest.mark.parametrize(
    ("url", "lookup"),
    [
        ("dns+http://nats:8222", Lookup(DNS, "http", "nats", 8222, "")),
        ("DNS+HTTPS://Nats.ns.svc.", Lookup(DNS, "https", "nats.ns.svc.", 443, "")),
        ("dns+http://nats/a/", Lookup(DNS, "http", "nats", 80, "/a")),
        ("dnssrv+http://_m._tcp.h", Lookup(SRV, "http", "_m._tcp.h", 80, "")),
        ("dnssrv+https://_m._tcp.h/a", Lookup(SRV, "https", "_m._tcp.h", 443, "/a")),
    ],
)
def test_what_is_looked_up(url: str, lookup: Lookup) -> None:
    """The URL after the plus says what each answer becomes."""
    assert is_lookup(url)
    assert lookup_of(parse_lookup(url)) == lookup


def test_answers_become_urls() -> None:
    """Port and path are kept; IPv6 addresses get brackets."""
    lookup = lookup_of("dns+http://nats:8222/a")

    assert lookup.url("10.0.0.1", lookup.port) == "http://10.0.0.1:8222/a"
    assert lookup.url("::1", 1) == "http://[::1]:1/a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dns+nats://h", "a URL like dns"),
        ("dns+http://", "a URL like http"),
        ("dns+http://10.0.0.1:8222", "no address"),
        ("dns+http://[::1]:8222", "no address"),
        ("dnssrv+http://_m._tcp.h:8222", "no port"),
        ("dns+http://u:hunter2@h:8222", "without user"),
        ("dns+http://h?hunter2", "without query"),
    ],
)
def test_what_cannot_be_looked_up(text: str, expected: str) -> None:
    """The refusal says what was expected, without the secret."""
    with pytest.raises(UrlError, match=expected) as refusal:
        parse_lookup(text)

    assert "hunter2" not in str(refusal.value)


def test_the_same_lookup_has_one_key() -> None:
    """Case does not matter; a name and its addresses are two things."""
    assert place_key("dns+http://H:80") == place_key("DNS+http://h")
    assert place_key("dns+http://h") != place_key("http://h")
    assert place_key("dns+http://h") != place_key("dnssrv+http://h")


def test_files_are_beside_the_configuration(tmp_path: Path) -> None:
    """A pattern that is relative starts at its folder; endpoints may be none."""
    path = tmp_path / "config.yaml"
    path.write_text("systems: [{file_sd_files: [targets/*.json, /etc/nats.yml]}]")

    assert load_config(path).systems[0].file_sd_files == (
        f"{tmp_path}/targets/*.json",
        "/etc/nats.yml",
    )
