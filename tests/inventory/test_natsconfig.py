"""Accounts in configurations of nats-server, and in lists kept by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.config.accountsfile import parse_accounts_file
from nats_idle_exporter.monitoring.inventory import (
    AccountImport,
    AccountLimits,
    InventoryAccount,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory import accountsfile as module
from nats_idle_exporter.monitoring.inventory.accountsfile import AccountsFile
from nats_idle_exporter.monitoring.inventory.natsconfig import read_nats_config
from tests.inventory.builders import BIG, a_jwt, a_key, complaint

if TYPE_CHECKING:
    from pathlib import Path


def listed(folder: Path, text: str) -> SourceList:
    """Return the accounts of a configuration with this text."""
    (folder / "nats.conf").write_text(text)
    return read_nats_config(folder / "nats.conf", {"ENV": "1"})


def test_an_accounts_block(tmp_path: Path) -> None:
    """Names, limits, imports and exports are read, in whatever case keys are."""
    found = listed(
        tmp_path,
        """
        listen: 4222
        Accounts {
          LIMIT: 0
          A {
            users: [{user: a, password: $ENV}]
            limits { max_conn: $LIMIT, max_leafs: 0, max_subs: 1 }
            exports: [{stream: "x.>"}, {service: q}]
          }
          "B C": {
            Imports = [
              {stream: {account: A, subject: "x.>"}, prefix: y}
              {Service: {Account: A, Subject: q}, to: r}
            ]
          }
          $SYS {}
        }
        """,
    )

    assert not found.problems
    assert found.is_complete
    assert list(found.accounts) == ["A", "B C", "$SYS"]
    assert found.accounts["A"] == InventoryAccount(
        account="A", name="A", limits=AccountLimits(0, 0), imports=(), exports=2
    )
    assert found.accounts["B C"] == InventoryAccount(
        account="B C",
        name="B C",
        limits=AccountLimits(-1, -1),
        imports=(
            AccountImport("A", "x.>", "stream"),
            AccountImport("A", "q", "service"),
        ),
        exports=0,
    )


def test_a_list_of_names(tmp_path: Path) -> None:
    """The short form, names alone, is read too."""
    assert set(listed(tmp_path, "accounts: [A, B]").accounts) == {"A", "B"}


def test_preloaded_jwts(tmp_path: Path) -> None:
    """The accounts of a MEMORY resolver are those of its preloads."""
    token = a_jwt(1).decode()

    found = listed(tmp_path, f"resolver_preload {{ {a_key(1)}: {token} }}")

    assert found.accounts[a_key(1)].name == "N1"
    assert not found.problems


@pytest.mark.parametrize("token", ["x", a_jwt(2).decode(), "a" * BIG])
def test_a_broken_preload_is_listed_by_its_key(tmp_path: Path, token: str) -> None:
    """A JWT that is unusable is told; its key lists the account all the same."""
    found = listed(tmp_path, f"resolver_preload {{ {a_key(1)}: {token} }}")

    assert found.accounts == {a_key(1): InventoryAccount(account=a_key(1))}
    assert found.problems[0].where == f"{tmp_path}/nats.conf: preload: {a_key(1)}"
    assert found.is_complete


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("limits: 1", "a map as limits"),
        ("limits: {max_connections: many}", "a whole number as max_connections"),
        ("limits: {max_leafnodes: true}", "a whole number as max_leafnodes"),
        ("imports: 1", "a list as imports"),
        ("imports: [x]", "imports like {stream: {account: A, subject: b}}"),
        ("imports: [{stream: x}]", "imports like {stream: {account: A, subject: b}}"),
        (
            "imports: [{stream: {account: A}}]",
            "imports like {stream: {account: A, subject: b}}",
        ),
        ("exports: {}", "a list as exports"),
    ],
)
def test_a_block_that_is_odd_inside_is_told(
    tmp_path: Path, block: str, expected: str
) -> None:
    """What in a block cannot be read is told; the account is listed."""
    found = listed(tmp_path, f'accounts {{ "A\n\x1b": {{ {block} }} }}')

    assert list(found.accounts) == ["A\n\x1b"]
    assert found.problems[0].expected == expected
    assert found.problems[0].where == f"{tmp_path}/nats.conf: accounts: A\\n\\x1b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", ": expected accounts or resolver_preload, found neither"),
        ("accounts {}", ": expected accounts or resolver_preload, found neither"),
        ("accounts: 1", ": expected a map or a list as accounts, found a single value"),
        ("resolver_preload: 1", ": expected a map as resolver_preload, found some"),
        ("a {", ":1: expected a }, found the end"),
    ],
)
def test_a_file_without_accounts_is_an_error(
    tmp_path: Path, text: str, said: str
) -> None:
    """A file that names nobody lists nothing, rather than nobody."""
    found = complaint(lambda: listed(tmp_path, text))

    assert found.startswith(f"{tmp_path}/nats.conf{said}")


def by_hand(folder: Path, text: str) -> SourceList:
    """Return the accounts of a list with this text."""
    (folder / "a.yaml").write_text(text)
    return AccountsFile(parse_accounts_file).read(folder / "a.yaml")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[A, 'B C']", {"A": "", "B C": ""}),
        ("A: {name: a}\nB:\nC: {}\nD: {name: }", {"A": "a", "B": "", "C": "", "D": ""}),
    ],
)
def test_a_list_by_hand(tmp_path: Path, text: str, names: dict[str, str]) -> None:
    """A list of ids, and a mapping of ids to names, are read."""
    accounts = by_hand(tmp_path, text).accounts

    assert {key: each.name for key, each in accounts.items()} == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "$: expected a list or a mapping of accounts, found nothing"),
        ("[]", "$: expected a list or a mapping of accounts, found an empty list"),
        ("SUASECRET", "$: expected a list or a mapping of accounts, found text"),
        ("[A, A]", '$[1]: expected each account once, found "A" again'),
        ("[1]", "$[0]: expected text, found 1"),
        ("[on]", "$[0]: expected text, found on, which YAML reads as true or false"),
        ('["a\\nb"]', '$[0]: expected text without control characters, found "a\\nb"'),
        ("'': {}", "$: expected text that is not empty, found"),
        ("A: SECRET", "$.A: expected a mapping like {name: A}, found text"),
        ("A: {nom: b}", '$.A.nom: expected the key name, found "nom"'),
        ("A: {name: 1}", "$.A.name: expected text, found 1"),
        ("A: {}\nA: {}", "$.A: expected each key once, found it again in line 2"),
        ("[", "$: expected YAML, found an error in line 1"),
    ],
)
def test_a_mistake_by_hand_is_told(tmp_path: Path, text: str, said: str) -> None:
    """A list that cannot be used is an error with file and path."""
    found = complaint(lambda: by_hand(tmp_path, text))

    assert found.startswith(f"{tmp_path}/a.yaml: {said}")
    assert found.isprintable()
    assert "SECRET" not in found


def test_a_list_by_hand_that_is_too_long_or_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size and absence are told too."""
    monkeypatch.setattr(module, "MOST_BYTES", 10)

    assert complaint(lambda: by_hand(tmp_path, "[" + "A" * 20 + "]")).endswith(
        "expected at most 10 bytes, found more"
    )
    (tmp_path / "a.yaml").unlink()
    missing = complaint(
        lambda: AccountsFile(parse_accounts_file).read(tmp_path / "a.yaml")
    )
    assert missing.endswith("expected a readable file, found No such file or directory")


def test_a_list_by_hand_is_parsed_anew_only_when_changed(tmp_path: Path) -> None:
    """YAML takes long: an equal text is not parsed twice, well or broken."""
    texts: list[str] = []

    def parse(text: str) -> dict[str, str]:
        texts.append(text)
        return parse_accounts_file(text)

    source, file = AccountsFile(parse), tmp_path / "a.yaml"
    counts = []
    for text in ("[A]", "[A]", "[", "[", "[A, B]"):
        file.write_text(text)
        is_broken = text == "["
        if is_broken:
            assert "a.yaml: $: expected YAML" in complaint(lambda: source.read(file))
        counts.append(None if is_broken else len(source.read(file).accounts))

    assert counts == [1, 1, None, None, 2]
    assert texts == ["[A]", "[", "[A, B]"]
