"""What the operator knows of accounts: owners and rules; pure code, no I/O."""

from nats_idle_exporter.removal.registry import Entry, Registry, Rule

__all__ = ["Entry", "Registry", "Rule"]
