"""Secrets are planted in every place that takes one, and looked for in every output."""

from __future__ import annotations

import base64
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificates import Authority
from tests.support.daemon import Daemon

PLANTED = "planted-secret"
PATHS = ("/metrics", "/", "/config", "/-/ready", "/nowhere")


def planted(number: int) -> str:
    """Return one of the secrets."""
    return f"{PLANTED}-{number}"


def http_clients(folder: Path) -> list[dict[str, Any]]:
    """Return endpoints with a secret in each place, all of which fail."""
    (folder / "secret").write_text(f"{planted(1)}\n")
    pair = Authority(folder).issue("me")
    key = pair.key.read_text()
    return [
        {"basic_auth": {"username": "u", "password": planted(2)}},
        {"basic_auth": {"username": "u", "password_file": "secret"}},
        {"authorization": {"credentials": planted(3)}},
        {"authorization": {"type": "Token", "credentials_file": "secret"}},
        {"http_headers": {"X-A": {"secrets": [planted(4)], "files": ["secret"]}}},
        {"proxy_url": f"http://u:{planted(5)}@127.0.0.1:2"},
        {"tls_config": {"cert": pair.cert.read_text(), "key": key}},
    ]


def needles(folder: Path) -> list[str]:
    """Return what must be nowhere: the secrets, also as headers and keys hold them."""
    claims = [f"u:{planted(number)}" for number in (1, 2, 5)]
    key = next(folder.glob("*.key")).read_text().splitlines()[1]
    encoded = [base64.b64encode(claim.encode()).decode() for claim in claims]
    return [PLANTED, key, *encoded]


@pytest.mark.parametrize("log_format", ["logfmt", "json"])
def test_no_secret_is_in_any_output(log_format: str, tmp_path: Path) -> None:
    """Neither the log nor any page holds a secret, however the polls fail."""
    clients = http_clients(tmp_path)
    endpoints = [
        {"url": f"{scheme}://127.0.0.1:1/{number}", **client}
        for number, client in enumerate(clients)
        for scheme in ("http", "https")
    ]
    config = {"systems": [{"endpoints": endpoints}], "poll": {"interval": "100ms"}}
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(config))

    flags = ["--log.level=debug", f"--log.format={log_format}"]
    with Daemon(f"--config.file={file}", *flags) as daemon:
        daemon.wait_for("first cycle ended")
        page = ""
        while "endpoint_up{" not in page:
            page = daemon.page()
        (tmp_path / "secret").write_text(f"{PLANTED}\n\x07{PLANTED}")
        daemon.wait_for("credentials:")
        pages = [daemon.fetch(path)[1] for path in PATHS]
        assert daemon.end(signal.SIGTERM) == 0

    outputs = ["".join(daemon.lines), page, *pages]
    assert outputs[PATHS.index("/config") + 2].count("<secret>") == 2 * 6
    for needle in needles(tmp_path):
        assert not [text for text in outputs if needle in text]
