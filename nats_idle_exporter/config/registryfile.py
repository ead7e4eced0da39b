"""The registry file: rules for accounts, apart from the rest of the configuration.

Who keeps it may be somebody else than who keeps the configuration, a pipeline for
instance, and it may change every day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nats_idle_exporter.config.checks import check_rules
from nats_idle_exporter.config.decoding import decode_rules
from nats_idle_exporter.config.scalars import describe
from nats_idle_exporter.config.yamltree import parse_yaml
from nats_idle_exporter.errors import ConfigError

if TYPE_CHECKING:
    from nats_idle_exporter.config.schema import AccountRule, Inactivity


def parse_registry_file(text: str, defaults: Inactivity) -> tuple[AccountRule, ...]:
    """Return the checked rules that YAML text lists.

    ``defaults`` hold for what a rule leaves open. An empty text is refused, a file
    that was cut off must not take every exemption and threshold away; ``[]`` is not.

    Raises:
        ConfigError: the text cannot be used.
    """
    tree = parse_yaml(text)
    if not isinstance(tree, list):
        raise ConfigError("$", expected="a list of rules", found=describe(tree))
    rules = decode_rules(tree)
    check_rules("$", rules, defaults)
    return rules
