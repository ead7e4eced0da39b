"""How endpoints are asked: what may be written, and what no complaint shows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nats_idle_exporter.cli import main
from nats_idle_exporter.config import load_config, parse_config
from nats_idle_exporter.config.endpoints import Endpoint, client_of
from nats_idle_exporter.config.httpclient import HttpClient
from nats_idle_exporter.config.rendering import render_config
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.secret import Secret

KEYS = (
    "basic_auth, authorization, http_headers, tls_config, proxy_url, follow_redirects"
)
S = "hunter2"
NAMES = "a header that may be set"
BAD = {
    "a text": (S, "", "a mapping", "text"),
    "an unknown key": (
        "{oauth2: {}}",
        ".oauth2",
        f"one of the keys {KEYS}",
        '"oauth2"',
    ),
    "both kinds": (
        (
            f"{{basic_auth: {{username: u, password: {S}}}, authorization: "
            f"{{credentials: {S}}}}}"
        ),
        ".authorization",
        "basic_auth or authorization",
        "both",
    ),
    "basic auth as text": (f"{{basic_auth: {S}}}", ".basic_auth", "a mapping", "text"),
    "no user": (
        f"{{basic_auth: {{password: {S}}}}}",
        ".basic_auth.username",
        "the name of a user",
        "nothing",
    ),
    "a user that is a list": (
        f"{{basic_auth: {{username: [{S}], password: x}}}}",
        ".basic_auth.username",
        "text",
        "a list",
    ),
    "a user of two lines": (
        f'{{basic_auth: {{username: "{S}\\n", password: x}}}}',
        ".basic_auth.username",
        "text without control characters",
        "text",
    ),
    "no password": (
        "{basic_auth: {username: u}}",
        ".basic_auth.password",
        "password or password_file",
        "neither",
    ),
    "two passwords": (
        f"{{basic_auth: {{username: u, password: {S}, password_file: f}}}}",
        ".basic_auth.password",
        "password or password_file",
        "both",
    ),
    "a password that is a list": (
        f"{{basic_auth: {{username: u, password: [{S}]}}}}",
        ".basic_auth.password",
        "text",
        "a list",
    ),
    "a password with half a character": (
        f'{{basic_auth: {{username: u, password: "{S}\\ud800"}}}}',
        ".basic_auth.password",
        "whole characters",
        "an escape of half of one",
    ),
    "a password that YAML takes for a tag": (
        f"{{basic_auth: {{username: u, password: !!{S} x}}}}",
        ".basic_auth.password",
        "a value without a tag",
        "a tag; quote a leading !",
    ),
    "an empty password": (
        "{basic_auth: {username: u, password: ''}}",
        ".basic_auth.password",
        "text",
        "text",
    ),
    "basic as type": (
        f"{{authorization: {{type: basic, credentials: {S}}}}}",
        ".authorization.type",
        "basic_auth for a user and a password",
        "Basic",
    ),
    "credentials as type": (
        f"{{authorization: {{type: 'Bearer {S}', credentials: x}}}}",
        ".authorization.type",
        "one word like Bearer",
        "text",
    ),
    "no credentials": (
        "{authorization: {type: Bearer}}",
        ".authorization.credentials",
        "credentials or credentials_file",
        "neither",
    ),
    "two authorities": (
        f"{{tls_config: {{ca: {S}, ca_file: f}}}}",
        ".tls_config.ca",
        "ca or ca_file",
        "both",
    ),
    "a certificate without a key": (
        "{tls_config: {cert_file: f}}",
        ".tls_config.key",
        "key or key_file with the other half of the pair",
        "neither",
    ),
    "a key without a certificate": (
        f"{{tls_config: {{key: {S}}}}}",
        ".tls_config.cert",
        "cert or cert_file with the other half of the pair",
        "neither",
    ),
    "a key where its file belongs": (
        f'{{tls_config: {{key_file: "{S}\\n", cert_file: f}}}}',
        ".tls_config.key_file",
        "text without control characters",
        "text",
    ),
    "an unknown version": (
        f"{{tls_config: {{min_version: {S}}}}}",
        ".tls_config.min_version",
        "one of TLS10, TLS11, TLS12, TLS13",
        "text",
    ),
    "an odd truth": (
        f"{{tls_config: {{insecure_skip_verify: {S}}}}}",
        ".tls_config.insecure_skip_verify",
        "true or false",
        "text",
    ),
    "a header as text": (
        f"{{http_headers: {{X-Token: {S}}}}}",
        ".http_headers.X-Token",
        "a mapping",
        "text",
    ),
    "a header's secret as text": (
        f"{{http_headers: {{X-Token: {{secrets: {S}}}}}}}",
        ".http_headers.X-Token.secrets",
        "a list",
        "text",
    ),
    "a reserved header": (
        f"{{http_headers: {{authorization: {{secrets: [{S}]}}}}}}",
        ".http_headers.authorization",
        NAMES,
        "another one",
    ),
    "no header": (
        f"{{http_headers: {{'X Token': {{secrets: [{S}]}}}}}}",
        '.http_headers["X Token"]',
        NAMES,
        "another one",
    ),
    "another proxy": (
        f"{{proxy_url: 'socks5://u:{S}@proxy:1'}}",
        ".proxy_url",
        "a URL like http://proxy:3128",
        "another text",
    ),
}


def system(client: str, *, is_own: bool = False) -> str:
    """Return a file with these keys, of the system or of its endpoint."""
    if is_own:
        rest = client.removeprefix("{")
        return f"systems: [{{endpoints: [{{url: 'http://h', {rest}]}}]"
    return f"systems: [{{endpoints: ['http://h'], http_client: {client}}}]"


@pytest.mark.parametrize("mistake", BAD.values(), ids=BAD)
def test_mistakes_of_a_system(mistake: tuple[str, str, str, str]) -> None:
    """Each mistake is told with its path, and without the secret that is there."""
    client, where, expected, found = mistake

    with pytest.raises(ConfigError) as caught:
        parse_config(system(client))

    assert str(caught.value) == (
        f"$.systems[0].http_client{where}: expected {expected}, found {found}"
    )


@pytest.mark.parametrize(
    "name", [name for name in BAD if name not in {"a text", "an unknown key"}]
)
def test_mistakes_of_an_endpoint(name: str) -> None:
    """The same is told of keys beside a URL."""
    client, where, expected, found = BAD[name]

    with pytest.raises(ConfigError) as caught:
        parse_config(system(client, is_own=True))

    assert str(caught.value) == (
        f"$.systems[0].endpoints[0]{where}: expected {expected}, found {found}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "*hunter2",
        "!hunter2",
        "!hunter2!x y",
        "&hunter2 {a: &hunter2 b}",
        "%hunter2",
        "@hunter2",
        "[hunter2",
        '"hunter2\\q"',
    ],
)
def test_unquoted_passwords_are_not_shown(text: str) -> None:
    """A password that YAML takes for syntax is not repeated in the complaint."""
    with pytest.raises(ConfigError) as caught:
        parse_config(system(f"{{basic_auth: {{username: u, password: {text}}}}}"))

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("word", ["12345", "0755", "1:30", "yes", "2026-01-01"])
def test_passwords_are_taken_as_they_are_written(word: str) -> None:
    """What YAML would read as a number, a date or a truth is the password itself."""
    text = system(f"{{basic_auth: {{username: u, password: {word}}}}}")

    client = parse_config(text).systems[0].http_client

    assert client.basic_auth is not None
    assert client.basic_auth.password == Secret(word)


def test_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    """Names of files are joined with the folder of the file, wherever they stand."""
    folder = tmp_path / "conf"
    folder.mkdir()
    file = folder / "c.yaml"
    client = "basic_auth: {username: u, password_file: p}, http_headers: "
    client += "{X-A_file: {files: [h, /abs]}}, tls_config: {ca_file: ../ca}"
    file.write_text(
        f"systems: [{{endpoints: [{{url: 'http://h', {client}}}, 'http://i'], "
        f"http_client: &a {{{client}}}}}, "
        "{name: b, endpoints: ['http://j'], http_client: *a}]"
    )

    first, second = load_config(file).systems

    endpoint = first.endpoints[0]
    assert isinstance(endpoint, Endpoint)
    for each in (endpoint.client, first.http_client, second.http_client):
        assert each.basic_auth is not None
        assert each.tls_config is not None
        assert each.basic_auth.password_file == str(folder / "p")
        assert each.tls_config.ca_file == str(folder / "../ca")
        assert each.http_headers["X-A_file"]["files"] == [str(folder / "h"), "/abs"]


@pytest.mark.parametrize("text", ["systems: 5", "systems: [5]", "systems: [{}]"])
def test_other_shapes_are_left_to_the_decoder(text: str) -> None:
    """Joining names stumbles over nothing."""
    with pytest.raises(ConfigError):
        parse_config(text)


class TestClientOf:
    """An endpoint's own keys and those of its system."""

    @staticmethod
    def made(general: str, own: str | None) -> HttpClient:
        """Return how the endpoint is asked."""
        entry = "'http://h'" if own is None else f"{{url: 'http://h', {own}}}"
        text = f"systems: [{{endpoints: [{entry}], http_client: {{{general}}}}}]"
        (system,) = parse_config(text).systems
        return client_of(system.http_client, system.endpoints[0], "$.s", "$.e").client

    def test_keys_are_replaced_one_by_one(self) -> None:
        """A key of the endpoint wins, the others are the system's."""
        client = self.made(
            "proxy_url: 'http://p', follow_redirects: true", "follow_redirects: false"
        )

        assert client.proxy_url == Secret("http://p")
        assert client.follow_redirects is False

    def test_credentials_replace_credentials_of_either_kind(self) -> None:
        """An endpoint's token does not go beside the system's password."""
        client = self.made(
            "basic_auth: {username: u, password: p}", "authorization: {credentials: t}"
        )

        assert client.basic_auth is None
        assert client.authorization is not None

    def test_a_plain_url_has_the_systems_keys(self) -> None:
        """An endpoint without keys of its own is asked as its system says."""
        assert self.made("proxy_url: 'http://p'", None).proxy_url == Secret("http://p")


