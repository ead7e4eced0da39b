"""The configuration's sources of accounts and endpoints -> those that read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from dns.asyncresolver import Resolver

from nats_idle_exporter.activity import Source
from nats_idle_exporter.config import (
    Claims,
    ClaimsTls,
    InventorySource,
    System,
    file_sources,
    parse_accounts_file,
)
from nats_idle_exporter.errors import StartError
from nats_idle_exporter.lookups import is_lookup
from nats_idle_exporter.monitoring.discovery import (
    DiscoveryReader,
    FileTargets,
    FindsEndpoints,
    NameLookup,
)
from nats_idle_exporter.monitoring.inventory import (
    FileSource,
    InventoryReader,
    ListsAccounts,
    SourceList,
)
from nats_idle_exporter.monitoring.inventory.accountsfile import AccountsFile
from nats_idle_exporter.monitoring.inventory.claims import ClaimsSource
from nats_idle_exporter.monitoring.inventory.jwtfiles import (
    JwtFiles,
    read_nsc_store,
    read_resolver_dir,
)
from nats_idle_exporter.monitoring.inventory.natsconfig import read_nats_config
from nats_idle_exporter.monitoring.inventory.tlsfiles import TlsFiles
from nats_idle_exporter.text import one_line

_FILES = ("resolver_dir", "nsc_store", "nats_config", "accounts_file")


def make_inventory_reader(
    system: System, environment: Mapping[str, str]
) -> InventoryReader:
    """Return what reads a system's inventory; nothing is read yet.

    Args:
        system: a system of a loaded configuration.
        environment: the variables that a nats-server's configuration may use.

    Raises:
        StartError: a source needs a package that is not installed.
    """
    labels = _labels(system.inventory)
    sources = [
        _source(label, source, environment)
        for label, source in zip(labels, system.inventory, strict=True)
    ]
    return InventoryReader(system.name, sources, system.refresh_interval_seconds)


def entries(system: System) -> tuple[str, ...]:
    """Return a system's endpoints, and a ``Source`` for each source of more.

    The endpoints are plain text, as it is saved.
    """
    sources = sources_of(system)
    fixed = (str(url) for url in system.endpoints if url not in sources)
    return (*fixed, *map(Source, sources))


def sources_of(system: System) -> tuple[str, ...]:
    """Return what the sources of a system's endpoints are called."""
    lookups = (str(url) for url in system.endpoints if is_lookup(url))
    return (*lookups, *file_sources(system))


def make_discovery_reader(
    system: System, make_resolver: Callable[[], Resolver]
) -> DiscoveryReader | None:
    """Return what looks a system's endpoints up; None when all are listed."""
    lookups = [
        NameLookup(str(url), make_resolver)
        for url in system.endpoints
        if is_lookup(url)
    ]
    files = [
        FileTargets(label, pattern)
        for label, pattern in zip(
            file_sources(system), system.file_sd_files, strict=True
        )
    ]
    sources: list[FindsEndpoints] = [*lookups, *files]
    if not sources:
        return None
    return DiscoveryReader(system.name, sources, system.refresh_interval_seconds)


def _labels(sources: Iterable[InventorySource]) -> list[str]:
    """Return what each source is called; equal names are numbered."""
    labels: list[str] = []
    for source in sources:
        name = label = one_line(_name(source))
        number = 1
        while label in labels:
            number += 1
            label = f"{name}#{number}"
        labels.append(label)
    return labels


def _name(source: InventorySource) -> str:
    if source.claims:
        return f"claims:{source.claims.url}"
    return next(f"{kind}:{path}" for kind in _FILES if (path := getattr(source, kind)))


def _source(
    label: str, source: InventorySource, environment: Mapping[str, str]
) -> ListsAccounts:
    if source.claims:
        return _claims(label, source.claims)
    readers: dict[str, Callable[[Path], SourceList]] = {
        "resolver_dir": partial(read_resolver_dir, files=JwtFiles()),
        "nsc_store": partial(read_nsc_store, files=JwtFiles()),
        "nats_config": partial(read_nats_config, environment=environment),
        "accounts_file": AccountsFile(parse_accounts_file).read,
    }
    kind = next(name for name in _FILES if getattr(source, name))
    return FileSource(label, partial(readers[kind], Path(getattr(source, kind))))


def _claims(label: str, claims: Claims) -> ListsAccounts:
    try:
        from nats_idle_exporter.monitoring.inventory.natsconnection import (  # noqa: PLC0415 - an extra
            ClaimsAccess,
            connect,
        )
    except ModuleNotFoundError as error:
        raise StartError(
            f"claims of an inventory need the package {error.name}:"
            " install nats-idle-exporter[nats]"
        ) from error
    access = ClaimsAccess(
        url=claims.url,
        credentials=_path(claims.creds_file),
        tls=_tls(claims.tls_config) if claims.tls_config else None,
    )
    return ClaimsSource(label, partial(connect, access))


def _tls(tls: ClaimsTls) -> TlsFiles:
    return TlsFiles(
        ca=_path(tls.ca_file),
        certificate=_path(tls.cert_file),
        key=_path(tls.key_file),
        server_name=tls.server_name,
        is_verified=not tls.is_unverified,
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
