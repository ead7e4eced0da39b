"""Every printed line goes through real shells, and does what it says and no more."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import pytest

from nats_idle_exporter.removal.wayout import Command, Place, Resolver
from tests.removal.hostile import SAYABLE
from tests.removal.ways import (
    HELD,
    KEY,
    a_way,
    an_operator_way,
    commands,
    importing,
    texts,
)

PROGRAMS = ("curl", "nats", "nats-server", "nsc")
RECORDER = """#!/bin/sh
printf '%s\\0' "$#" "${0##*/}" "$@" >>"$RECORD"
"""
PLACE = Place(monitoring_urls=("http://n1:8222", "http://[::1]:8222/base/"))
SHELLS = ("/bin/sh", "/bin/bash --norc --noprofile", "/bin/bash --norc --noprofile -i")
"""The last one replaces ``!!`` as it does at a prompt."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of programs that only note how they were called."""
    folder = tmp_path_factory.mktemp("programs")
    for name in PROGRAMS:
        path = folder / name
        path.write_text(RECORDER)
        path.chmod(0o755)
    return folder


class Recorded:
    """Runs lines in a shell, in an empty folder, and tells what they called."""

    def __init__(self, shell: str, programs: Path, folder: Path) -> None:
        self._words = shell.split()
        self._work = folder / "work"
        self._work.mkdir()
        self._script = folder / "script"
        self._record = folder / "record"
        self._environment = {
            "PATH": f"{programs}:/bin",
            "RECORD": str(self._record),
            "HOME": str(self._work),
            "HISTFILE": "/dev/null",
            "LC_ALL": "C.UTF-8",
        }

    def calls(self, lines: list[Command]) -> list[list[str]]:
        """Return program and arguments of every call, once nothing else happened."""
        script = "".join(f"{text}\n" for text in dict.fromkeys(texts(tuple(lines))))
        self._script.write_text(script)
        with self._script.open("rb") as typed:
            done = subprocess.run(
                self._words,
                stdin=typed,
                capture_output=True,
                cwd=self._work,
                env=self._environment,
                check=True,
            )

        # An interactive shell shows what is typed.
        assert "-i" in self._words or (done.stdout, done.stderr) == (b"", b"")
        assert not list(self._work.iterdir())
        return self._read()

    def _read(self) -> list[list[str]]:
        parts = iter(self._record.read_bytes().decode().split("\0")[:-1])
        self._record.unlink()
        return [[next(parts) for _ in range(int(count) + 1)] for count in parts]


def lines(name: str) -> list[Command]:
    """Return all lines about an account, a stream, and importers of one name."""
    held = replace(HELD, names=(name,))
    importer = importing(name, f"s.{name}", account=name, name=name)
    known = {"holdings": held, "importers": (importer,)}
    ways = [a_way(PLACE, account=name, name=name, **known)]
    ways += [
        an_operator_way(Place(resolver=resolver), name=name, **known)
        for resolver in (Resolver.FULL, Resolver.MEMORY)
    ]
    return [line for way in ways for line in commands(way)]


def renamed(calls: list[list[str]], before: str, after: str) -> list[list[str]]:
    """Return calls in which one name stands for another, URLs read as such."""
    return [
        [unquote(word).replace(before, after) for word in call]
        if call[0] == "curl"
        else [word.replace(before, after) for word in call]
        for call in calls
    ]


@pytest.fixture(scope="module")
def harmless(
    programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[list[str]]]:
    """What the lines about two harmless names call, by name."""
    return {
        name: Recorded("/bin/sh", programs, tmp_path_factory.mktemp("harmless")).calls(
            lines(name)
        )
        for name in ("HARMLESS", "HARM.LESS")
    }


def likeness(name: str) -> str:
    """Return the harmless name that gets the same lines as a hostile one.

    What is no token of a subject gets others than what is one.
    """
    is_dotted = any(each in ".*>\x7f" or each < " " or each.isspace() for each in name)
    return "HARM.LESS" if is_dotted else "HARMLESS"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", SAYABLE)
def test_hostile_names(
    name: str,
    shell: str,
    programs: Path,
    harmless: dict[str, list[list[str]]],
    tmp_path: Path,
) -> None:
    """A hostile name arrives as it is in just the place of a harmless one."""
    called = Recorded(shell, programs, tmp_path).calls(lines(name))

    like = likeness(name)
    assert renamed(called, name, name) == renamed(harmless[like], like, name)
    assert any(name in word for call in called for word in call)


def test_every_server_is_asked(programs: Path, tmp_path: Path) -> None:
    """A line for several servers asks each of them, also one behind a path."""
    recorded = Recorded("/bin/sh", programs, tmp_path)

    called = recorded.calls(commands(a_way(PLACE, account="a b&c")))

    urls = {call[-1] for call in called if call[0] == "curl"}
    assert urls >= {
        "http://n1:8222/healthz",
        "http://[::1]:8222/base/healthz",
        "http://n1:8222/accountz?acc=a%20b%26c",
        "http://[::1]:8222/base/accountz?acc=a%20b%26c",
    }


def test_operator_mode_purges_by_key(programs: Path, tmp_path: Path) -> None:
    """Servers are told the key of an account, never its name."""
    recorded = Recorded("/bin/sh", programs, tmp_path)

    called = recorded.calls(commands(an_operator_way(name="a.b c")))

    purge = ["server", "account", "purge", "--", KEY]
    assert ["nats", "--context=SYSTEM_CONTEXT", *purge] in called
