"""The example file and the documentation keep up with the schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from nats_idle_exporter.config import (
    AccountRule,
    Claims,
    ClaimsTls,
    Config,
    Decommissioned,
    Exempt,
    Inactivity,
    InventorySource,
    Poll,
    State,
    System,
    format_duration,
    load_config,
    parse_duration,
)
from nats_idle_exporter.config.decoding import keys_of
from nats_idle_exporter.config.httpclient import (
    Authorization,
    BasicAuth,
    ClientTls,
    Header,
)
from nats_idle_exporter.flags import parse_serve

if TYPE_CHECKING:
    from msgspec.structs import FieldInfo

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"
DOCUMENT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
SECTIONS: dict[str, type[msgspec.Struct]] = {
    "systems[].": System,
    "systems[].inventory[].": InventorySource,
    "systems[].inventory[].claims.": Claims,
    "systems[].inventory[].claims.tls_config.": ClaimsTls,
    "poll.": Poll,
    "inactivity.": Inactivity,
    "accounts[].": AccountRule,
    "accounts[].exempt.": Exempt,
    "accounts[].decommission.": Decommissioned,
    "state.": State,
}
DURATIONS = {parse_duration("24h"): "24h"}
WORDS = {"": "empty", None: "none", (): "`[]`", False: "`false`"}
INHERITED = "accounts[]."
"""Where a duration without a value means the value of ``inactivity``."""


def schema_keys() -> dict[str, FieldInfo]:
    """Return every key that holds a value, as the document writes it."""
    keys = {
        f"{prefix}{field.encode_name}": field
        for prefix, struct in SECTIONS.items()
        for field in msgspec.structs.fields(struct)
    }
    for field in msgspec.structs.fields(Config):
        if not isinstance(field.default, msgspec.Struct):
            keys[field.encode_name] = field
    return keys


def default_text(key: str, field: FieldInfo) -> str:
    """Return a default as the document writes it."""
    is_inherited = key.startswith(INHERITED) and field.name.endswith("_seconds")
    if field.default is None and is_inherited:
        return "that of `inactivity`"
    if field.required:
        return "required"
    if field.name.endswith("_seconds") and field.default is not None:
        written = DURATIONS.get(field.default, format_duration(field.default))
        return f"`{written}`"
    if isinstance(field.default, msgspec.Struct):
        return "none"
    if field.name == "path":
        return "`null`"
    return WORDS.get(field.default, f"`{field.default}`")


def documented(heading: str) -> dict[str, str]:
    """Return first and second column of the table below a heading."""
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.*?) \|", section, re.MULTILINE)
    return dict(rows)


def test_the_document_has_every_key_and_its_default() -> None:
    """The table of keys is the schema: no key more or less, the same defaults."""
    assert documented("Keys") == {
        key: default_text(key, field) for key, field in schema_keys().items()
    }


def client_keys() -> set[str]:
    """Return every key below http_client, as the document writes it."""
    sections: dict[str, type[msgspec.Struct]] = {
        "basic_auth.": BasicAuth,
        "authorization.": Authorization,
        "http_headers.<name>.": Header,
        "tls_config.": ClientTls,
    }
    keys = {
        f"{prefix}{key}"
        for prefix, struct in sections.items()
        for key in keys_of(struct)
    }
    return keys | {"proxy_url", "follow_redirects"}


def test_the_document_has_every_key_of_http_client() -> None:
    """The table of http_client is the schema, files beside what they hold."""
    section = DOCUMENT.split("## How endpoints are asked\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| ", section, re.MULTILINE)
    found = set()
    for row in rows:
        first, *others = re.findall(r"`([^`]+)`", row)
        section_of = first.rpartition(".")[0]
        found |= {first, *(f"{section_of}.{other}" for other in others)}

    assert found == client_keys()


def test_the_document_has_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of flags names what the help names."""
    with pytest.raises(SystemExit):
        parse_serve(["--help"])

    flags = set(re.findall(r"--[a-z][a-z.-]+", capsys.readouterr().out))
    assert set(documented("Flags")) == flags - {"--help", "--duration"}


@pytest.mark.parametrize("struct", [Config, *SECTIONS.values()])
def test_the_example_shows_every_key(struct: type[msgspec.Struct]) -> None:
    """The example file names each key of the schema, not commented out."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()

    shown = {match[1] for line in lines if (match := re.match(r"[ -]*(\w+):", line))}
    assert set(keys_of(struct)) <= shown


def test_the_example_loads_and_shows_the_defaults() -> None:
    """The example is a good file whose general values are the defaults."""
    config = load_config(EXAMPLE)

    assert config.poll == Poll()
    assert config.inactivity == Inactivity()
    assert config.state == State()
    assert [system.name for system in config.systems] == ["default"]