class TestRendered:
    """The configuration in use, for people."""

    TEXT = """
systems:
  - endpoints:
      - url: http://h
        authorization: {credentials: hunter2}
      - http://i
    http_client:
      basic_auth: {username: u, password: hunter2}
      http_headers: {X-A: {values: [v], secrets: [hunter2], files: [/f]}}
      tls_config: {cert: hunter2, key: hunter2}
      proxy_url: http://u:hunter2@proxy:1
accounts: [{match: "B-*", threshold: 40d}]
"""

    def test_secrets_are_masked(self) -> None:
        """Every secret is a word in its place; the rest is as it was loaded."""
        shown = render_config(parse_config(self.TEXT))

        assert "hunter2" not in shown
        (system,) = yaml.safe_load(shown)["systems"]
        assert system["endpoints"][0] == {
            "url": "http://h",
            "authorization": {"type": "Bearer", "credentials": "<secret>"},
        }
        assert system["http_client"]["http_headers"] == {
            "X-A": {"values": ["v"], "secrets": ["<secret>"], "files": ["/f"]}
        }
        assert system["http_client"]["proxy_url"] == "<secret>"

    def test_it_loads_to_the_same(self) -> None:
        """But for secrets, what is shown is the configuration itself."""
        text = self.TEXT.replace("http://u:hunter2@proxy:1", "http://proxy:1")
        config = parse_config(text.replace("hunter2", "<secret>"))
        shown = render_config(config)
        shown = shown.replace("proxy_url: <secret>", "proxy_url: http://proxy:1")

        again = parse_config(shown)

        assert again == config
        assert render_config(again) == render_config(config)


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_the_check_reads_the_files(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that is not there is found before the start, by its key."""
    if content is not None:
        (tmp_path / "p").write_text(content)
    file = tmp_path / "c.yaml"
    file.write_text(system("{basic_auth: {username: u, password_file: p}}"))

    code = main(["--config.check", f"--config.file={file}"])

    wrong = (
        "a readable file, found no such file or directory"
        if content is None
        else "a file with a secret, found nothing"
    )
    assert code == 1
    assert capsys.readouterr().err == (
        f"nats-idle-exporter: {file}: $.systems[0].http_client.basic_auth."
        f"password_file: expected {wrong}\n"
    )


def test_secrets_print_as_nothing_else() -> None:
    """A secret shows its text to nobody who does not ask for it."""
    secret = Secret(S)

    assert [str(secret), repr(secret), f"{secret}"] == ["<secret>"] * 3
    assert secret.reveal() == S
    assert len({secret, Secret(S), Secret("other")}) == 2
    assert secret != S
