"""The operator's rules while we run, with a registry file that may change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from nats_idle_exporter.activity import Policy
from nats_idle_exporter.config import (
    AccountRule,
    Config,
    ConfiguredRules,
    UnusedRule,
    parse_registry_file,
)
from nats_idle_exporter.config.loading import read_text
from nats_idle_exporter.errors import ConfigError
from nats_idle_exporter.monitoring.clock import Clock
from nats_idle_exporter.removal import Registry
from nats_idle_exporter.text import one_line
from nats_idle_exporter.watched import WatchedFiles

_log = structlog.get_logger(__name__)


class LiveRules:
    """Rules of one configuration, in the sense of the proof; see ``Rules``.

    Its registry file is read here, blocking. Call ``refresh`` between cycles only:
    within one every account is judged by the same rules.

    Args:
        config: a loaded configuration.

    Attributes:
        look_seconds: how often to look at the file, as often as there are cycles.
        error: what is wrong with the registry file, on one line; "" for nothing. Then
            the rules are those of the last time when it was right.

    Raises:
        ConfigError: the registry file cannot be read or used.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.look_seconds = config.poll.interval_seconds
        self._told: set[UnusedRule] = set()
        self._files = WatchedFiles()
        self._rules = ConfiguredRules(config, self._read())
        self.error = ""

    @property
    def registry(self) -> Registry:
        """The registry by the rules as they are now."""
        return self._rules.registry

    @property
    def unused_rules(self) -> tuple[UnusedRule, ...]:
        """The rules that were no account's first match so far."""
        return self._rules.unused_rules

    def policy(self, account: str, name: str) -> Policy:
        """Return the policy of an account, by its id and its name."""
        return self._rules.policy(account, name)

    def excludes(self, account: str, name: str) -> bool:
        """Say whether the configuration excludes the account."""
        return self._rules.excludes(account, name)

    def refresh(self) -> bool:
        """Read the registry file again if it changed; return whether rules did.

        A file that cannot be used changes nothing: it is told in the log, once for
        each state of it, and in ``error``. Blocking; one look where nothing changed.
        """
        if not self._files.have_changed():
            return False
        self._files = WatchedFiles()
        try:
            rules = ConfiguredRules(self._config, self._read())
        except ConfigError as error:
            self.error = one_line(str(error))
            _log.error(
                "registry file not read: its last good rules stay in use",
                error=self.error,
            )
            return False
        self._rules, self.error = rules, ""
        _log.info("registry file read", file=self._config.registry_file)
        return True

    def tell_unused(self) -> None:
        """Warn of each rule that no account needs, once.

        As long as no account was asked for nothing is said.
        """
        if not self.registry.was_asked:
            return
        for rule in self.unused_rules:
            if rule not in self._told:
                self._told.add(rule)
                _log.warning(
                    "rule matches no account", rule=rule.where, match=rule.match
                )

    def _read(self) -> tuple[AccountRule, ...]:
        if (name := self._config.registry_file) is None:
            return ()
        try:
            text = read_text(lambda: self._files.read(Path(name)))
            return parse_registry_file(text, self._config.inactivity)
        except ConfigError as error:
            raise ConfigError(
                f"$.registry_file ({one_line(name)}): {error.path}",
                expected=error.expected,
                found=error.found,
            ) from error


class RulesFollower:
    """Looks at the registry file between cycles, again and again.

    Args:
        rules: of the configuration.
        between_cycles: who holds it may change what is judged by.
        tell: is called after each look.
    """

    def __init__(
        self,
        rules: LiveRules,
        between_cycles: asyncio.Lock,
        tell: Callable[[], None],
    ) -> None:
        self._rules = rules
        self._between_cycles = between_cycles
        self._tell = tell

    def follow(self, rules: LiveRules) -> None:
        """Look at the file of another configuration from now on."""
        self._rules = rules

    async def look(self) -> None:
        """Take the file in anew if it changed, and say what no account needs."""
        async with self._between_cycles:
            await asyncio.to_thread(self._rules.refresh)
            self._rules.tell_unused()
            self._tell()

    async def run(self, clock: Clock) -> None:
        """Look until cancelled."""
        while True:
            await clock.sleep_until(clock.monotonic() + self._rules.look_seconds)
            await self.look()
