"""Asking endpoints with credentials, over real sockets."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nats_idle_exporter.config import parse_config
from nats_idle_exporter.errors import ConfigError, EndpointError
from nats_idle_exporter.monitoring.access import PLAIN, Accesses, make_accesses
from nats_idle_exporter.monitoring.client import MonitoringClient
from nats_idle_exporter.monitoring.fetch import MAX_REDIRECTS, new_session
from tests.monitoring.scripted import (
    ScriptedServer,
    answer,
    head,
    raw,
    running,
)
from tests.support.certificates import Authority
from tests.support.clock import FakeClock


def accesses(client: str, *urls: str, folder: Path | None = None) -> Accesses:
    """Return how endpoints are asked with these keys."""
    text = f"systems: [{{endpoints: {list(urls)}, http_client: {{{client}}}}}]"
    return make_accesses(parse_config(text, folder=folder or Path()))["default"]


async def polled(url: str, how: Accesses) -> None:
    """Poll an endpoint once."""
    async with new_session() as session:
        client = MonitoringClient(
            session,
            FakeClock(),
            timeout_seconds=30.0,
            max_body_bytes=100_000,
            accesses=how,
        )
        await client.read(url, with_jetstream=False)


async def refusal(url: str, how: Accesses) -> str:
    """Return what a poll that must fail says."""
    with pytest.raises(EndpointError) as caught:
        await polled(url, how)
    return str(caught.value)


def sent(server: ScriptedServer, name: str) -> set[tuple[str, ...]]:
    """Return the values of a header in each request."""
    return {
        tuple(
            value.strip()
            for line in head.split("\r\n")[1:]
            for key, _, value in [line.partition(":")]
            if key.lower() == name.lower()
        )
        for head in server.heads
    }


def basic(user: str, password: str) -> str:
    """Return the header of a user."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


class TestHeaders:
    """What every request carries."""

    async def test_a_user(self) -> None:
        """User and password are sent with each request."""
        async with running(server := ScriptedServer()):
            how = accesses("basic_auth: {username: ü, password: 'p:w'}", server.url)
            await polled(server.url, how)

        assert sent(server, "Authorization") == {(basic("ü", "p:w"),)}

    @pytest.mark.parametrize(
        ("kind", "header"), [("", "Bearer t"), ("type: Token, ", "Token t")]
    )
    async def test_credentials(self, kind: str, header: str) -> None:
        """Credentials stand behind their word."""
        async with running(server := ScriptedServer()):
            how = accesses(f"authorization: {{{kind}credentials: t}}", server.url)
            await polled(server.url, how)

        assert sent(server, "Authorization") == {(header,)}

    async def test_headers(self, tmp_path: Path) -> None:
        """A header has all its values; ours stay as they are."""
        (tmp_path / "h").write_text("from a file\n")
        async with running(server := ScriptedServer()):
            keys = "http_headers: {X-A: {values: [v], secrets: [s], files: [h]}}"
            await polled(server.url, accesses(keys, server.url, folder=tmp_path))

        assert sent(server, "X-A") == {("v", "s", "from a file")}
        assert sent(server, "Accept-Encoding") == {("identity",)}

    async def test_without_keys_nothing_is_sent(self) -> None:
        """An endpoint that nothing is said of is asked plainly."""
        async with running(server := ScriptedServer()):
            await polled(server.url, accesses("", "http://other"))

        assert sent(server, "Authorization") == {()}
        assert accesses("", "http://a").current("http://b") == PLAIN


