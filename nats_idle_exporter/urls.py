"""URLs of endpoints: which are accepted, and how they are shown without secrets."""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from nats_idle_exporter.text import one_line, shorten

_PORTS = {"http": 80, "https": 443}
_LAST_PORT = 65535
_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?"
_HOST_NAME = re.compile(_HOST)
_ENDPOINT = re.compile(
    rf"(?P<scheme>https?)://(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>{_HOST}))"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:%-]+)*)/?",
    re.IGNORECASE,
)
_NATS = re.compile(r"(?:nats|tls)://(?P<rest>[^/]*)/?")
_SCHEME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?")
_HIDDEN = "<hidden>"


class UrlError(ValueError):
    """A URL that cannot be an endpoint; both texts are free of credentials."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


class EndpointKey(NamedTuple):
    """What makes two endpoint URLs the same place."""

    scheme: str
    host: str
    port: int
    path: str


def without_credentials(url: str) -> str:
    """Return the URL without user, password, query and fragment.

    Any text is taken. Where an ``@`` leaves open what is a password and what is
    a path, all but the scheme is hidden.

    >>> without_credentials("https://me:secret@host:8222/nats?token=1")
    'https://host:8222/nats'
    """
    scheme = _SCHEME.match(url)
    start = scheme.end() if scheme else 0
    rest = url[start:]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in rest[len(authority) :]:
        return f"{url[:start]}{_HIDDEN}"
    plain = re.split(r"[?#]", rest, maxsplit=1)[0]
    return f"{url[:start]}{plain.rpartition('@')[2]}"


def parse_endpoint(text: str) -> str:
    """Return the URL of an endpoint without a trailing slash.

    Raises:
        UrlError: it is no plain http or https URL.
    """
    shown = f'"{shorten(one_line(without_credentials(text)))}"'
    if not text.lower().startswith(("http://", "https://")):
        raise UrlError(
            expected="a URL that starts with http:// or https://", found=shown
        )
    if "@" in text:
        raise UrlError(
            expected="a URL without user and password",
            found=f"credentials in {shown}",
        )
    if "?" in text or "#" in text:
        raise UrlError(
            expected="a URL without query and fragment", found=f"one after {shown}"
        )
    if _key(text) is None:
        raise UrlError(expected="a URL like http://host:8222", found=shown)
    return text.rstrip("/")


def parse_nats_url(text: str) -> str:
    """Return the URL of a nats-server for clients.

    Raises:
        UrlError: it is no plain nats or tls URL.
    """
    shown = f'"{shorten(one_line(without_credentials(text)))}"'
    if "@" in text:
        raise UrlError(
            expected="a URL without user and password",
            found=f"credentials in {shown}",
        )
    match = _NATS.fullmatch(text)
    plain = match and _key(f"http://{match['rest']}")
    if plain is None:
        raise UrlError(expected="a URL like nats://host:4222", found=shown)
    return text.rstrip("/")


def endpoint_key(url: str) -> EndpointKey:
    """Return what identifies the place that an endpoint URL leads to.

    Raises:
        ValueError: the URL is none that :func:`parse_endpoint` returns.
    """
    key = _key(url)
    if key is None:
        raise ValueError("not an endpoint URL")
    return key


def is_host(text: str) -> bool:
    """Say whether the text is a host name or an IP address (IPv6 unbracketed)."""
    if ":" in text:
        return _ipv6(text) is not None
    return _HOST_NAME.fullmatch(text) is not None


def _key(url: str) -> EndpointKey | None:
    match = _ENDPOINT.fullmatch(url)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    port = _PORTS[scheme] if match["port"] is None else int(match["port"])
    host = match["host"].lower() if match["host"] else _ipv6(match["ipv6"])
    if host is None or not 1 <= port <= _LAST_PORT:
        return None
    return EndpointKey(scheme, host, port, match["path"])


def _ipv6(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None
