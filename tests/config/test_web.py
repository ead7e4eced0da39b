"""Where our own web server listens."""

from __future__ import annotations

import pytest

from nats_idle_exporter.config.web import (
    WebOptions,
    format_listen_address,
    parse_listen_address,
    parse_telemetry_path,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":7778", ("", 7778)),
        (":0", ("", 0)),
        ("localhost:80", ("localhost", 80)),
        ("127.0.0.1:7778", ("127.0.0.1", 7778)),
        ("[::1]:7778", ("::1", 7778)),
        ("[::]:65535", ("::", 65535)),
    ],
)
def test_listen_addresses_are_read(text: str, address: tuple[str, int]) -> None:
    """Port alone, host and port, and bracketed IPv6 are read, and shown alike."""
    assert parse_listen_address(text) == address
    assert format_listen_address(*address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7778",
        ":",
        ":65536",
        ":-1",
        ":٣",
        "::1:7778",
        "[::1]",
        "[]:1",
        "[::g]:1",
        "[localhost:1",
        "a b:1",
        "http://x:1",
        "-:1",
        ":1\n",
    ],
)
def test_other_listen_addresses_are_refused(text: str) -> None:
    """A missing port, a port too high and odd hosts are refused."""
    with pytest.raises(ValueError, match="expected"):
        parse_listen_address(text)


@pytest.mark.parametrize("text", ["/metrics", "/m", "/a/b-c/d.txt", "/_x~"])
def test_plain_telemetry_paths_are_accepted(text: str) -> None:
    """A path of plain segments may serve the metrics."""
    assert parse_telemetry_path(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("metrics", "plain path"),
        ("", "plain path"),
        ("/", "plain path"),
        ("/metrics/", "plain path"),
        ("//x", "plain path"),
        ("/a/../b", "plain path"),
        ("/{name}", "plain path"),
        ("/a?b", "plain path"),
        ("/a b", "plain path"),
        ("/-/healthy", "not reserved"),
        ("/-", "not reserved"),
        ("/api/v1/accounts", "not reserved"),
        ("/accounts/x", "not reserved"),
        ("/config", "not reserved"),
    ],
)
def test_other_telemetry_paths_are_refused(text: str, why: str) -> None:
    """A path that is no plain one, or that is reserved for other pages, is refused."""
    with pytest.raises(ValueError, match=why):
        parse_telemetry_path(text)


def test_defaults() -> None:
    """Without flags every interface serves /metrics on port 7778."""
    options = WebOptions()

    assert options.listen_addresses == (("", 7778),)
    assert options.telemetry_path == "/metrics"
