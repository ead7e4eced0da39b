"""Endpoints behind a name: its addresses, or the servers that SRV records tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import dns.exception
import dns.resolver
from dns.asyncresolver import Resolver
from dns.rdatatype import RdataType

from nats_idle_exporter.lookups import SRV, lookup_of
from nats_idle_exporter.monitoring.discovery.found import DiscoveryError, FoundEndpoint
from nats_idle_exporter.text import one_line, shorten

LOOKUP_SECONDS: Final = 5.0
"""How long one question may take, all name servers and tries together."""

_FAMILIES: Final = (RdataType.A, RdataType.AAAA)


class NameLookup:
    """Ask the machine's name servers for the endpoints of one lookup URL.

    That a name has no address is never taken for an answer: a name server that lost
    its zone says the same.

    Args:
        url: as ``parse_lookup`` returned it.
        make_resolver: makes who asks, at each lookup anew; it may block.
    """

    def __init__(self, url: str, make_resolver: Callable[[], Resolver]) -> None:
        self.label = url
        self._lookup = lookup_of(url)
        # Each SRV record has a target of its own.
        is_one = self._lookup.kind != SRV
        self.server_name = self._named(self._lookup.host) if is_one else ""
        self._make_resolver = make_resolver

    async def find(self) -> tuple[FoundEndpoint, ...]:
        """Return an endpoint per address, sorted.

        Raises:
            DiscoveryError: a question was not answered, or no address is told.
        """
        try:
            resolver = await asyncio.to_thread(self._make_resolver)
        except (dns.resolver.NoResolverConfiguration, OSError) as error:
            raise DiscoveryError(
                self.label, expected="name servers in resolv.conf", found="none"
            ) from error
        host, port = self._lookup.host, self._lookup.port
        targets = [(host, port)]
        if self._lookup.kind == SRV:
            targets = await self._targets(resolver, host)
        found = await asyncio.gather(
            *(self._endpoints(resolver, *target) for target in targets)
        )
        return tuple(sorted({each for endpoints in found for each in endpoints}))

    async def _targets(self, resolver: Resolver, name: str) -> list[tuple[str, int]]:
        records = await _ask(resolver, name, RdataType.SRV)
        targets = {
            (str(each.target).rstrip("."), int(each.port))
            for each in records
            # A lone dot says that the service is decidedly not there.
            if str(each.target) != "."
        }
        if not targets:
            raise DiscoveryError(
                _question(name, RdataType.SRV), expected="a record", found="none"
            )
        return sorted(targets)

    async def _endpoints(
        self, resolver: Resolver, host: str, port: int
    ) -> list[FoundEndpoint]:
        answers = await asyncio.gather(
            *(_ask(resolver, host, family) for family in _FAMILIES)
        )
        addresses = [str(each.address) for answer in answers for each in answer]
        if not addresses:
            raise DiscoveryError(
                _question(host, *_FAMILIES), expected="an address", found="none"
            )
        name = self._named(host)
        return [
            FoundEndpoint(self._lookup.url(address, port), name)
            for address in addresses
        ]

    def _named(self, host: str) -> str:
        return host.rstrip(".") if self._lookup.scheme == "https" else ""


async def _ask(resolver: Resolver, name: str, kind: RdataType) -> Iterable[Any]:
    """Return the records of one kind; none when the name has only others.

    What a record tells depends on its kind, and its type does not.
    """
    try:
        return await resolver.resolve(name, kind, search=True, lifetime=LOOKUP_SECONDS)
    except dns.resolver.NoAnswer:
        return ()
    except dns.resolver.NXDOMAIN as error:
        found = "no such name"
        raise DiscoveryError(
            _question(name, kind), expected="a name in DNS", found=found
        ) from error
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise DiscoveryError(
            _question(name, kind), expected="an answer", found=_words(error)
        ) from error


def _question(name: str, *kinds: RdataType) -> str:
    return f"{one_line(name)} {' and '.join(kind.name for kind in kinds)}"


def _words(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return f"none within {LOOKUP_SECONDS:g} s"
    return shorten(one_line(str(error) or type(error).__name__), 200)
