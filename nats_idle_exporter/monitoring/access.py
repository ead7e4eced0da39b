"""How endpoints are asked: headers, TLS and proxy, with secrets read from files.

Files are read again when they change. One that cannot be read fails the polls of
its endpoints, until it can; at start it ends the program.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from multidict import CIMultiDict

from nats_idle_exporter.config.ciphers import MIN_VERSIONS
from nats_idle_exporter.config.endpoints import PlacedClient, client_of
from nats_idle_exporter.config.httpclient import ClientTls, decode_headers
from nats_idle_exporter.config.schema import Config, file_sources
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.discovery.reader import Lead
from nats_idle_exporter.monitoring.failures import CREDENTIALS, failure
from nats_idle_exporter.pem import load_authorities, load_pair, pem_words
from nats_idle_exporter.text import os_words
from nats_idle_exporter.watched import WatchedFiles


class Access(NamedTuple):
    """What a request to an endpoint needs beside its address."""

    headers: Iterable[tuple[str, str]] = ()
    context: ssl.SSLContext | None = None
    server_name: str | None = None
    proxy: str | None = None
    follows_redirects: bool = False


PLAIN = Access()
"""Nothing: no credentials, and the system's authorities for TLS."""


class Accesses:
    """Know how each endpoint is asked; use from one event loop.

    Attributes:
        lead: tells where an endpoint was found, that is not one of those ``use`` names.
    """

    def __init__(self) -> None:
        self._sources: dict[str, _Source] = {}
        self.lead: Callable[[str], Lead | None] = lambda _: None

    def use(self, url: str, placed: PlacedClient) -> None:
        """Ask an endpoint so from now on, or all that a source finds.

        Raises:
            ConfigError: a file that it needs cannot be used.
        """
        self._sources[url] = _Source(placed)

    def current(self, url: str) -> Access:
        """Return how to ask an endpoint now; a few looks at its files.

        Raises:
            EndpointError: a file that it needs cannot be used.
        """
        source, server_name = self._sources.get(url), ""
        if source is None and (lead := self.lead(url)):
            source, server_name = self._sources.get(lead.source), lead.server_name
        if source is None:
            return PLAIN
        try:
            access = source.current()
        except ConfigError as error:
            raise failure(CREDENTIALS, str(error)) from error
        if server_name and not access.server_name:
            return access._replace(server_name=server_name)
        return access


def make_accesses(config: Config) -> dict[str, Accesses]:
    """Return by system how each endpoint is asked; reads files.

    Raises:
        ConfigError: a file that an endpoint needs cannot be used.
    """
    found: dict[str, Accesses] = {}
    for index, system in enumerate(config.systems):
        accesses = found[system.name] = Accesses()
        place = f"$.systems[{index}]"
        for at, url in enumerate(system.endpoints):
            where = f"{place}.endpoints[{at}]"
            accesses.use(url, client_of(system.http_client, url, place, where))
        for source in file_sources(system):
            placed = client_of(system.http_client, source, place, place)
            accesses.use(source, placed)
    return found


class _Source:
    def __init__(self, placed: PlacedClient) -> None:
        self._placed = placed
        self._files = WatchedFiles()
        self._access: Access | None = self._load()

    def current(self) -> Access:
        if self._access is None or self._files.have_changed():
            # Without it until it is whole again: old credentials may be revoked.
            self._access = None
            self._access = self._load()
        return self._access

    def _load(self) -> Access:
        self._files = WatchedFiles()
        client = self._placed.client
        return Access(
            headers=CIMultiDict(self._headers()).items(),
            context=self._context(client.tls_config) if client.tls_config else None,
            server_name=client.tls_config.server_name if client.tls_config else None,
            proxy=client.proxy_url.reveal() if client.proxy_url else None,
            follows_redirects=client.follow_redirects or False,
        )

    def _headers(self) -> Iterator[tuple[str, str]]:
        client = self._placed.client
        if basic := client.basic_auth:
            password = self._word(basic, "basic_auth", "password")
            claim = base64.b64encode(f"{basic.username}:{password}".encode()).decode()
            yield "Authorization", f"Basic {claim}"
        if authorization := client.authorization:
            word = self._word(authorization, "authorization", "credentials")
            yield "Authorization", f"{authorization.type} {word}"
        for name, header in decode_headers(client.http_headers).items():
            path = f"{self._place('http_headers')}.{name}"
            yield from ((name, value) for value in header.values)
            for index, secret in enumerate(header.secrets):
                yield name, _header_word(secret.reveal(), f"{path}.secrets[{index}]")
            for index, file in enumerate(header.files):
                where = f"{path}.files[{index}]"
                yield name, _header_word(_text(self._read(file, where), where), where)

    def _context(self, tls: ClientTls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = MIN_VERSIONS[tls.min_version]
        if tls.insecure_skip_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        where = self._place("tls_config")
        try:
            if authorities := self._bytes(tls, "tls_config", "ca"):
                where = f"{self._place('tls_config')}.ca"
                load_authorities(context, authorities)
            else:
                context.load_default_certs()
            cert = self._bytes(tls, "tls_config", "cert")
            key = self._bytes(tls, "tls_config", "key")
            if cert is not None and key is not None:
                where = f"{self._place('tls_config')}.cert"
                load_pair(context, cert, key)
        except OSError as error:
            raise ConfigError(
                where, expected="a certificate in PEM", found=pem_words(error)
            ) from error
        return context

    def _place(self, key: str) -> str:
        return f"{self._placed.places[key]}.{key}"

    def _word(self, holder: Any, key: str, name: str) -> str:
        where = f"{self._place(key)}.{name}"
        content = self._bytes(holder, key, name) or b""
        return _header_word(_text(content, where), where)

    def _bytes(self, holder: Any, key: str, name: str) -> bytes | None:
        if (inline := getattr(holder, name)) is not None:
            text: str = inline.reveal()
            return text.encode()
        file = getattr(holder, f"{name}_file")
        if file is None:
            return None
        return self._read(file, f"{self._place(key)}.{name}_file")

    def _read(self, file: str, where: str) -> bytes:
        try:
            content = self._files.read(Path(file))
        except (OSError, ValueError) as error:
            found = os_words(error) if isinstance(error, OSError) else "no file name"
            raise ConfigError(
                where, expected="a readable file", found=found.lower()
            ) from error
        if not content.strip():
            raise ConfigError(where, expected="a file with a secret", found="nothing")
        return content


def _text(content: bytes, where: str) -> str:
    try:
        # As Prometheus has it: editors end a file with a newline.
        return content.decode().strip()
    except UnicodeDecodeError as error:
        raise ConfigError(
            where, expected="text in UTF-8", found="other bytes"
        ) from error


def _header_word(text: str, where: str) -> str:
    if not text.isprintable():
        raise ConfigError(
            where, expected="text of one line", found="a control character"
        )
    return text
