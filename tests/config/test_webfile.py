"""The web configuration file: what is taken, and what is refused in which words."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from nats_idle_exporter.config.webfile import parse_web_file
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.web.security import check_web_file
from tests.support.certificates import Authority
from tests.support.programs import require_program

PAIR = "cert_file: ca-server.pem, key_file: ca-server.key"
HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"


def tls(keys: str) -> str:
    """Return a file that serves TLS with these keys beside the pair."""
    return f"tls_server_config: {{{PAIR}, {keys}}}"


GOOD = {
    "empty": "",
    "a comment": "# nothing\n",
    "sections without a value": "tls_server_config:\nbasic_auth_users:\n",
    "empty sections": "tls_server_config: {}\nhttp_server_config: {}\n",
    "a pair": "tls_server_config: {" + PAIR + "}",
    "keys without a value": tls("client_ca_file: ''"),
    "client CA": tls(
        "client_ca_file: ca.pem, client_auth_type: VerifyClientCertIfGiven"
    ),
    "no client CA": tls("client_auth_type: RequireAndVerifyClientCert"),
    "no client certificate": tls("client_auth_type: NoClientCert"),
    "versions": tls("min_version: TLS12, max_version: TLS13"),
    "an old version": tls("min_version: TLS10"),
    "suites": tls(
        "cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]"
    ),
    "the server's order": tls("prefer_server_cipher_suites: no"),
    "users": f"basic_auth_users: {{alice: {HASH}, 'bob b': {HASH}}}",
    "headers": "http_server_config: {http2: false, headers: "
    "{X-Frame-Options: sameorigin, X-Content-Type-Options: nosniff, "
    "X-XSS-Protection: 0, Content-Security-Policy: default-src https, "
    "Strict-Transport-Security: max-age=1}}",
}

CHOICES = "NoClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert"
TLS = "$.tls_server_config"
HEADERS = "$.http_server_config.headers"
USERS = "$.basic_auth_users"
BCRYPT = "a bcrypt hash of a password, like $2y$10$ and 53 characters"
BAD = {
    "a list": ("[]", "$: expected a mapping, found an empty list"),
    "no YAML": ("{", "$: expected YAML, found an error in line 1"),
    "a key with half a character": (
        'tls_server_config: {cert_file: c, key: "hunter2\\ud800"}',
        f"{TLS}.key: expected whole characters, found an escape of half of one",
    ),
    "unknown section": (
        "users: {}",
        (
            "$.users: expected one of the keys tls_server_config, http_server_config, "
            'basic_auth_users, found "users"'
        ),
    ),
    "unknown key": (
        "tls_server_config: {cert_path: x}",
        f"{TLS}.cert_path: expected one of the keys cert, cert_file, key,",
    ),
    "a section as text": (
        "tls_server_config: x",
        f'{TLS}: expected a mapping, found "x"',
    ),
    "no key": (
        "tls_server_config: {cert_file: a}",
        f"{TLS}.key_file: expected the name of a file, found nothing",
    ),
    "no certificate": (
        "tls_server_config: {client_auth_type: NoClientCert}",
        f"{TLS}.cert_file: expected the name of a file, found nothing",
    ),
    "inline and file": (
        "tls_server_config: {cert: a, cert_file: b}",
        f"{TLS}.cert: expected cert or cert_file, found both",
    ),
    "client CA for nobody": (
        tls("client_ca_file: ca.pem"),
        (
            f"{TLS}.client_auth_type: expected VerifyClientCertIfGiven or "
            "RequireAndVerifyClientCert with a client CA, found NoClientCert"
        ),
    ),
    "unverified clients": (
        tls("client_auth_type: RequireAnyClientCert"),
        f'{TLS}.client_auth_type: expected one of {CHOICES}, found "RequireAny',
    ),
    "names of optional clients": (
        tls("client_auth_type: VerifyClientCertIfGiven, client_allowed_sans: []"),
        (
            f"{TLS}.client_auth_type: expected RequireAndVerifyClientCert with "
            "client_allowed_sans, found VerifyClientCertIfGiven"
        ),
    ),
    "a version as number": (
        "tls_server_config: {min_version: 1.2}",
        f"{TLS}.min_version: expected text, found 1.2, which YAML reads as a number",
    ),
    "an unknown version": (
        "tls_server_config: {min_version: SSL3}",
        f"{TLS}.min_version: expected one of TLS10, TLS11, TLS12, TLS13, found",
    ),
    "a version that is no longer spoken": (
        "tls_server_config: {max_version: TLS11}",
        f'{TLS}.max_version: expected one of TLS12, TLS13, found "TLS11"',
    ),
    "versions the wrong way round": (
        "tls_server_config: {min_version: TLS13, max_version: TLS12}",
        f"{TLS}.max_version: expected at least the min_version TLS13, found TLS12",
    ),
    "an unknown suite": (
        "tls_server_config: {cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}",
        f"{TLS}.cipher_suites[0]: expected one of TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    ),
    "curves": (
        "tls_server_config: {curve_preferences: [X25519]}",
        f"{TLS}.curve_preferences: expected no choice of curves, which Python",
    ),
    "a rate limit": (
        "rate_limit: {burst: 1}",
        "$.rate_limit: expected no rate limit, which this program does not have",
    ),
    "a truth value as text": (
        "http_server_config: {http2: maybe}",
        '$.http_server_config.http2: expected true or false, found "maybe"',
    ),
    "another header": (
        "http_server_config: {headers: {Server: x}}",
        f"{HEADERS}.Server: expected one of the headers Content-Security-Policy,",
    ),
    "another value of a header": (
        "http_server_config: {headers: {X-Frame-Options: no-way}}",
        f'{HEADERS}.X-Frame-Options: expected one of deny, sameorigin, found "no-way"',
    ),
    "a header of two lines": (
        'http_server_config: {headers: {X-XSS-Protection: "0\\r\\nX: y"}}',
        f"{HEADERS}.X-XSS-Protection: expected ASCII text, found",
    ),
    "a header that is a list": (
        "http_server_config: {headers: {X-XSS-Protection: [0]}}",
        f"{HEADERS}.X-XSS-Protection: expected ASCII text, found a list",
    ),
    "a user without a hash": (
        "basic_auth_users: {alice: }",
        f"{USERS}.alice: expected {BCRYPT}, found nothing",
    ),
    "a plain password": (
        "basic_auth_users: {alice: hunter2}",
        f"{USERS}.alice: expected {BCRYPT}, found something else",
    ),
    "a number as password": (
        "basic_auth_users: {alice: 22222}",
        f"{USERS}.alice: expected {BCRYPT}, found something else",
    ),
    "an impossible cost": (
        f"basic_auth_users: {{alice: {HASH.replace('$10$', '$32$')}}}",
        f"{USERS}.alice: expected {BCRYPT}, found something else",
    ),
    "a user with a colon": (
        f"basic_auth_users: {{'a:b': {HASH}}}",
        f'{USERS}["a:b"]: expected a user name without a colon, found "a:b"',
    ),
    "a user twice": (
        f"basic_auth_users: {{alice: {HASH}, alice: {HASH}}}",
        f"{USERS}.alice: expected each key once, found it again in line 1",
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the certificates that the files name."""
    Authority(tmp_path).issue("server")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    """Write a file into the folder."""
    path = folder / "web.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_files_are_taken(text: str, folder: Path) -> None:
    """What the format allows and we can do is taken."""
    check_web_file(written(folder, text))


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_promtool_takes_the_same_files(text: str, folder: Path) -> None:
    """The good files of these tests are good for Prometheus too."""
    promtool = require_program("promtool")

    checked = subprocess.run(
        [promtool, "check", "web-config", str(written(folder, text))],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(("text", "complaint"), BAD.values(), ids=BAD)
def test_bad_files_are_refused(text: str, complaint: str) -> None:
    """Each mistake is told in one line, without a secret."""
    with pytest.raises(ConfigError) as caught:
        parse_web_file(text)

    assert str(caught.value).startswith(complaint)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("cert", "cert_file", "a certificate in PEM and its key, without a password"),
        ("client_ca", "client_ca_file", "certificates in PEM"),
    ],
)
@pytest.mark.parametrize("content", ["", "nonsense", "hunter2\n" * 100])
def test_texts_that_are_no_certificates(
    content: str, name: str, key: str, expected: str, folder: Path
) -> None:
    """A file without a certificate is refused by its key; nothing of it is shown."""
    (folder / "odd.pem").write_text(content)
    names = {"cert_file": "ca-server.pem", "client_ca_file": "ca.pem", key: "odd.pem"}
    lines = "".join(f"  {each}: {file}\n" for each, file in names.items())
    text = f"tls_server_config:\n{lines}  key_file: ca-server.key\n"
    text += "  client_auth_type: RequireAndVerifyClientCert\n"

    with pytest.raises(ConfigError) as caught:
        check_web_file(written(folder, text))

    assert caught.value.path == f"{TLS}.{name}_file"
    assert caught.value.expected == expected
    assert "hunter2" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Without the file itself there is no start."""
    with pytest.raises(ConfigError, match="found no such file or directory"):
        check_web_file(tmp_path / "web.yaml")
