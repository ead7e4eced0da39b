"""To which accounts nobody may log in: each server lets clients in by a JWT of its own.

A server's copy may be older than another's: a resolver in memory is told by its file,
one by a URL asks anew when it likes. So an account is shut when every server that has
it loaded says so; whom one of them told of, the others are asked about, too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nats_idle_exporter.monitoring.inquiry.answers import Answer

Loaded = Mapping[str, Collection[str]]
"""Who is loaded, by ``server_id``."""


class Doors:
    """Which servers told of which accounts that they let nobody in."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, float]] = {}
        """By account id and ``server_id``: when it was asked."""

    def hear(self, answer: Answer, fast: float, server_id: str) -> None:
        """Take in what a server told; ``fast`` is when it was asked."""
        if answer.is_shut:
            self._told.setdefault(answer.account, {})[server_id] = fast
        elif told := self._told.get(answer.account):
            told.pop(server_id, None)

    def shut(self, loaded: Loaded) -> dict[str, float]:
        """Return to whom all servers let nobody in, and since when that was not asked.

        Args:
            loaded: who is loaded where.
        """
        self._forget(loaded)
        return {
            account: min(told.values())
            for account, told in self._told.items()
            if all(
                server_id in told
                for server_id, accounts in loaded.items()
                if account in accounts
            )
        }

    def due(self, loaded: Loaded) -> list[tuple[str, str]]:
        """Return which server to ask about whom, who was not asked longest first."""
        due = [
            (told.get(server_id, 0.0), server_id, account)
            for account, told in self._told.items()
            for server_id, accounts in loaded.items()
            if account in accounts
        ]
        return [(server_id, account) for _, server_id, account in sorted(due)]

    def _forget(self, loaded: Loaded) -> None:
        for account, told in list(self._told.items()):
            for server_id in list(told):
                if account not in loaded.get(server_id, ()):
                    del told[server_id]
            if not told:
                del self._told[account]
