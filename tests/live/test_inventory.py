"""Sources of accounts on real servers of both versions."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nats.errors
import pytest

from nats_idle_exporter.monitoring.inventory import (
    AccountLimits,
    InventoryReader,
    SourceError,
)
from nats_idle_exporter.monitoring.inventory.claims import ClaimsSource
from nats_idle_exporter.monitoring.inventory.jwtfiles import JwtFiles, read_resolver_dir
from nats_idle_exporter.monitoring.inventory.natsconfig import read_nats_config
from nats_idle_exporter.monitoring.inventory.natsconnection import (
    INBOX_PREFIX,
    ClaimsAccess,
    connect,
)
from nats_idle_exporter.monitoring.inventory.tlsfiles import TlsFiles
from tests.support.clients import connected
from tests.support.jwts import Identity, Operator, credentials
from tests.support.topology import a_single, an_operator_server, join, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.natsserver import NatsServer

pytestmark = pytest.mark.live

LIST = "$SYS.REQ.CLAIMS.LIST"
LOOKUP = "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP"
CERTIFICATE = Path(__file__).parents[1] / "monitoring" / "self_signed.pem"


def least_privilege(account: Identity, *subjects: str) -> str:
    """Return credentials of a user who may ask only these questions."""
    return credentials(
        account,
        pub={"allow": list(subjects)},
        sub={"allow": [f"{INBOX_PREFIX}.>"]},
    )


def access(server: NatsServer, creds: Path | None, **changes: Any) -> ClaimsAccess:
    """Return how a test reaches a server: with less patience than in production."""
    options: dict[str, Any] = {"answer_seconds": 2.0, "quiet_seconds": 0.3, **changes}
    return ClaimsAccess(**{"url": server.url, "credentials": creds, **options})


@asynccontextmanager
async def claims(of: ClaimsAccess) -> AsyncIterator[ClaimsSource]:
    """Return a source, closed in the end."""
    source = ClaimsSource("claims", lambda: connect(of))
    try:
        yield source
    finally:
        await source.close()


async def complaint(of: ClaimsAccess) -> str:
    """Return why nothing can be read."""
    async with claims(of) as source:
        with pytest.raises(SourceError) as caught:
            await source.read()
    return str(caught.value)


def an_operator() -> Operator:
    """Return an operator with accounts that nobody uses."""
    operator = Operator()
    limits = {"conn": 0, "leaf": 0, "exports": -1, "imports": -1, "subs": -1}
    operator.add_account("NEVER", claims={"tags": ["owner:me"]})
    operator.add_account("DISABLED", claims={"limits": limits})
    return operator


async def test_a_cluster_lists_accounts_that_nobody_loaded(
    nats_version: str, tmp_path: Path
) -> None:
    """Two servers with full resolvers tell every account and its JWT, and load none."""
    operator = an_operator()
    servers = [
        an_operator_server(
            operator, version=nats_version, full_resolver=True, name=name
        )
        for name in ("n1", "n2")
    ]
    join(*servers)
    creds = tmp_path / "sys.creds"
    creds.write_text(least_privilege(operator.system_account, LIST, LOOKUP))
    async with running(*servers), claims(access(servers[0], creds)) as source:
        reader = InventoryReader("s", [source], 30.0)
        inventory = await reader.step(0.0)
        loaded = (await servers[0].read("/accountz"))["accounts"]
        ids = {(await server.read("/varz"))["server_id"] for server in servers}

    assert inventory is not None
    assert inventory.is_complete
    assert set(inventory.accounts) == set(operator.accounts)
    assert inventory.statuses[0].servers == ids
    by_name = {each.name: each for each in inventory.accounts.values()}
    assert set(by_name) == {"SYS", "NEVER", "DISABLED"}
    assert by_name["NEVER"].tags == ("owner:me",)
    assert by_name["DISABLED"].limits == AccountLimits(0, 0)
    assert set(loaded) == {"$G", operator.system_account.public_key}


async def test_the_resolvers_folder_is_what_the_server_keeps(nats_version: str) -> None:
    """An account pushed to a running server appears in its folder, and goes again."""
    operator = an_operator()
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    files = JwtFiles()
    async with (
        server,
        connected(server, creds=credentials(operator.system_account)) as system,
    ):
        before = read_resolver_dir(server.folder / "jwt", files)
        pushed = operator.add_account("PUSHED").public_key
        await system.request(
            "$SYS.REQ.CLAIMS.UPDATE", operator.accounts[pushed].encode(), timeout=5
        )
        after = read_resolver_dir(server.folder / "jwt", files)
        deletion = operator.identity.sign(
            operator.identity, {"type": "generic", "accounts": [pushed]}
        )
        await system.request("$SYS.REQ.CLAIMS.DELETE", deletion.encode(), timeout=5)
        names = [path.name for path in (server.folder / "jwt").iterdir()]
        deleted = read_resolver_dir(server.folder / "jwt", files)

    assert after.accounts.keys() - before.accounts.keys() == {pushed}
    assert after.accounts[pushed].name == "PUSHED"
    assert f"{pushed}.jwt.deleted" in names
    assert deleted == before
    assert deleted.is_complete


async def test_the_least_user_can_change_nothing(
    nats_version: str, tmp_path: Path
) -> None:
    """The permissions that the source needs do not let its user push a JWT."""
    operator = an_operator()
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    creds = tmp_path / "sys.creds"
    creds.write_text(least_privilege(operator.system_account, LIST, LOOKUP))
    pushed = operator.add_account("PUSHED").public_key
    async with server:
        connection = await connect(access(server, creds, answer_seconds=0.5))
        token = operator.accounts[pushed].encode()
        with pytest.raises(nats.errors.TimeoutError):
            await connection._client.request(
                "$SYS.REQ.CLAIMS.UPDATE", token, timeout=0.5
            )
        answers = await connection.gather(LIST)
        await connection.close()

    assert pushed.encode() not in b"".join(answers)


async def test_missing_permissions_are_told(nats_version: str, tmp_path: Path) -> None:
    """A user who may not list is an error; one who may not look up lists ids."""
    operator = an_operator()
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    creds = tmp_path / "sys.creds"
    async with server:
        creds.write_text(least_privilege(operator.system_account, LOOKUP))
        said = await complaint(access(server, creds, answer_seconds=0.5))
        creds.write_text(least_privilege(operator.system_account, LIST))
        async with claims(access(server, creds, answer_seconds=0.5)) as source:
            listed = await source.read()

    assert said.endswith(f'permissions violation for publish to "{LIST.lower()}"')
    assert set(listed.accounts) == set(operator.accounts)
    assert {each.found for each in listed.problems} == {"none"}


async def test_a_memory_resolver_answers_nothing(
    nats_version: str, tmp_path: Path
) -> None:
    """A resolver in memory cannot list: its configuration file can."""
    operator = an_operator()
    server = an_operator_server(operator, version=nats_version)
    creds = tmp_path / "sys.creds"
    creds.write_text(credentials(operator.system_account))
    async with server:
        said = await complaint(access(server, creds))
        listed = read_nats_config(server.folder / "nats.conf", {})

    assert said == (
        f"{server.url}: expected answers of servers with the full resolver,"
        " found no responder: another resolver, or no operator mode"
    )
    assert set(listed.accounts) == set(operator.accounts)
    assert not listed.problems


async def test_a_server_that_went_away_is_reached_again(
    nats_version: str, tmp_path: Path
) -> None:
    """A restart costs one read at most, and then the list is back."""
    operator = an_operator()
    server = an_operator_server(operator, version=nats_version, full_resolver=True)
    creds = tmp_path / "sys.creds"
    creds.write_text(credentials(operator.system_account))
    async with server, claims(access(server, creds)) as source:
        await source.read()
        connection = await connect(access(server, creds))
        await server.stop()
        with pytest.raises(SourceError):
            await source.read()
        assert await connection.ask(LIST) is None
        with pytest.raises(SourceError, match="found connection closed"):
            await connection.gather(LIST)
        await server.start()

        assert set((await source.read()).accounts) == set(operator.accounts)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "No such file or directory"),
        ("", "something else"),
        ("hunter2", "something else"),
        ("x" * 100_000, "more"),
    ],
)
async def test_bad_credentials_are_told_without_them(
    text: str | None, found: str, tmp_path: Path
) -> None:
    """A file that holds no credentials is told by its path, never by its words."""
    operator = an_operator()
    creds = tmp_path / "sys.creds"
    if text is not None:
        creds.write_text(text)
    async with an_operator_server(operator, full_resolver=True) as server:
        said = await complaint(access(server, creds))

    assert said.endswith(f"found {found}")
    assert "hunter2" not in said


async def test_a_stranger_is_refused(tmp_path: Path) -> None:
    """A user of another operator is told as refused, without a word of the file."""
    creds = tmp_path / "sys.creds"
    creds.write_text(credentials(Operator().system_account))
    async with an_operator_server(an_operator(), full_resolver=True) as server:
        said = await complaint(access(server, creds))

    assert said.startswith(f"{server.url}: expected a connection to a nats-server")
    assert "Authorization Violation" in said
    assert creds.read_text().split("\n")[1] not in said


async def test_nobody_there_is_told() -> None:
    """A port where nobody listens, and one where no nats-server does, are told."""
    server = a_single("A")
    try:
        closed = await complaint(access(server, None))
    finally:
        await server.close()
    async with a_single("A") as other:
        spoken = await complaint(
            access(other, None, url=f"nats://127.0.0.1:{other.monitoring.number}")
        )

    assert closed.endswith("found Connection refused")
    assert "expected a connection to a nats-server" in spoken


async def test_tls(tmp_path: Path) -> None:
    """With TLS a trusted server is asked, an untrusted or plain one is not."""
    operator = an_operator()
    server = an_operator_server(operator, full_resolver=True)
    server.config["tls"] = {"cert_file": str(CERTIFICATE), "key_file": str(CERTIFICATE)}
    creds = tmp_path / "sys.creds"
    creds.write_text(credentials(operator.system_account))
    async with server:
        trusted = access(
            server, creds, tls=TlsFiles(ca=CERTIFICATE, server_name="localhost")
        )
        async with claims(trusted) as source:
            assert set((await source.read()).accounts) == set(operator.accounts)
        untrusted = await complaint(access(server, creds, tls=TlsFiles()))
        unnamed = await complaint(
            access(server, creds, tls=TlsFiles(ca=CERTIFICATE, server_name="other"))
        )
        unchecked = TlsFiles(certificate=CERTIFICATE, is_verified=False)
        async with claims(access(server, creds, tls=unchecked)) as source:
            assert (await source.read()).is_complete
        unreadable = await complaint(
            access(server, creds, tls=TlsFiles(ca=tmp_path / "none"))
        )
        unusable = await complaint(
            access(server, creds, tls=TlsFiles(certificate=creds))
        )
    async with an_operator_server(operator, full_resolver=True) as plain:
        stripped = await complaint(access(plain, creds, tls=TlsFiles(ca=CERTIFICATE)))

    assert "found a certificate that cannot be trusted" in untrusted
    assert "found a certificate that cannot be trusted" in unnamed
    assert unreadable.endswith("found No such file or directory")
    assert "expected readable certificates and keys in PEM, found others" in unusable
    assert stripped.endswith("found a server without TLS")


async def test_a_silent_server_is_given_up() -> None:
    """Who accepts a connection and says nothing is left by the reader's timeout."""
    left = asyncio.Event()

    async def say_nothing(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        source = ClaimsSource(
            "claims", lambda: connect(ClaimsAccess(url=f"nats://127.0.0.1:{port}"))
        )
        reader = InventoryReader("s", [source], 30.0, timeout_seconds=0.2)
        inventory = await reader.step(0.0)
        await left.wait()

    assert inventory is not None
    assert inventory.statuses[0].error is not None
    assert inventory.statuses[0].error.expected == "an answer within 0.2 s"
