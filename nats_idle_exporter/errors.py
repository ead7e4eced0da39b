"""Errors by whose fault they are; every one says where, and what to do about it."""

from __future__ import annotations


class ExporterError(Exception):
    """Any failure that this program foresees."""


class ConfigError(ExporterError):
    """The operator's configuration cannot be used.

    Args:
        path: where, addressed like YAML: ``$.systems[0].endpoints``.
        expected: what would have been right.
        found: what was there; never a secret.
    """

    def __init__(self, path: str, *, expected: str, found: str) -> None:
        super().__init__(f"{path}: expected {expected}, found {found}")
        self.path = path
        self.expected = expected
        self.found = found


class EndpointError(ExporterError):
    """One poll of one endpoint failed; nothing of it may be used.

    Args:
        reason: one of :data:`nats_idle_exporter.monitoring.failures.REASONS`.
        detail: one line for the log, without credentials.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class StartError(ExporterError):
    """The program cannot start: a port in use, a missing program."""


class StateError(ExporterError):
    """The state cannot be read or written, for the reason it says."""


class HeldStateError(StateError):
    """Another process has the file open."""


class NewerStateError(StateError):
    """A later version of this program wrote the file."""


class BrokenStateError(StateError):
    """The file is no state of this program, or is one no more."""