class TestFiles:
    """Secrets in files."""

    KEYS = "basic_auth: {username: u, password_file: p}"

    async def test_a_changed_file_is_read_again(self, tmp_path: Path) -> None:
        """The next poll after a change has the new password."""
        file = tmp_path / "p"
        file.write_text("old\n")
        async with running(server := ScriptedServer()):
            how = accesses(self.KEYS, server.url, folder=tmp_path)
            await polled(server.url, how)
            server.heads.clear()
            file.write_text("new\n")
            await polled(server.url, how)

        assert sent(server, "Authorization") == {(basic("u", "new"),)}

    async def test_a_file_that_goes_fails_the_polls_until_it_is_back(
        self, tmp_path: Path
    ) -> None:
        """Without its password an endpoint is not asked at all."""
        file = tmp_path / "p"
        file.write_text("right")
        async with running(server := ScriptedServer()):
            how = accesses(self.KEYS, server.url, folder=tmp_path)
            file.unlink()
            gone = [await refusal(server.url, how) for _ in range(2)]
            asked = list(server.requests)
            file.write_text("right")
            await polled(server.url, how)

        assert (
            gone
            == [
                (
                    "credentials: $.systems[0].http_client.basic_auth.password_file: "
                    "expected a readable file, found no such file or directory"
                )
            ]
            * 2
        )
        assert asked == []
        assert sent(server, "Authorization") == {(basic("u", "right"),)}

    @pytest.mark.parametrize(
        ("content", "wrong"),
        [
            (b"hunter2\r\nX-Evil: 1", "text of one line, found a control character"),
            (b"hunter2\xff", "text in UTF-8, found other bytes"),
            (b" \n", "a file with a secret, found nothing"),
        ],
    )
    def test_secrets_that_cannot_be_sent(
        self, content: bytes, wrong: str, tmp_path: Path
    ) -> None:
        """What fits into no header is refused, and not shown."""
        (tmp_path / "p").write_bytes(content)

        with pytest.raises(ConfigError) as caught:
            accesses(self.KEYS, "http://h", folder=tmp_path)

        assert caught.value.path.startswith("$.systems[0].http_client.basic_auth.")
        assert str(caught.value).endswith(f": expected {wrong}")

    def test_the_place_of_an_endpoints_own_key(self) -> None:
        """A complaint points to where the key stands, system or endpoint."""
        own = "{url: 'http://h', authorization: {credentials_file: /none}}"
        text = f"systems: [{{endpoints: ['http://g', {own}], http_client: {{}}}}]"

        with pytest.raises(ConfigError) as caught:
            make_accesses(parse_config(text))

        path = "$.systems[0].endpoints[1].authorization.credentials_file"
        assert caught.value.path == path


@asynccontextmanager
async def secure(context: ssl.SSLContext) -> AsyncIterator[str]:
    """Serve a healthy endpoint by TLS."""
    server = ScriptedServer()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    try:
        yield "https://127.0.0.1:{1}".format(*listener.sockets[0].getsockname())
    finally:
        listener.close()
        await server.end()


class TestTls:
    """Endpoints with certificates of a private authority."""

    @staticmethod
    def server_context(authority: Authority, *names: str) -> ssl.SSLContext:
        """Return the TLS of an endpoint."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*authority.issue("server", *names))
        return context

    async def test_a_private_authority(self, tmp_path: Path) -> None:
        """Who trusts the authority can poll, by file and by text."""
        authority = Authority(tmp_path)
        pem = "\\n".join(authority.path.read_text().splitlines())
        async with secure(self.server_context(authority)) as url:
            for keys in ("ca_file: ca.pem", f'ca: "{pem}\\n"'):
                how = accesses(f"tls_config: {{{keys}}}", url, folder=tmp_path)
                await polled(url, how)

    async def test_a_wrong_authority_is_told(self, tmp_path: Path) -> None:
        """A certificate of another authority is refused, and it is said why."""
        Authority(tmp_path, "other")
        async with secure(self.server_context(Authority(tmp_path))) as url:
            keys = "tls_config: {ca_file: other.pem}"
            said = await refusal(url, accesses(keys, url, folder=tmp_path))

        assert said == (
            "unreachable: /varz: certificate not accepted: "
            "unable to get local issuer certificate"
        )

    async def test_a_replaced_authority_is_read_again(self, tmp_path: Path) -> None:
        """A renewed CA file holds from the next poll on."""
        old = Authority(tmp_path)
        trusted = old.path.read_bytes()
        async with secure(self.server_context(old)) as url:
            how = accesses("tls_config: {ca_file: ca.pem}", url, folder=tmp_path)
            Authority(tmp_path)
            said = await refusal(url, how)
            old.path.write_bytes(trusted)
            await polled(url, how)

        assert said.startswith("unreachable: /varz: certificate not accepted")

    async def test_no_room_for_another_open_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That fails the poll, not the poll loop, and the next poll tries again."""

        def too_many(*_: object) -> int:
            raise OSError(errno.EMFILE, "Too many open files")

        Authority(tmp_path)
        url = "https://nats:8222"
        how = accesses("tls_config: {ca_file: ca.pem}", url, folder=tmp_path)
        Authority(tmp_path)
        with monkeypatch.context() as exhausted:
            exhausted.setattr(os, "memfd_create", too_many)
            with pytest.raises(EndpointError, match="found too many open files"):
                how.current(url)

        assert how.current(url).context is not None

    async def test_names(self, tmp_path: Path) -> None:
        """The certificate must be for the URL's name, or for the one that is given."""
        context = self.server_context(Authority(tmp_path), "nats.example")
        async with secure(context) as url:
            keys = "tls_config: {ca_file: ca.pem%s}"
            given = accesses(keys % ", server_name: nats.example", url, folder=tmp_path)
            await polled(url, given)
            said = await refusal(url, accesses(keys % "", url, folder=tmp_path))

        assert "certificate not accepted: IP address mismatch" in said

    async def test_anybody(self, tmp_path: Path) -> None:
        """Verification can be switched off."""
        async with secure(self.server_context(Authority(tmp_path), "x.example")) as url:
            await polled(url, accesses("tls_config: {insecure_skip_verify: true}", url))

    async def test_a_client_certificate(self, tmp_path: Path) -> None:
        """An endpoint that asks for a certificate is shown the one that is given."""
        authority = Authority(tmp_path)
        context = self.server_context(authority)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.path)
        authority.issue("me")
        keys = "tls_config: {ca_file: ca.pem%s}"
        pair = ", cert_file: ca-me.pem, key_file: ca-me.key"
        async with secure(context) as url:
            await polled(url, accesses(keys % pair, url, folder=tmp_path))
            said = await refusal(url, accesses(keys % "", url, folder=tmp_path))

        assert said.startswith("unreachable: /varz: ")

    @pytest.mark.parametrize(
        ("keys", "key"),
        [("ca_file: odd", "ca"), ("cert_file: odd, key_file: odd", "cert")],
    )
    def test_texts_that_are_no_certificates(
        self, keys: str, key: str, tmp_path: Path
    ) -> None:
        """A file that holds something else ends the start; it is not shown."""
        (tmp_path / "odd").write_text("hunter2")

        with pytest.raises(ConfigError) as caught:
            accesses(f"tls_config: {{{keys}}}", "https://h", folder=tmp_path)

        assert caught.value.path == f"$.systems[0].http_client.tls_config.{key}"
        assert "hunter2" not in str(caught.value)


