"""What is fuzzed of what operators write: files and words of the command line."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

from nats_idle_exporter.config import (
    Inactivity,
    format_duration,
    parse_config,
    parse_duration,
    parse_registry_file,
)
from nats_idle_exporter.config.clientfile import parse_client_file
from nats_idle_exporter.config.webfile import parse_web_file
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.discovery.filesd import read_targets
from nats_idle_exporter.urls import (
    UrlError,
    endpoint_key,
    parse_endpoint,
    without_credentials,
)
from tests.chaos.entrances import Target

ROOT = Path(__file__).parents[2]
REGISTRY = b"""
- match: "A*"
  owner: me
  exempt: {until: 2027-01-31, reason: r, by: b}
- {match: B, threshold: 2d, gap_tolerance: 1h, decommission: {grace: 1d}}
"""
WEB_FILE = b"""
tls_server_config: {cert_file: a, key_file: b, client_auth_type: NoClientCert}
http_server_config: {headers: {X-Frame-Options: deny}}
basic_auth_users: {me: $2b$10$abcdefghijklmnopqrstuvabcdefghijklmnopqrstuvabcdefghi}
"""

CLIENT_FILE = b"""
basic_auth: {username: me, password_file: p}
tls_config: {ca_file: a, cert_file: b, key_file: c, min_version: TLS12}
http_headers: {X-A: {values: [b], secrets: [c], files: [d]}}
proxy_url: http://p:1
"""
LISTED = b"""
- targets: [a:8222, "http://[::1]:1/x"]
  labels: {__scheme__: https, job: nats}
"""


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def read_config(data: bytes) -> None:
    """Read the bytes as the configuration file."""
    with suppress(ConfigError):
        parse_config(_text(data))


def read_registry(data: bytes) -> None:
    """Read the bytes as the registry file; what is one makes rules."""
    with suppress(ConfigError):
        parse_registry_file(_text(data), Inactivity())


def read_web_file(data: bytes) -> None:
    """Read the bytes as the web configuration file."""
    with suppress(ConfigError):
        parse_web_file(_text(data))


def read_duration(data: bytes) -> None:
    """Read the bytes as a duration; what is one is written and read back."""
    with suppress(ValueError):
        seconds = parse_duration(_text(data))
        assert 0 <= seconds < math.inf
        assert parse_duration(format_duration(seconds)) == seconds


def read_url(data: bytes) -> None:
    """Read the bytes as an endpoint; what is one has a key and no credentials."""
    text = _text(data)
    shown = without_credentials(text)
    with suppress(UrlError):
        url = parse_endpoint(text)
        assert endpoint_key(url).host
        assert shown.rstrip("/") == url


def read_client_file(data: bytes) -> None:
    """Read the bytes as the file that says how a daemon is asked."""
    with suppress(ConfigError):
        parse_client_file(_text(data), Path("/folder"))


def read_listed(data: bytes) -> None:
    """Read the bytes as a list of endpoints, in YAML and in JSON."""
    for is_json in (False, True):
        with suppress(ConfigError):
            urls = read_targets(_text(data), is_json=is_json)
            assert all(endpoint_key(url).host for url in urls)


WRITTEN = {
    "config": Target(
        read_config, [(ROOT / "config.example.yaml").read_bytes(), b"systems: []"], 5
    ),
    "registry": Target(read_registry, [REGISTRY, b"[]"], 5),
    "web": Target(read_web_file, [WEB_FILE], 5),
    "client": Target(read_client_file, [CLIENT_FILE], 5),
    "filesd": Target(read_listed, [LISTED, b'[{"targets": ["a:1"]}]'], 5),
    "duration": Target(read_duration, [b"24h", b"1d12h", b"500ms", b"0"], 8),
    "url": Target(read_url, [b"http://a:8222/b", b"https://u:p@[::1]:1/x?y#z"], 8),
}
"""By name."""
