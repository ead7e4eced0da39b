"""Where accounts are listed beside the servers: keys and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from nats_idle_exporter.config.scalars import Flag, NatsUrl, Text
from nats_idle_exporter.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


class ClaimsTls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to trust a nats-server, in the words of Prometheus."""

    ca_file: Text | None = None
    cert_file: Text | None = None
    key_file: Text | None = None
    server_name: Text | None = None
    is_unverified: Flag = field(default=False, name="insecure_skip_verify")


class Claims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to ask the servers' resolvers, as a user of the system account."""

    url: NatsUrl
    creds_file: Text | None = None
    tls_config: ClaimsTls | None = None


class InventorySource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source of accounts: exactly one of its keys is given."""

    resolver_dir: Text | None = None
    nsc_store: Text | None = None
    nats_config: Text | None = None
    accounts_file: Text | None = None
    claims: Claims | None = None


def check_inventory(path: str, sources: Sequence[InventorySource]) -> None:
    """Refuse sources that are none, several in one, or given twice.

    Raises:
        ConfigError: below ``path``.
    """
    seen: list[dict[str, Any]] = []
    for index, source in enumerate(sources):
        where = f"{path}[{index}]"
        given = {
            name: value
            for name, value in msgspec.structs.asdict(source).items()
            if value is not None
        }
        if len(given) != 1:
            known = ", ".join(source.__struct_fields__)
            raise ConfigError(
                where,
                expected=f"exactly one of the keys {known}",
                found=" and ".join(given) or "none of them",
            )
        if given in seen:
            raise ConfigError(
                f"{where}.{next(iter(given))}",
                expected="each source once",
                found="the same again",
            )
        seen.append(given)
        if source.claims and source.claims.tls_config:
            _check_tls(f"{where}.claims.tls_config", source.claims.tls_config)


def _check_tls(path: str, tls: ClaimsTls) -> None:
    if tls.key_file and not tls.cert_file:
        raise ConfigError(
            f"{path}.cert_file", expected="the certificate of key_file", found="nothing"
        )
