"""From the configuration to the sources that read it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.config import System, load_config
from nats_idle_exporter.errors import StartError
from nats_idle_exporter.sources import make_inventory_reader
from tests.inventory.builders import a_jwt, a_key, write_jwts

if TYPE_CHECKING:
    from pathlib import Path


def configured(folder: Path, inventory: str) -> System:
    """Return the one system of a configuration file in this folder."""
    file = folder / "config.yaml"
    file.write_text(f"systems: [{{endpoints: ['http://h'], inventory: {inventory}}}]")
    return load_config(file).systems[0]


async def test_every_kind_of_file_is_read(tmp_path: Path) -> None:
    """Each key of the configuration reads its own kind of source."""
    write_jwts(tmp_path / "jwt", 1)
    stored = tmp_path / "OP" / "accounts" / "N2" / "N2.jwt"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(a_jwt(2))
    (tmp_path / "nats.conf").write_text("accounts { CONF { users: [$USERS] } }")
    (tmp_path / "a.yaml").write_text("[HAND, CONF]")
    system = configured(
        tmp_path,
        "[{resolver_dir: jwt}, {nsc_store: OP}, {nats_config: nats.conf},"
        " {accounts_file: a.yaml}]",
    )

    inventory = await make_inventory_reader(system, {"USERS": "{user: a}"}).step(0.0)

    assert inventory is not None
    assert inventory.is_complete
    assert {key: each.sources for key, each in inventory.accounts.items()} == {
        a_key(1): (f"resolver_dir:{tmp_path}/jwt",),
        a_key(2): (f"nsc_store:{tmp_path}/OP",),
        "CONF": (
            f"nats_config:{tmp_path}/nats.conf",
            f"accounts_file:{tmp_path}/a.yaml",
        ),
        "HAND": (f"accounts_file:{tmp_path}/a.yaml",),
    }
    served = [each.is_served for _, each in sorted(inventory.accounts.items())]
    assert served == [each in {a_key(1), "CONF"} for each in sorted(inventory.accounts)]
    changed_at = (tmp_path / "nats.conf").stat().st_ctime
    assert inventory.written_at == changed_at


async def test_claims_are_reached_by_their_own_words(tmp_path: Path) -> None:
    """Credentials and certificates are read from the paths of the configuration."""
    system = configured(
        tmp_path,
        "[{claims: {url: 'nats://127.0.0.1:1', creds_file: none.creds}},"
        " {claims: {url: 'nats://127.0.0.1:1', tls_config: {ca_file: none.pem}}}]",
    )

    inventory = await make_inventory_reader(system, {}).step(0.0)

    assert inventory is not None
    found = [str(each.error) for each in inventory.statuses]
    where = "nats://127.0.0.1:1: expected"
    missing = "found No such file or directory"
    credentials = f"{where} a readable file at {tmp_path}/none.creds, {missing}"
    certificates = f"{where} readable certificates and keys in PEM, {missing}"
    assert found == [credentials, certificates]


def test_equal_names_are_numbered(tmp_path: Path) -> None:
    """Sources that differ in what is not shown still have labels of their own."""
    system = configured(
        tmp_path,
        "[{claims: {url: 'nats://h:1', creds_file: a}}, {accounts_file: f},"
        " {claims: {url: 'nats://h:1', creds_file: b}}]",
    )

    reader = make_inventory_reader(system, {})

    assert [each.label for each in reader._sources] == [
        "claims:nats://h:1",
        f"accounts_file:{tmp_path}/f",
        "claims:nats://h:1#2",
    ]


def test_a_missing_package_ends_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claims without the extra are told before anything runs."""
    system = configured(tmp_path, "[{claims: {url: 'nats://h'}}]")
    module = "nats_idle_exporter.monitoring.inventory.natsconnection"
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "nats", None)

    with pytest.raises(StartError, match="need the package nats"):
        make_inventory_reader(system, {})
