"""Mistakes in ``inventory``: one line each, like every other mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.cli import main
from tests.config.test_mistakes import POSITIVE, Mistake, assert_complaint

if TYPE_CHECKING:
    from pathlib import Path

SOURCE_KEYS = "the keys resolver_dir, nsc_store, nats_config, accounts_file, claims"
CLAIMS = "systems: [{endpoints: ['http://h'], inventory: [{claims: {%s}}]}]"
NATS_URL = "a URL like nats://host:4222"

MISTAKES = {
    "a source of no kind": Mistake(
        "systems: [{endpoints: ['http://h'], inventory: [{}]}]",
        "$.systems[0].inventory[0]",
        f"exactly one of {SOURCE_KEYS}",
        "none of them",
    ),
    "a source without a value": Mistake(
        "systems: [{endpoints: ['http://h'], inventory: [{nsc_store: }]}]",
        "$.systems[0].inventory[0]",
        f"exactly one of {SOURCE_KEYS}",
        "none of them",
    ),
    "a source of two kinds": Mistake(
        "systems: [{endpoints: ['http://h'],"
        " inventory: [{resolver_dir: a}, {nsc_store: a, nats_config: b}]}]",
        "$.systems[0].inventory[1]",
        f"exactly one of {SOURCE_KEYS}",
        "nsc_store and nats_config",
    ),
    "a source of an unknown kind": Mistake(
        "systems: [{endpoints: ['http://h'], inventory: [{folder: a}]}]",
        "$.systems[0].inventory[0].folder",
        f"one of {SOURCE_KEYS}",
        '"folder"',
    ),
    "a source twice": Mistake(
        "systems: [{endpoints: ['http://h'],"
        " inventory: [{resolver_dir: a}, {nsc_store: a}, {resolver_dir: a}]}]",
        "$.systems[0].inventory[2].resolver_dir",
        "each source once",
        "the same again",
    ),
    "claims twice": Mistake(
        "systems: [{endpoints: ['http://h'], inventory: "
        "[{claims: {url: 'nats://h'}}, {claims: {url: 'nats://h/'}}]}]",
        "$.systems[0].inventory[1].claims",
        "each source once",
        "the same again",
    ),
    "a mapping as inventory": Mistake(
        "systems: [{endpoints: ['http://h'], inventory: {resolver_dir: a}}]",
        "$.systems[0].inventory",
        "a list",
        "a mapping",
    ),
    "an empty path": Mistake(
        "systems: [{endpoints: ['http://h'], inventory: [{resolver_dir: ''}]}]",
        "$.systems[0].inventory[0].resolver_dir",
        "text that is not empty",
        '""',
    ),
    "no url of claims": Mistake(
        CLAIMS % "creds_file: a",
        "$.systems[0].inventory[0].claims.url",
        NATS_URL,
        "nothing",
    ),
    "claims by http": Mistake(
        CLAIMS % "url: 'http://h:8222'",
        "$.systems[0].inventory[0].claims.url",
        NATS_URL,
        '"http://h:8222"',
    ),
    "a number as claims": Mistake(
        CLAIMS % "url: 4222",
        "$.systems[0].inventory[0].claims.url",
        NATS_URL,
        "4222",
    ),
    "claims with a path": Mistake(
        CLAIMS % "url: 'nats://h:4222/a'",
        "$.systems[0].inventory[0].claims.url",
        NATS_URL,
        '"nats://h:4222/a"',
    ),
    "claims of two hosts": Mistake(
        CLAIMS % "url: 'nats://h:4222,nats://i:4222'",
        "$.systems[0].inventory[0].claims.url",
        NATS_URL,
        '"nats://h:4222,nats://i:4222"',
    ),
    "claims with a password": Mistake(
        CLAIMS % "url: 'nats://me:hunter2@h:4222'",
        "$.systems[0].inventory[0].claims.url",
        "a URL without user and password",
        'credentials in "nats://h:4222"',
    ),
    "an unknown key of claims": Mistake(
        CLAIMS % "url: 'nats://h', user: me",
        "$.systems[0].inventory[0].claims.user",
        "one of the keys url, creds_file, tls_config",
        '"user"',
    ),
    "an unknown key of tls": Mistake(
        CLAIMS % "url: 'nats://h', tls_config: {ca: x}",
        "$.systems[0].inventory[0].claims.tls_config.ca",
        "one of the keys ca_file, cert_file, key_file, server_name,"
        " insecure_skip_verify",
        '"ca"',
    ),
    "a key without its certificate": Mistake(
        CLAIMS % "url: 'nats://h', tls_config: {key_file: x}",
        "$.systems[0].inventory[0].claims.tls_config.cert_file",
        "the certificate of key_file",
        "nothing",
    ),
    "text as true or false": Mistake(
        CLAIMS % "url: 'nats://h', tls_config: {insecure_skip_verify: 'no'}",
        "$.systems[0].inventory[0].claims.tls_config.insecure_skip_verify",
        "true or false",
        '"no"',
    ),
    "a refresh of never": Mistake(
        "systems: [{endpoints: ['http://h'], refresh_interval: 0s}]",
        "$.systems[0].refresh_interval",
        POSITIVE,
        '"0s"',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_in_one_line(
    mistake: Mistake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bad source ends the start with exit 1 and says where, expected, found."""
    file = tmp_path / "config.yaml"
    file.write_text(mistake.text, encoding="utf-8")

    assert main([f"--config.file={file}", "--config.check"]) == 1
    assert_complaint(capsys.readouterr().err.rstrip("\n"), file, mistake)