class TestRedirects:
    """Redirects, which could lead credentials elsewhere."""

    KEYS = "authorization: {credentials: t}, http_headers: {X-A: {secrets: [s]}}"
    FOLLOW = f"{KEYS}, follow_redirects: true"

    @staticmethod
    def to(location: str) -> ScriptedServer:
        """Return a server whose varz is elsewhere."""
        server = ScriptedServer()
        server.scripts["/new"] = server.scripts["/varz"]
        server.scripts["/varz"] = raw(head(302, Location=location, Content_Length=0))
        return server

    async def test_by_default_they_are_not_followed(self) -> None:
        """A redirect is a status like any other."""
        async with running(server := self.to("/new")):
            said = await refusal(server.url, accesses(self.KEYS, server.url))

        assert said == "status: /varz: HTTP 302"

    async def test_within_the_place_they_are_followed(self) -> None:
        """Where it is asked for, another path of the same server is read."""
        async with running(server := self.to("/new")):
            await polled(server.url, accesses(self.FOLLOW, server.url))

        assert "/new" in server.requests

    @pytest.mark.parametrize("location", ["", "http://[", "//user:hunter2@/x", None])
    async def test_to_another_place_nothing_is_sent(self, location: str | None) -> None:
        """Another server is never told what is meant for this one."""
        async with running(other := ScriptedServer()):
            where = f"{other.url}/varz" if location is None else location
            async with running(server := self.to(where)):
                said = await refusal(server.url, accesses(self.FOLLOW, server.url))

        assert other.requests == []
        assert said.startswith("status: /varz: ")
        assert "hunter2" not in said

    async def test_not_for_ever(self) -> None:
        """A circle ends."""
        async with running(server := self.to("/varz")):
            said = await refusal(server.url, accesses(self.FOLLOW, server.url))

        assert said == f"status: /varz: more than {MAX_REDIRECTS} redirects"
        assert server.requests == ["/varz"] * (MAX_REDIRECTS + 1)


class TestProxy:
    """Endpoints behind a proxy."""

    async def test_requests_go_through_the_proxy(self) -> None:
        """The proxy is asked for the endpoint's address, with its own password."""
        async with running(proxy := ScriptedServer()):
            url = "http://nats.invalid:8222"
            for path, script in list(proxy.scripts.items()):
                proxy.scripts[url + path] = script
            keys = f"proxy_url: '{proxy.url.replace('//', '//u:p@')}'"
            await polled(url, accesses(keys, url))

        assert proxy.requests[0] == f"{url}/varz"
        assert sent(proxy, "Proxy-Authorization") == {(basic("u", "p"),)}

    async def test_a_proxy_that_refuses_is_told(self) -> None:
        """What the proxy says of a secure endpoint is said, without its password."""
        async with running(proxy := ScriptedServer()):
            url = "https://nats.invalid:8222"
            proxy.scripts["nats.invalid:8222"] = answer(b"", 407)
            keys = f"proxy_url: '{proxy.url.replace('//', '//u:hunter2@')}'"
            said = await refusal(url, accesses(keys, url))

        assert said == "unreachable: /varz: the proxy answered with HTTP 407"

    async def test_no_proxy_there(self) -> None:
        """A proxy that cannot be reached is told in the system's words."""
        keys = "proxy_url: 'http://u:hunter2@127.0.0.1:1'"
        url = "http://nats.invalid:8222"

        assert await refusal(url, accesses(keys, url)) == (
            "unreachable: /varz: Connection refused"
        )
