"""Endpoints behind a name, told by a real name server."""

from __future__ import annotations

from pathlib import Path

import dns.resolver
import pytest
from dns.asyncresolver import Resolver

from nats_idle_exporter.monitoring.discovery import (
    DiscoveryError,
    FoundEndpoint,
    NameLookup,
    names,
)
from tests.support.nameserver import naming

NAME = "nats.test"


async def found(
    url: str, folder: Path, *addresses: str, srv: tuple[str, ...] = ()
) -> list[FoundEndpoint]:
    """Return what a lookup finds where the name has these addresses."""
    async with naming(folder, NAME, *addresses, srv=srv) as server:
        return list(await NameLookup(url, server.resolver).find())


async def test_every_address_is_an_endpoint(tmp_path: Path) -> None:
    """Of both families, with the URL's port and path; IPv6 in brackets."""
    endpoints = await found(
        f"dns+http://{NAME}:8222/base", tmp_path, "127.0.0.3", "127.0.0.2", "::1"
    )

    assert endpoints == [
        FoundEndpoint("http://127.0.0.2:8222/base"),
        FoundEndpoint("http://127.0.0.3:8222/base"),
        FoundEndpoint("http://[::1]:8222/base"),
    ]


async def test_certificates_are_for_the_name(tmp_path: Path) -> None:
    """An address is in no certificate: the name that was looked up has to be."""
    endpoints = await found(f"dns+https://{NAME}.:8222", tmp_path, "127.0.0.2")

    assert endpoints == [FoundEndpoint("https://127.0.0.2:8222", NAME)]


async def test_records_tell_hosts_and_ports(tmp_path: Path) -> None:
    """Each SRV record is a host with addresses, and its port."""
    service = f"_monitor._tcp.{NAME}"
    records = (f"{service},{NAME},8222", f"{service},{NAME},8223")
    endpoints = await found(
        f"dnssrv+https://{service}", tmp_path, "127.0.0.2", srv=records
    )

    assert endpoints == [
        FoundEndpoint("https://127.0.0.2:8222", NAME),
        FoundEndpoint("https://127.0.0.2:8223", NAME),
    ]


@pytest.mark.parametrize(
    ("url", "where", "expected", "told"),
    [
        ("dns+http://other.test:1", "other.test A", "a name in DNS", "no such name"),
        ("dns+http://lacks.elsewhere:1", "lacks.elsewhere A", "an answer", "REFUSED"),
        (
            "dnssrv+http://_no._tcp.nats.test",
            "_no._tcp.nats.test SRV",
            "a name in DNS",
            "no such name",
        ),
        (
            "dnssrv+http://nats.test",
            "nats.test SRV",
            "a record",
            "none",
        ),
        (
            "dns+http://_srv._tcp.nats.test:1",
            "_srv._tcp.nats.test A and AAAA",
            "an address",
            "none",
        ),
        (f"dns+http://{'a' * 64}.test:1", f"{'a' * 64}.test A", "an answer", "label"),
    ],
)
async def test_what_tells_nothing(
    url: str, where: str, expected: str, told: str, tmp_path: Path
) -> None:
    """No answer, no name and no address are errors, never an empty list."""
    records = (f"_srv._tcp.{NAME},{NAME},8222",)
    with pytest.raises(DiscoveryError) as failed:
        await found(url, tmp_path, "127.0.0.2", srv=records)

    assert failed.value.where == where
    assert failed.value.expected == expected
    assert told in failed.value.found


async def test_a_service_that_is_decidedly_not_there(tmp_path: Path) -> None:
    """A record whose target is a dot tells no host."""
    records = (f"_gone._tcp.{NAME}",)
    with pytest.raises(DiscoveryError, match="expected a record, found none"):
        await found(f"dnssrv+http://_gone._tcp.{NAME}", tmp_path, "::1", srv=records)


async def test_name_server_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lookup that gets no answer in time fails, and says so."""
    monkeypatch.setattr(names, "LOOKUP_SECONDS", 0.05)
    async with naming(tmp_path, NAME, "127.0.0.2") as server:
        lookup = NameLookup(f"dns+http://{NAME}:8222", server.resolver)
        server.pause()
        with pytest.raises(DiscoveryError, match=r"found none within 0\.05 s"):
            await lookup.find()


async def test_machine_without_name_servers() -> None:
    """Without resolv.conf nobody can be asked."""

    def refuse() -> Resolver:
        raise dns.resolver.NoResolverConfiguration

    with pytest.raises(DiscoveryError, match=r"expected name servers in resolv\.conf"):
        await NameLookup("dns+http://h:1", refuse).find()
