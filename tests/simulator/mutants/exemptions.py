"""Wrong hearts that do not keep to exemptions."""

from __future__ import annotations

from collections.abc import Iterable

from nats_idle_exporter.activity import Cadence, Policy, Rules
from tests.simulator.mutants.wrapper import Wrapper
from tests.simulator.servers import NEVER


class _Hardened:
    """Rules that take every exemption for none."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def policy(self, account: str, name: str) -> Policy:
        """Return what the rules say, but for the exemption."""
        said = self._rules.policy(account, name)
        return said._replace(exempt_until_at=NEVER)

    def excludes(self, account: str, name: str) -> bool:
        """Say what the rules say."""
        return self._rules.excludes(account, name)


class _Endless(_Hardened):
    """Rules that take every exemption for one without an end."""

    def policy(self, account: str, name: str) -> Policy:
        """Return what the rules say, but for the end."""
        said = self._rules.policy(account, name)
        is_exempt = said.exempt_until_at > NEVER
        return said._replace(exempt_until_at=float("inf") if is_exempt else NEVER)


class RaisesTheExempt(Wrapper):
    """Judge exempt accounts like all others."""

    rules: type[_Hardened] = _Hardened

    def __init__(
        self, endpoints: Iterable[str], rules: Rules, cadence: Cadence
    ) -> None:
        super().__init__(endpoints, self.rules(rules), cadence)


class ExemptsForEver(RaisesTheExempt):
    """Never see the end of an exemption."""

    rules = _Endless
