"""Passwords: who is let in, what is remembered, and what it costs."""

from __future__ import annotations

import asyncio
import base64
import errno
import re
import threading
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from structlog.testing import capture_logs

from nats_idle_exporter.metrics import Refusal
from nats_idle_exporter.secret import Secret
from nats_idle_exporter.web.security import guard
from nats_idle_exporter.web.security.passwords import (
    MAX_WAITING,
    BusyError,
    Credentials,
    Passwords,
    parse_basic,
)
from tests.web.serving import hashed, protected, rewrite

ME = Credentials("me", "pässwörd: right")


def users(**hashes: str) -> Passwords:
    """Return the users of these hashes; by default ``me``."""
    texts = hashes or {ME.user: hashed(ME.password)}
    return Passwords({user: Secret(text) for user, text in texts.items()})


def basic(text: bytes) -> str:
    """Return a header that claims to be somebody."""
    return f"Basic {base64.b64encode(text).decode()}"


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """Keep what is compared, and by which hash; the comparison is the real one."""
    calls = []
    real = bcrypt.checkpw

    def checkpw(password: bytes, hashed: bytes) -> bool:
        calls.append((password, hashed))
        return bool(real(password, hashed))

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    return calls


class TestAccept:
    """One claim."""

    @pytest.mark.parametrize(
        ("claim", "is_right"),
        [
            (ME, True),
            (Credentials("me", "wrong"), False),
            (Credentials("me", ""), False),
            (ME._replace(user="you"), False),
            (ME._replace(user=""), False),
            (Credentials("me", "\0"), False),
        ],
    )
    async def test_only_the_right_password_is_accepted(
        self,
        claim: Credentials,
        is_right: bool,  # noqa: FBT001 - a column of the table
    ) -> None:
        """A user with its own password is accepted, nobody else."""
        passwords = users()

        assert await passwords.accept(claim) is is_right
        assert await passwords.accept(claim) is is_right

    @pytest.mark.parametrize("letter", "abxy")
    async def test_every_kind_of_hash(self, letter: str) -> None:
        """Hashes of all tools are taken: their letters name the same function."""
        text = hashed(ME.password).replace("$2a$", f"$2{letter}$")

        assert await users(me=text).accept(ME)

    async def test_long_passwords_are_nobodys(self) -> None:
        """A password is not taken for its own first 72 bytes."""
        right = Credentials("me", "p" * 72)
        passwords = users(me=hashed(right.password))

        assert not await passwords.accept(Credentials("me", "p" * 73))
        assert await passwords.accept(right)

    async def test_a_hash_without_a_salt_is_nobodys(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What bcrypt cannot use lets nobody in and breaks nothing."""

        def checkpw(_password: bytes, _hashed: bytes) -> bool:
            raise ValueError("Invalid salt")

        passwords = users()
        monkeypatch.setattr(bcrypt, "checkpw", checkpw)

        assert not await passwords.accept(ME)

    @pytest.mark.parametrize("user", ["me", "you"])
    async def test_unknown_users_cost_the_same(
        self, user: str, compared: list[tuple[bytes, bytes]]
    ) -> None:
        """Who exists cannot be told from the work: one comparison at the same cost."""
        passwords = users(me=hashed("x", cost=6))

        await passwords.accept(Credentials(user, "p" * 100))

        ((password, by),) = compared
        assert (len(password), by[3:7]) == (72, b"$06$")

    async def test_unknown_users_cost_what_known_ones_do(
        self, compared: list[tuple[bytes, bytes]]
    ) -> None:
        """Where hashes have two costs, so have unknown users: each always its own."""
        passwords = users(me=hashed("x", cost=4), you=hashed("x", cost=5))

        for number in [*range(40), *range(40)]:
            await passwords.accept(Credentials(f"user {number}", "wrong"))

        costs = [by[3:7] for _, by in compared]
        assert set(costs) == {b"$04$", b"$05$"}
        assert costs[:40] == costs[40:]


class TestMemory:
    """What is remembered of earlier claims."""

    async def test_a_right_password_is_compared_once(
        self, compared: list[tuple[bytes, bytes]]
    ) -> None:
        """However many ask with it, also at once, one comparison answers all."""
        passwords = users()

        together = await asyncio.gather(*(passwords.accept(ME) for _ in range(5)))
        later = await passwords.accept(ME)

        assert [*together, later] == [True] * 6
        assert len(compared) == 1

    async def test_wrong_passwords_push_nobody_out(
        self, compared: list[tuple[bytes, bytes]]
    ) -> None:
        """After any number of wrong ones, the right one is still remembered."""
        passwords = users()
        await passwords.accept(ME)
        for number in range(200):
            await passwords.accept(Credentials("me", f"guess {number}"))

        assert await passwords.accept(ME)
        assert len(compared) == 201

    async def test_nothing_remembered_is_the_password(self) -> None:
        """In memory there is a digest that another process would not make."""
        one, two = users(), users()
        await one.accept(ME)
        await two.accept(ME)

        assert ME.password.encode() not in one._accepted["me"]
        assert one._accepted != two._accepted

    async def test_too_many_at_once_are_turned_away(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only so many wait for a comparison; who is remembered does not wait."""
        passwords = users()
        await passwords.accept(ME)
        opened = threading.Event()

        def checkpw(_password: bytes, _hashed: bytes) -> bool:
            return not opened.wait(timeout=10)

        monkeypatch.setattr(bcrypt, "checkpw", checkpw)
        async with asyncio.TaskGroup() as group:
            waiting = [
                group.create_task(passwords.accept(Credentials("me", str(number))))
                for number in range(MAX_WAITING)
            ]
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await passwords.accept(Credentials("me", "one more"))
            remembered = await passwords.accept(ME)
            opened.set()

        assert remembered
        assert not any(task.result() for task in waiting)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (basic(b"me:a:b"), Credentials("me", "a:b")),
        (basic("ü:ö".encode()).replace("Basic", "bAsIc"), Credentials("ü", "ö")),
        (basic(b":"), Credentials("", "")),
        (None, None),
        ("", None),
        ("Basic", None),
        ("Bearer bWU6YQ==", None),
        ("Basic ???", None),
        (basic(b"no colon"), None),
        (basic(b"\xff:\xff"), None),
        ("Basic ä", None),
    ],
)
def test_parse_basic(header: str | None, found: Credentials | None) -> None:
    """Of a header that is no claim of a user nothing is made."""
    assert parse_basic(header) == found


