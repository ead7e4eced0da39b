"""TLS over real sockets: who gets in, and what a change of the files does."""

from __future__ import annotations

import asyncio
import errno
import http.client
import os
import ssl
from pathlib import Path

import aiohttp
import pytest

from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.metrics import Refusal, Refusals
from nats_idle_exporter.web.security import Guard
from tests.support.certificates import Authority, Pair
from tests.web.serving import Protected, protected, rewrite

NO_TLS = (OSError, http.client.HTTPException)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that the server's certificate is of."""
    return Authority(tmp_path)


def web_file(folder: Path, text: str) -> Path:
    """Write a web configuration file."""
    path = folder / "web.yaml"
    path.write_text(text)
    return path


def tls(pair: Pair, *lines: str) -> str:
    """Return a file that serves TLS; names are relative to it."""
    keys = (f"cert_file: {pair.cert.name}", f"key_file: {pair.key.name}", *lines)
    return "tls_server_config:\n" + "".join(f"  {line}\n" for line in keys)


async def serial(server: Protected, authority: Authority) -> str:
    """Return the serial number of the certificate that is shown now."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=authority.client_context()
    )
    certificate = writer.get_extra_info("peercert")
    writer.close()
    await writer.wait_closed()
    assert reader is not None
    number: str = certificate["serialNumber"]
    return number


def another_key(folder: Path) -> bytes:
    """Return a key that belongs to no certificate in use."""
    return Authority(folder, "another").issue("server").key.read_bytes()


class TestServing:
    """The server's own certificate."""

    async def test_pages_are_served_by_tls(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """A client that trusts the authority gets every page by TLS 1.3."""
        file = web_file(tmp_path, tls(authority.issue("server")))

        async with protected(file) as server:
            answer = await server.ask("/metrics", context=authority.client_context())

        assert answer.status == 200
        assert "account_inactive{" in answer.text

    async def test_inline_texts(self, tmp_path: Path, authority: Authority) -> None:
        """Certificate, key and client CA may stand in the file itself."""
        pair = authority.issue("server")
        texts = {
            "cert": pair.cert.read_text(),
            "key": pair.key.read_text(),
            "client_ca": authority.path.read_text(),
        }
        lines = [
            f"  {name}: |\n" + "".join(f"    {line}\n" for line in text.splitlines())
            for name, text in texts.items()
        ]
        text = "tls_server_config:\n" + "".join(lines)
        file = web_file(
            tmp_path, f"{text}  client_auth_type: VerifyClientCertIfGiven\n"
        )

        async with protected(file) as server:
            answer = await server.ask(context=authority.client_context())

        assert answer.status == 200

    @pytest.mark.parametrize(
        ("line", "version", "is_served"),
        [
            ("min_version: TLS10", ssl.TLSVersion.TLSv1_2, True),
            ("min_version: TLS13", ssl.TLSVersion.TLSv1_2, False),
            ("min_version: TLS13", ssl.TLSVersion.TLSv1_3, True),
            ("max_version: TLS12", ssl.TLSVersion.TLSv1_3, False),
        ],
    )
    async def test_versions(
        self,
        line: str,
        version: ssl.TLSVersion,
        is_served: bool,  # noqa: FBT001 - a column of the table
        tmp_path: Path,
        authority: Authority,
    ) -> None:
        """Only the versions that the file allows are spoken."""
        file = web_file(tmp_path, tls(authority.issue("server"), line))
        context = authority.client_context()
        context.minimum_version = context.maximum_version = version

        async with protected(file) as server:
            if is_served:
                assert (await server.ask(context=context)).status == 200
            else:
                with pytest.raises(NO_TLS):
                    await server.ask(context=context)
            refused = server.refused(Refusal.HANDSHAKE)

        assert refused == (not is_served)

    async def test_cipher_suites(self, tmp_path: Path, authority: Authority) -> None:
        """With TLS 1.2 only the suites that are named are spoken."""
        suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
        lines = (
            "max_version: TLS12",
            f"cipher_suites: [{suite}, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]",
            "prefer_server_cipher_suites: false",
        )
        file = web_file(tmp_path, tls(authority.issue("server"), *lines))
        other, right = authority.client_context(), authority.client_context()
        other.set_ciphers("ECDHE+CHACHA20")
        right.set_ciphers("ECDHE+AES256")

        async with protected(file) as server:
            with pytest.raises(NO_TLS):
                await server.ask(context=other)
            answer = await server.ask(context=right)

        assert answer.status == 200

    async def test_plain_http_gets_no_page(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """Who speaks no TLS where TLS is served is refused, and counted."""
        file = web_file(tmp_path, tls(authority.issue("server")))

        async with protected(file) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
            answer = await reader.read()
            writer.close()
            refused = server.refused(Refusal.HANDSHAKE)

        assert b"account" not in answer
        assert refused == 1


class TestClients:
    """Certificates of clients."""

    REQUIRED = (
        "client_ca_file: clients.pem",
        "client_auth_type: RequireAndVerifyClientCert",
    )

    async def test_a_required_certificate(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """A client of the client CA gets in; none and a stranger's are counted."""
        clients, others = Authority(tmp_path, "clients"), Authority(tmp_path, "others")
        file = web_file(tmp_path, tls(authority.issue("server"), *self.REQUIRED))
        good = clients.issue("me").client_context(authority)
        wrong = others.issue("me").client_context(authority)

        async with protected(file) as server:
            answer = await server.ask(context=good)
            for context in (wrong, authority.client_context()):
                with pytest.raises(NO_TLS):
                    await server.ask(context=context)
            refused = server.refused(Refusal.CERTIFICATE)

        assert answer.status == 200
        assert refused == 2

    async def test_a_certificate_if_given(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """Without a certificate a client gets in, with a stranger's it does not."""
        Authority(tmp_path, "clients")
        stranger = Authority(tmp_path, "others").issue("me").client_context(authority)
        lines = (self.REQUIRED[0], "client_auth_type: VerifyClientCertIfGiven")
        file = web_file(tmp_path, tls(authority.issue("server"), *lines))

        async with protected(file) as server:
            answer = await server.ask(context=authority.client_context())
            with pytest.raises(NO_TLS):
                await server.ask(context=stranger)

        assert answer.status == 200

    async def test_without_a_client_ca_a_private_one_is_not_enough(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """Without a client CA only the system's authorities vouch for clients."""
        file = web_file(tmp_path, tls(authority.issue("server"), self.REQUIRED[1]))
        context = authority.issue("me").client_context(authority)

        async with protected(file) as server:
            with pytest.raises(NO_TLS):
                await server.ask(context=context)

            assert server.refused(Refusal.CERTIFICATE) == 1

    @pytest.mark.parametrize(
        ("identities", "is_in"),
        [
            (("prometheus.example",), True),
            (("other.example", "me@example.org"), True),
            (("::1",), True),
            (("other.example",), False),
        ],
    )
    async def test_allowed_names(
        self,
        identities: tuple[str, ...],
        is_in: bool,  # noqa: FBT001 - a column of the table
        tmp_path: Path,
        authority: Authority,
    ) -> None:
        """Of the client CA's clients only those with a listed name get in."""
        clients = Authority(tmp_path, "clients")
        sans = "client_allowed_sans: [prometheus.example, me@example.org, '::1']"
        file = web_file(tmp_path, tls(authority.issue("server"), *self.REQUIRED, sans))
        context = clients.issue("me", *identities).client_context(authority)

        async with protected(file) as server:
            if is_in:
                assert (await server.ask(context=context)).status == 200
            else:
                with pytest.raises(NO_TLS):
                    await server.ask(context=context)
            refused = server.refused(Refusal.CERTIFICATE)

        assert refused == (not is_in)


class TestChanges:
    """Files that change while they are in use."""

    async def test_a_renewed_certificate_is_shown(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """The next handshake after a renewal shows the new certificate."""
        file = web_file(tmp_path, tls(authority.issue("server")))

        async with protected(file) as server:
            before = await serial(server, authority)
            same = await serial(server, authority)
            authority.issue("server")
            after = await serial(server, authority)

        assert before == same != after

    async def test_another_client_ca_holds_at_once(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """A client whose CA was replaced does not get in again."""
        old = Authority(tmp_path, "clients").issue("old").client_context(authority)
        file = web_file(tmp_path, tls(authority.issue("server"), *TestClients.REQUIRED))

        async with protected(file) as server:
            before = await server.ask(context=old)
            new = Authority(tmp_path, "clients").issue("new").client_context(authority)
            with pytest.raises(NO_TLS):
                await server.ask(context=old)
            after = await server.ask(context=new)

        assert (before.status, after.status) == (200, 200)

    @pytest.mark.parametrize("broken", ["", "rate_limit: {}", "tls_server_config: ["])
    async def test_a_broken_file_lets_nobody_in_until_it_is_repaired(
        self, broken: str, tmp_path: Path, authority: Authority
    ) -> None:
        """Neither a broken file nor one that drops TLS opens the door."""
        good = tls(authority.issue("server"))
        file = web_file(tmp_path, good)
        context = authority.client_context()

        async with protected(file) as server:
            rewrite(file, broken)
            with pytest.raises(NO_TLS):
                await server.ask(context=context)
            refused = server.refused(Refusal.CONFIGURATION)
            rewrite(file, good)
            repaired = await server.ask(context=context)

        assert refused == 1
        assert repaired.status == 200

    async def test_a_certificate_that_could_not_be_read_for_a_moment(
        self, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With too many files open nobody is let in, until there is room again."""

        def too_many(*_: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        file = web_file(tmp_path, tls(authority.issue("server")))
        context = authority.client_context()

        async with protected(file) as server:
            rewrite(file, file.read_text() + "# touched\n")
            with monkeypatch.context() as exhausted:
                exhausted.setattr(os, "memfd_create", too_many)
                with pytest.raises(NO_TLS):
                    await server.ask(context=context)
            answer = await server.ask(context=context)

        assert answer.status == 200

    async def test_an_open_connection_is_asked_anew(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """A connection from before the file broke gets no further page."""
        file = web_file(tmp_path, tls(authority.issue("server")))
        context = authority.client_context()

        async with protected(file) as server, aiohttp.ClientSession() as session:
            url = f"https://127.0.0.1:{server.port}/metrics"
            async with session.get(url, ssl=context) as first:
                await first.read()
            file.unlink()
            async with session.get(url, ssl=context) as second:
                text = await second.text()

        assert (first.status, second.status) == (200, 500)
        assert text == "the web configuration cannot be used; the log says why\n"

    async def test_tls_that_comes_later_needs_a_restart(
        self, tmp_path: Path, authority: Authority
    ) -> None:
        """A server without TLS does not go on without it once the file asks for it."""
        file = web_file(tmp_path, "")

        async with protected(file) as server:
            before = await server.ask()
            rewrite(file, tls(authority.issue("server")))
            after = await server.ask()

        assert (before.status, after.status) == (200, 500)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            lambda pair: pair.cert.unlink(),
            (
                "$.tls_server_config.cert_file: expected a readable file, "
                "found no such file or directory"
            ),
        ),
        (
            lambda pair: pair.key.write_text("nonsense"),
            (
                "$.tls_server_config.cert_file: expected a certificate in PEM and its "
                "key, without a password, found something else"
            ),
        ),
        (
            lambda pair: pair.key.write_bytes(another_key(pair.key.parent)),
            (
                "$.tls_server_config.cert_file: expected a certificate in PEM and its "
                "key, without a password, found key values mismatch"
            ),
        ),
    ],
)
def test_files_that_cannot_be_used_at_start(
    change: object, complaint: str, tmp_path: Path, authority: Authority
) -> None:
    """A start without a usable pair fails, and says of which key and why."""
    pair = authority.issue("server")
    file = web_file(tmp_path, tls(pair))
    assert callable(change)
    change(pair)

    with pytest.raises(ConfigError) as caught:
        Guard(file, Refusals())

    assert str(caught.value) == complaint
