"""The health check of a daemon that is protected by a web configuration file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nats_idle_exporter.cli import main
from tests.support.certificates import Authority
from tests.web.serving import Protected, hashed, protected

REQUIRED = "client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert"
USERS = "basic_auth_users: {me: '%s'}\n"


def tls(*keys: str) -> str:
    """Return a file that serves TLS."""
    pair = ("cert_file: ca-server.pem", "key_file: ca-server.key")
    return f"tls_server_config: {{{', '.join((*pair, *keys))}}}\n"


async def checked(server: Protected, file: Path, *flags: str) -> int:
    """Return the exit code of the health check with the daemon's own flags."""
    address = f"--web.listen-address=127.0.0.1:{server.port}"
    arguments = ["--healthcheck", address, f"--web.config.file={file}", *flags]
    return await asyncio.to_thread(main, arguments)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is not there yet, beside a certificate."""
    Authority(tmp_path).issue("server")
    return tmp_path / "web.yaml"


@pytest.mark.parametrize(
    "text",
    [
        "",
        tls(),
        USERS % hashed("p"),
        tls() + USERS % hashed("p"),
        tls(REQUIRED),
    ],
    ids=["nothing", "TLS", "users", "both", "client certificates"],
)
async def test_a_protected_daemon_is_healthy(text: str, file: Path) -> None:
    """Whatever it asks of its clients, a daemon that answers is alive."""
    file.write_text(text)  # noqa: ASYNC240 - before anything runs

    async with protected(file, route_prefix="/p") as server:
        assert await checked(server, file, "--web.route-prefix=/p") == 0


async def test_a_daemon_that_hangs_is_not(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a daemon says of itself counts."""
    file.write_text(tls())  # noqa: ASYNC240 - before anything runs

    async with protected(file) as server:
        server.state.trouble = lambda: "it hangs"
        assert await checked(server, file) == 1

    assert "answered with status 503" in capsys.readouterr().err


async def test_a_daemon_without_tls_where_tls_is_asked_is_not(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What speaks no TLS is not the daemon that the file describes."""
    file.write_text(tls(REQUIRED))  # noqa: ASYNC240 - before anything runs

    async with protected() as server:
        assert await checked(server, file) == 1

    assert "no answer from 127.0.0.1:" in capsys.readouterr().err


async def test_a_password_that_the_file_does_not_know_of(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Being asked for a password is health only where the file has users."""
    file.write_text(USERS % hashed("p"))  # noqa: ASYNC240 - before anything runs

    async with protected(file) as server:
        other = file.with_name("other.yaml")
        other.touch()
        assert await checked(server, other) == 1

    assert "answered with status 401" in capsys.readouterr().err


async def test_a_daemon_that_lets_nobody_in_is_not_healthy(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that broke since the start is told by the check itself."""
    file.write_text("")  # noqa: ASYNC240 - before anything runs

    async with protected(file) as server:
        file.write_text("[]")  # noqa: ASYNC240 - one short write
        assert await checked(server, file) == 1

    assert f"{file}: $: expected a mapping" in capsys.readouterr().err
