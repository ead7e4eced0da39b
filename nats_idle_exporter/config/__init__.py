"""Configuration: a strict YAML file, and the flags that outrank it."""

from nats_idle_exporter.config.accountsfile import parse_accounts_file
from nats_idle_exporter.config.durations import format_duration, parse_duration
from nats_idle_exporter.config.inventory import Claims, ClaimsTls, InventorySource
from nats_idle_exporter.config.loading import (
    DEFAULT_ENDPOINT,
    config_without_file,
    load_config,
    parse_config,
)
from nats_idle_exporter.config.overrides import Overrides, UsageError
from nats_idle_exporter.config.registryfile import parse_registry_file
from nats_idle_exporter.config.rules import ConfiguredRules, UnusedRule
from nats_idle_exporter.config.schema import (
    AccountRule,
    Config,
    Decommissioned,
    Exempt,
    Inactivity,
    Poll,
    State,
    System,
    file_sources,
)
from nats_idle_exporter.config.web import WebOptions

__all__ = [
    "DEFAULT_ENDPOINT",
    "AccountRule",
    "Claims",
    "ClaimsTls",
    "Config",
    "ConfiguredRules",
    "Decommissioned",
    "Exempt",
    "Inactivity",
    "InventorySource",
    "Overrides",
    "Poll",
    "State",
    "System",
    "UnusedRule",
    "UsageError",
    "WebOptions",
    "config_without_file",
    "file_sources",
    "format_duration",
    "load_config",
    "parse_accounts_file",
    "parse_config",
    "parse_duration",
    "parse_registry_file",
]
