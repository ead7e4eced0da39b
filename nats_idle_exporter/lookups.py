"""URLs whose host is a name to look up: ``dns+http://host:8222`` and its kin."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple

from nats_idle_exporter.text import one_line, shorten
from nats_idle_exporter.urls import (
    EndpointKey,
    UrlError,
    endpoint_key,
    parse_endpoint,
    without_credentials,
)

DNS: Final = "dns"
SRV: Final = "dnssrv"

_LOOKUP = re.compile(
    rf"(?P<kind>{DNS}|{SRV})\+(?P<url>https?://.*)", re.IGNORECASE | re.DOTALL
)
_WITH_PORT = re.compile(r"https?://[^/]*:.*", re.IGNORECASE)


class Lookup(NamedTuple):
    """What is looked up, and the URL that each answer makes.

    ``port`` is that of the URL; records of the kind ``SRV`` tell their own.
    """

    kind: str
    scheme: str
    host: str
    port: int
    path: str

    def url(self, host: str, port: int) -> str:
        """Return the URL of one answer; IPv6 addresses get brackets."""
        shown = f"[{host}]" if ":" in host else host
        return f"{self.scheme}://{shown}:{port}{self.path}"


def is_lookup(url: str) -> bool:
    """Say whether a text is meant to be such a URL."""
    return _LOOKUP.fullmatch(url) is not None


def parse_lookup(text: str) -> str:
    """Return the URL of a lookup without a trailing slash.

    Raises:
        UrlError: it is none.
    """
    match = _LOOKUP.fullmatch(text)
    shown = f'"{shorten(one_line(without_credentials(text)))}"'
    if match is None:
        raise UrlError(expected="a URL like dns+http://host:8222", found=shown)
    url = parse_endpoint(match["url"])
    if _is_address(endpoint_key(url).host):
        raise UrlError(expected="a name to look up, no address", found=shown)
    if match["kind"].lower() == SRV and _WITH_PORT.fullmatch(url):
        raise UrlError(
            expected="no port: the records that are looked up tell it", found=shown
        )
    return text.rstrip("/")


def parse_place(text: str) -> str:
    """Return the URL of an endpoint or of a lookup without a trailing slash.

    Raises:
        UrlError: it is neither.
    """
    return parse_lookup(text) if is_lookup(text) else parse_endpoint(text)


def lookup_of(url: str) -> Lookup:
    """Return what a URL that :func:`parse_lookup` returned looks up."""
    kind, _, plain = url.partition("+")
    return Lookup(kind.lower(), *endpoint_key(plain))


def place_key(url: str) -> tuple[str, EndpointKey]:
    """Return what makes two endpoints or lookups the same."""
    if not is_lookup(url):
        return "", endpoint_key(url)
    kind, _, plain = url.partition("+")
    return kind.lower(), endpoint_key(plain)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
