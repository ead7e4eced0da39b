"""Plain values -> :class:`Config`: what each mapping of the document is."""

from __future__ import annotations

from typing import Any

import msgspec

from nats_idle_exporter.activity.policy import BriefConnections
from nats_idle_exporter.config.converting import Shape, decode, keys_of
from nats_idle_exporter.config.endpoints import read_config_value
from nats_idle_exporter.config.inventory import Claims, ClaimsTls, InventorySource
from nats_idle_exporter.config.schema import (
    AccountRule,
    Config,
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
    "$.state": State,
}
_REQUIRED = {
    "systems": "a list of systems",
    "url": "a URL like nats://host:4222",
    "match": "a glob on account ids and names",
}
_CHOICES = {"$.inactivity.brief_connections": " or ".join(BriefConnections)}
_CONFIG = Shape(_STRUCTS, _REQUIRED, _CHOICES)


def decode_config(tree: Any) -> Config:
    """Return the configuration that the values of one document make.

    Raises:
        ConfigError: a key or a value is wrong; the first one found is told.
    """
    return decode(tree, Config, _CONFIG, read_config_value)
