"""What must hold between several keys, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from nats_idle_exporter.config.durations import format_duration
from nats_idle_exporter.config.inventory import check_inventory
from nats_idle_exporter.config.scalars import describe
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.lookups import place_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nats_idle_exporter.config.schema import AccountRule, Config, Inactivity, System


def settle(config: Config, tree: Mapping[str, Any]) -> Config:
    """Return the configuration with a timeout of at most the interval.

    ``tree`` is what the configuration was decoded from: only a tolerance that
    somebody wrote is held against the threshold; a default adapts to it.

    Raises:
        ConfigError: keys contradict each other.
    """
    _check_systems(config)
    for index, system in enumerate(config.systems):
        _check_endpoints(system, tree["systems"][index], f"$.systems[{index}]")
    if "gap_tolerance" in tree.get("inactivity", {}):
        _check_tolerance(
            "$.inactivity",
            config.inactivity.gap_tolerance_seconds,
            config.inactivity.threshold_seconds,
        )
    check_rules("$.accounts", config.accounts, config.inactivity)
    poll = config.poll
    timeout_seconds = min(poll.timeout_seconds, poll.interval_seconds)
    return replace(config, poll=replace(poll, timeout_seconds=timeout_seconds))


def _check_systems(config: Config) -> None:
    names = set()
    places = set()
    for index, system in enumerate(config.systems):
        if system.name in names:
            raise ConfigError(
                f"$.systems[{index}].name",
                expected="another name for each system",
                found=f"{describe(system.name)} again",
            )
        names.add(system.name)
        check_inventory(f"$.systems[{index}].inventory", system.inventory)
        for at, endpoint in enumerate(system.endpoints):
            place = place_key(endpoint)
            if place in places:
                raise ConfigError(
                    f"$.systems[{index}].endpoints[{at}]",
                    expected="each endpoint once",
                    found=f"{describe(endpoint)} again",
                )
            places.add(place)


def _check_endpoints(system: System, tree: Mapping[str, Any], path: str) -> None:
    for at, pattern in enumerate(system.file_sd_files):
        if pattern in system.file_sd_files[:at]:
            raise ConfigError(
                f"{path}.file_sd_files[{at}]",
                expected="each path once",
                found=f"{describe(pattern)} again",
            )
    if system.endpoints or system.file_sd_files:
        return
    if "endpoints" in tree:
        raise ConfigError(
            f"{path}.endpoints",
            expected="a list with at least 1 entry",
            found=describe(tree["endpoints"]),
        )
    raise ConfigError(f"{path}.endpoints", expected="a list of URLs", found="nothing")


def check_rules(path: str, rules: Sequence[AccountRule], defaults: Inactivity) -> None:
    """Refuse a rule whose tolerance is not below the threshold that holds for it.

    Raises:
        ConfigError: below ``path``.
    """
    for index, rule in enumerate(rules):
        if rule.gap_tolerance_seconds is not None:
            _check_tolerance(
                f"{path}[{index}]",
                rule.gap_tolerance_seconds,
                rule.threshold_seconds or defaults.threshold_seconds,
            )


def _check_tolerance(path: str, tolerance: float, threshold: float) -> None:
    if tolerance >= threshold:
        raise ConfigError(
            f"{path}.gap_tolerance",
            expected=f"less than the threshold of {format_duration(threshold)}",
            found=format_duration(tolerance),
        )
