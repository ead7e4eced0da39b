"""The way out as data: phases, steps, and the commands that a person runs.

Nothing in here is ever run by this program. Every text is printable: strangers'
words are escaped or quoted where a step is made. Only a snippet has more than one
line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nats_idle_exporter.removal.dossier import Check


class Phase(StrEnum):
    """The phases, in their order."""

    DISABLE = "disable"
    """Nobody may connect any more; all can be undone."""
    WAIT = "wait"
    """Somebody who needs the account has time to say so."""
    DELETE = "delete"
    """The account goes; nothing can be undone without the backup."""


class Source(StrEnum):
    """What a command's form stands on."""

    RUN = "run on nats-server 2.10.25 and 2.15.1"
    NATS = "from the documentation of the nats CLI, not run here"
    NSC = "from the documentation of nsc 2.9.0, not run here"


class Resolver(StrEnum):
    """Where servers of operator mode look up JWTs."""

    UNKNOWN = ""
    FULL = "full"
    MEMORY = "memory"
    URL = "url"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One line for a POSIX shell.

    Words in capitals stand for what this program does not know: ``PID``,
    ``SYSTEM_CONTEXT``, ... Run as it is, such a line fails and changes no server.

    Args:
        text: the line.
        purpose: what it is for, in one line.
        source: what its form stands on.
    """

    text: str
    purpose: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """A piece of a nats-server configuration, of one or more lines."""

    text: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Args:
        phase: the phase it belongs to.
        title: what is done, in a few words.
        notes: what else there is to do or to know, in sentences.
        warnings: what can go wrong, in sentences.
        snippets: what to put into the configuration, before the commands are run.
        commands: what to run, in this order.
        checks: what to run to see that it worked, and what that shows.
        undo_snippets: what to put into the configuration to take the step back.
        undo: what to run to take the step back; none where that is impossible.
    """

    phase: Phase
    title: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    snippets: tuple[Snippet, ...] = ()
    commands: tuple[Command, ...] = ()
    checks: tuple[Command, ...] = ()
    undo_snippets: tuple[Snippet, ...] = ()
    undo: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """How one account is removed: printed, never done.

    Args:
        account: its id, escaped and cut to be shown.
        name: its name, escaped and cut to be shown.
        is_operator_mode: whether accounts are JWTs here.
        next_phase: the phase to be done next, by what is known now.
        blockers: the items of the checklist that speak against the next phase now.
        warnings: what holds for the whole way, the blockers in words first.
        steps: all of them, in their order; none for an account that the system needs.
    """

    account: str
    name: str
    is_operator_mode: bool
    next_phase: Phase
    blockers: tuple[Check, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of the system around the account.

    Args:
        monitoring_urls: of its servers, without credentials.
        resolver: of operator mode.
    """

    monitoring_urls: tuple[str, ...] = ()
    resolver: Resolver = Resolver.UNKNOWN


NOWHERE = Place()
