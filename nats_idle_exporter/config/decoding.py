"""Plain values -> :class:`Config`: what each mapping of the document is."""

from __future__ import annotations

from typing import Any

import msgspec

from nats_idle_exporter.activity.policy import BriefConnections
from nats_idle_exporter.config.converting import Shape, decode, keys_of
from nats_idle_exporter.config.endpoints import read_config_value
from nats_idle_exporter.config.inventory import Claims, ClaimsTls, InventorySource
from nats_idle_exporter.config.scalars import MOMENT_EXPECTED
from nats_idle_exporter.config.schema import (
    AccountRule,
    Config,
    Decommissioned,
    Exempt,
    Inactivity,
    Poll,
    State,
    System,
)

__all__ = ["decode_config", "keys_of"]

_STRUCTS: dict[str, type[msgspec.Struct]] = {
    "$": Config,
    "$.systems": System,
    "$.systems.inventory": InventorySource,
    "$.systems.inventory.claims": Claims,
    "$.systems.inventory.claims.tls_config": ClaimsTls,
    "$.poll": Poll,
    "$.inactivity": Inactivity,
    "$.accounts": AccountRule,
    "$.accounts.exempt": Exempt,
    "$.accounts.decommission": Decommissioned,
    "$.state": State,
}
_REQUIRED = {
    "systems": "a list of systems",
    "url": "a URL like nats://host:4222",
    "match": "a glob on account ids and names",
    "until": MOMENT_EXPECTED,
    "reason": "why it is exempt",
    "by": "who says that it is exempt",
}
_CHOICES = {"$.inactivity.brief_connections": " or ".join(BriefConnections)}
_RULES = Shape(
    {
        "$": AccountRule,
        "$.exempt": Exempt,
        "$.decommission": Decommissioned,
    },
    _REQUIRED,
    {},
)
_CONFIG = Shape(_STRUCTS, _REQUIRED, _CHOICES)


def decode_config(tree: Any) -> Config:
    """Return the configuration that the values of one document make.

    Raises:
        ConfigError: a key or a value is wrong; the first one found is told.
    """
    return decode(tree, Config, _CONFIG, read_config_value)


def decode_rules(tree: list[Any]) -> tuple[AccountRule, ...]:
    """Return the rules that the values of a registry file make.

    Raises:
        ConfigError: a key or a value is wrong; the first one found is told.
    """
    return decode(tree, tuple[AccountRule, ...], _RULES)
