"""What both modes say alike: who is asked, and how a command comes to be."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from nats_idle_exporter.removal.dossier import Dossier
from nats_idle_exporter.removal.facts import AccountFacts, Holdings
from nats_idle_exporter.removal.wayout.quoting import objection, shell_line, url_part
from nats_idle_exporter.removal.wayout.steps import Command, Place, Source

RELOAD_WORDS = ("nats-server", "--signal", "reload=PID")


class Task(NamedTuple):
    """One account that is to go: what is known of it, where, and now."""

    dossier: Dossier
    place: Place
    now_at: float

    @property
    def facts(self) -> AccountFacts:
        """Return what is known of the account."""
        return self.dossier.facts

    @property
    def holds_nothing(self) -> bool:
        """Return whether it is known to have no stream."""
        return self.facts.holdings is not None and self.facts.holdings.streams == 0

    @property
    def reserves(self) -> bool:
        """Return whether memory or storage is known to be set aside for it."""
        held = self.facts.holdings or Holdings(as_of_at=self.now_at)
        return held.reserved_memory_bytes > 0 or held.reserved_storage_bytes > 0


def said(words: tuple[str, ...], purpose: str, source: Source) -> tuple[Command, ...]:
    """Return the command of these words; none when a word cannot be printed."""
    if any(map(objection, words)):
        return ()
    return (Command(text=shell_line(*words), purpose=purpose, source=source),)


def asked(place: Place, path: str, purpose: str) -> Command:
    """Return how every server is asked for a monitoring path, shown with its status.

    Args:
        place: whose servers.
        path: with its query, escaped as :func:`url_part` does.
        purpose: what the answers show.
    """
    urls = [
        url.rstrip("/")
        for url in place.monitoring_urls
        if url.isprintable() and not objection(url)
    ] or ["MONITORING_URL"]
    curl = "curl -gsS -w ' %{http_code}\\n'"
    if len(urls) == 1:
        text = f"{curl} {shlex.quote(urls[0] + path)}"
    else:
        every = " ".join(map(shlex.quote, urls))
        text = f'for url in {every}; do {curl} "$url"{shlex.quote(path)}; done'
    return Command(text=text, purpose=purpose, source=Source.RUN)


def health(task: Task, purpose: str) -> Command:
    """Return how every server is asked whether it is well."""
    return asked(task.place, "/healthz", purpose)


def asked_for(task: Task, path: str, purpose: str) -> tuple[Command, ...]:
    """Return how servers are asked about the account; none when it cannot be said.

    Args:
        task: whose account.
        path: ends where the account's id belongs.
        purpose: what the answers show.
    """
    account = task.facts.account
    if objection(account):
        return ()
    return (asked(task.place, path + url_part(account), purpose),)


def nats(context: str, *words: str, purpose: str) -> tuple[Command, ...]:
    """Return a command of the nats CLI in a context, a placeholder."""
    return said(("nats", f"--context={context}", *words), purpose, Source.NATS)


def nsc(*words: str, purpose: str) -> tuple[Command, ...]:
    """Return a command of nsc."""
    return said(("nsc", *words), purpose, Source.NSC)


def reloads(purpose: str = "on every server, with its process id") -> Command:
    """Return how a server is told to read its configuration again."""
    text = shell_line(*RELOAD_WORDS)
    return Command(text=text, purpose=purpose, source=Source.RUN)


def tested() -> Command:
    """Return how a configuration is tried before a server reads it."""
    text = shell_line("nats-server", "-t", "-c", "CONFIG_FILE")
    purpose = "tries the changed file; nothing is served"
    return Command(text=text, purpose=purpose, source=Source.RUN)