class TestOverHttp:
    """The same, over real sockets."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """A file with one user."""
        path = tmp_path / "web.yaml"
        path.write_text(f"basic_auth_users: {{me: '{hashed('right')}'}}")
        return path

    @pytest.mark.parametrize("path", ["/metrics", "/", "/-/healthy", "/nowhere"])
    @pytest.mark.parametrize("user", [None, ("me", "wrong"), ("you", "right")])
    async def test_strangers_get_no_page(
        self, path: str, user: tuple[str, str] | None, file: Path
    ) -> None:
        """Without user and password every path asks for them, and says no more."""
        async with protected(file) as server:
            answer = await server.ask(path, user=user)
            refused = server.refused(Refusal.AUTHORIZATION)

        assert (answer.status, answer.text) == (401, "unauthorized\n")
        challenge = 'Basic realm="nats-idle-exporter", charset="UTF-8"'
        assert answer.headers["WWW-Authenticate"] == challenge
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert refused == 1

    async def test_users_get_pages(self, file: Path) -> None:
        """With the right password every page is served."""
        async with protected(file) as server:
            answers = [
                await server.ask(path, user=("me", "right"))
                for path in ("/metrics", "/-/healthy", "/nowhere")
            ]

        assert [answer.status for answer in answers] == [200, 200, 404]

    async def test_a_changed_password_holds_at_once(self, file: Path) -> None:
        """What was remembered of the old file is not believed after a change."""
        async with protected(file) as server:
            before = await server.ask(user=("me", "right"))
            rewrite(file, f"basic_auth_users: {{me: '{hashed('new')}'}}")
            old = await server.ask(user=("me", "right"))
            new = await server.ask(user=("me", "new"))

        assert [a.status for a in (before, old, new)] == [200, 401, 200]

    @pytest.mark.parametrize("text", ["basic_auth_users: {me: }", "users: {}", "["])
    async def test_a_broken_file_lets_nobody_in(
        self,
        text: str,
        file: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """A file that breaks opens nothing, and is logged once."""
        async with protected(file) as server:
            rewrite(file, text)
            answers = [
                await server.ask(path, user=("me", "right"))
                for path in ("/metrics", "/-/healthy")
            ]
            refused = server.refused(Refusal.CONFIGURATION)

        assert [answer.status for answer in answers] == [500, 500]
        assert refused == 2
        assert capsys.readouterr().out.count("web configuration cannot be used") == 1

    async def test_a_file_that_could_not_be_read_for_a_moment(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reading is tried again although the file looks the same: it may be us."""

        def too_many(*_: Any) -> bytes:
            raise OSError(errno.EMFILE, "Too many open files")

        async with protected(file) as server:
            rewrite(file, f"basic_auth_users: {{me: '{hashed('new')}'}}")
            with monkeypatch.context() as exhausted:
                exhausted.setattr(Path, "read_bytes", too_many)
                refused = await server.ask(user=("me", "new"))
            answer = await server.ask(user=("me", "new"))

        assert [refused.status, answer.status] == [500, 200]

    async def test_a_flaw_in_loading_lets_nobody_in(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever fails while a changed file is loaded, old rules are over."""

        def flawed(*_: Any) -> None:
            raise RuntimeError("hush")

        async with protected(file) as server:
            rewrite(file, f"basic_auth_users: {{me: '{hashed('new')}'}}")
            monkeypatch.setattr(guard, "parse_web_file", flawed)
            with capture_logs() as logs:
                answers = [await server.ask(user=("me", "right")) for _ in range(2)]

        assert [answer.status for answer in answers] == [500, 500]
        (complaint,) = logs
        assert re.fullmatch(
            r"a flaw of this program: RuntimeError in test_passwords\.py:\d+",
            complaint["reason"],
        )

    async def test_busy(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Who comes when too many wait already is told to come again."""

        async def accept(*_: Any) -> bool:
            raise BusyError

        monkeypatch.setattr(Passwords, "accept", accept)
        async with protected(file) as server:
            answer = await server.ask(user=("me", "right"))
            refused = server.refused(Refusal.OVERLOAD)

        assert answer.status == 503
        assert refused == 1
