"""Folders of JWTs: resolvers' and nsc's, and what may be wrong with them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nats_idle_exporter.monitoring.inventory import InventoryAccount
from nats_idle_exporter.monitoring.inventory import jwtfiles as module
from nats_idle_exporter.monitoring.inventory.jwt import decode_account_jwt
from nats_idle_exporter.monitoring.inventory.jwtfiles import (
    JwtFiles,
    read_nsc_store,
    read_resolver_dir,
)
from tests.inventory.builders import BIG, a_jwt, a_key, complaint, write_jwts

if TYPE_CHECKING:
    from pathlib import Path


def test_a_flat_folder(tmp_path: Path) -> None:
    """Every KEY.jwt is an account; deleted ones and other files are none."""
    write_jwts(tmp_path, 1, 2)
    (tmp_path / f"{a_key(3)}.jwt.deleted").write_bytes(a_jwt(3))
    (tmp_path / "README").write_text("x")
    (tmp_path / "nested").mkdir()

    listed = read_resolver_dir(tmp_path, JwtFiles())

    assert {each.name for each in listed.accounts.values()} == {"N1", "N2"}
    assert set(listed.accounts) == {a_key(1), a_key(2)}
    assert listed.is_complete
    assert not listed.problems


def test_a_sharded_folder(tmp_path: Path) -> None:
    """Subfolders of two letters are read too, also beside flat files."""
    write_jwts(tmp_path / "AA", 1)
    write_jwts(tmp_path, 2)
    (tmp_path / "AA" / f"{a_key(3)}.jwt.deleted").write_bytes(a_jwt(3))

    listed = read_resolver_dir(tmp_path, JwtFiles())

    assert set(listed.accounts) == {a_key(1), a_key(2)}


@pytest.mark.parametrize(
    "body", [b"", b"a.b.c", b"x" * BIG, a_jwt(2)], ids=["empty", "base64", "10MB", "id"]
)
def test_a_broken_file_hides_nobody(tmp_path: Path, body: bytes) -> None:
    """A file whose JWT is unusable is told, and its account listed by its id."""
    write_jwts(tmp_path, 9)
    path = tmp_path / f"{a_key(1)}.jwt"
    path.write_bytes(body)

    listed = read_resolver_dir(tmp_path, JwtFiles())

    assert listed.accounts[a_key(1)] == InventoryAccount(account=a_key(1))
    assert listed.accounts[a_key(9)].name == "N9"
    assert [problem.where for problem in listed.problems] == [str(path)]
    assert listed.is_complete


def test_a_broken_file_without_an_id_makes_it_incomplete(tmp_path: Path) -> None:
    """Whose JWT it was cannot be told: nobody may be called gone."""
    write_jwts(tmp_path, 1)
    (tmp_path / "evil\n\x1b[31m.jwt").write_bytes(b"x")

    listed = read_resolver_dir(tmp_path, JwtFiles())

    assert set(listed.accounts) == {a_key(1)}
    assert not listed.is_complete
    assert str(listed.problems[0]).isprintable()


def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    """What is no ordinary file is told, not waited for."""
    write_jwts(tmp_path, 1)
    os.mkfifo(tmp_path / f"{a_key(2)}.jwt")
    (tmp_path / f"{a_key(3)}.jwt").mkdir()

    listed = read_resolver_dir(tmp_path, JwtFiles())

    assert sorted(problem.found for problem in listed.problems) == [
        "a folder",
        "something else",
    ]


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    """A file that cannot be opened is a problem of that file alone."""
    write_jwts(tmp_path, 1)
    path = tmp_path / f"{a_key(2)}.jwt"
    path.symlink_to(path)

    listed = read_resolver_dir(tmp_path, JwtFiles())

    assert listed.problems[0].found == "Too many levels of symbolic links"
    assert listed.accounts[a_key(2)] == InventoryAccount(account=a_key(2))


def test_links_to_themselves_are_no_folders(tmp_path: Path) -> None:
    """One such entry takes no other account down, in either kind of folder."""
    write_jwts(tmp_path, 1)
    a_stored(tmp_path, "N2", a_jwt(2))
    for path in (tmp_path / "AB", tmp_path / "accounts" / "N3"):
        path.symlink_to(path)

    flat = read_resolver_dir(tmp_path, JwtFiles())
    store = read_nsc_store(tmp_path, JwtFiles())

    assert (set(flat.accounts), flat.is_complete) == ({a_key(1)}, True)
    assert (set(store.accounts), store.is_complete) == ({a_key(2)}, True)


def test_a_link_that_leads_nobody_knows_where_is_an_error(tmp_path: Path) -> None:
    """What may be a folder of accounts that cannot be looked at is told."""
    write_jwts(tmp_path, 1)
    (tmp_path / "AB").symlink_to("x" * 300)

    said = complaint(lambda: read_resolver_dir(tmp_path, JwtFiles()))

    assert said.endswith("expected a readable folder, found File name too long")


@pytest.mark.parametrize("read", [read_resolver_dir, read_nsc_store])
def test_a_missing_folder_is_an_error(tmp_path: Path, read: module.Reads) -> None:
    """A folder that is not there lists nothing, rather than nobody."""
    said = complaint(lambda: read(tmp_path / "none", JwtFiles()))

    assert said.startswith(str(tmp_path / "none"))
    assert said.endswith("expected a readable folder, found No such file or directory")


@pytest.mark.parametrize("read", [read_resolver_dir, read_nsc_store])
def test_an_empty_folder_is_an_error(tmp_path: Path, read: module.Reads) -> None:
    """An empty mount is no proof that every account is gone."""
    (tmp_path / "accounts").mkdir()

    said = complaint(lambda: read(tmp_path, JwtFiles()))

    assert said == f"{tmp_path}: expected JWTs of accounts, found none of them"


class VanishingFiles(JwtFiles):
    """Whose second file is removed before it is read, with all others."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._reads = 0

    def read(self, path: str) -> InventoryAccount:
        """Remove everything at the second file."""
        self._reads += 1
        if self._reads == 2:
            for file in sorted(self._folder.rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
            self._folder.rmdir()
        return super().read(path)


def test_a_folder_vanishing_while_read_proves_nothing(tmp_path: Path) -> None:
    """What was removed during the reading makes the list incomplete."""
    folder = tmp_path / "jwt"
    write_jwts(folder, 1, 2, 3)

    listed = read_resolver_dir(folder, VanishingFiles(folder))

    assert len(listed.accounts) == 1
    assert not listed.is_complete
    assert {each.found for each in listed.problems} == {"No such file or directory"}


def test_a_store_vanishing_while_read_proves_nothing(tmp_path: Path) -> None:
    """The same holds for the store of nsc."""
    folder = tmp_path / "OP"
    for number in range(3):
        a_stored(folder, f"N{number}", a_jwt(number))

    listed = read_nsc_store(folder, VanishingFiles(folder))

    assert len(listed.accounts) == 1
    assert not listed.is_complete


def a_stored(folder: Path, name: str, body: bytes) -> Path:
    """Write one account into a store of nsc."""
    path = folder / "accounts" / name / f"{name}.jwt"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    return path


def test_a_store_of_nsc(tmp_path: Path) -> None:
    """Accounts are NAME/NAME.jwt; users and leftovers of deleted ones are none."""
    path = a_stored(tmp_path, "N1", a_jwt(1))
    (path.parent / "users").mkdir()
    (path.parent / "users" / "u.jwt").write_bytes(b"no account")
    (tmp_path / "accounts" / "DELETED" / "users").mkdir(parents=True)
    (tmp_path / "accounts" / "a file").write_text("")

    listed = read_nsc_store(tmp_path, JwtFiles())

    assert set(listed.accounts) == {a_key(1)}
    assert listed.is_complete
    assert not listed.problems


def test_a_broken_stored_jwt_makes_it_incomplete(tmp_path: Path) -> None:
    """A store's file names tell no ids, so somebody may be missing."""
    a_stored(tmp_path, "N1", a_jwt(1))
    path = a_stored(tmp_path, "N2", b"x")

    listed = read_nsc_store(tmp_path, JwtFiles())

    assert [problem.where for problem in listed.problems] == [str(path)]
    assert not listed.is_complete


def test_of_two_files_of_one_account_the_newest_holds(tmp_path: Path) -> None:
    """Two JWTs of one id are one account: the one issued last."""
    for name, iat in (("A", 5), ("B", 9), ("C", 7)):
        a_stored(tmp_path, name, a_jwt(1, name=name, iat=iat))

    listed = read_nsc_store(tmp_path, JwtFiles())

    assert [each.name for each in listed.accounts.values()] == ["B"]


def test_too_many_entries_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is not read without end."""
    write_jwts(tmp_path, 1, 2, 3)
    monkeypatch.setattr(module, "MOST_ENTRIES", 2)

    said = complaint(lambda: read_resolver_dir(tmp_path, JwtFiles()))

    assert said.endswith("expected at most 2 entries, found more")


def test_ten_thousand_files_are_read_again_only_when_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large folder is read whole; at the next round only what changed."""
    write_jwts(tmp_path, *range(10_000))
    files = JwtFiles()
    assert len(read_resolver_dir(tmp_path, files).accounts) == 10_000
    decoded: list[bytes] = []

    def counted(token: bytes) -> InventoryAccount:
        decoded.append(token)
        return decode_account_jwt(token)

    monkeypatch.setattr(module, "decode_account_jwt", counted)
    changed = a_jwt(7, name="NEW NAME")
    (tmp_path / f"{a_key(7)}.jwt").write_bytes(changed)
    (tmp_path / f"{a_key(8)}.jwt").unlink()

    listed = read_resolver_dir(tmp_path, files)

    assert decoded == [changed]
    assert len(listed.accounts) == 9_999
    assert listed.accounts[a_key(7)].name == "NEW NAME"
    assert listed.is_complete


def test_a_broken_file_is_told_at_every_round(tmp_path: Path) -> None:
    """What is remembered of a file includes that it is broken."""
    write_jwts(tmp_path, 1)
    (tmp_path / f"{a_key(2)}.jwt").write_bytes(b"x")
    files = JwtFiles()

    rounds = [read_resolver_dir(tmp_path, files) for _ in range(3)]

    assert rounds[0] == rounds[1] == rounds[2]
    assert len(rounds[2].problems) == 1
