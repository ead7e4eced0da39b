"""What would break or be lost: streams, reservations, importers, copies."""

from __future__ import annotations

from nats_idle_exporter.removal.case import Case
from nats_idle_exporter.removal.checks.saying import (
    Finding,
    accounts,
    doubts,
    fails,
    is_outdated,
    outdated,
    passes,
)
from nats_idle_exporter.removal.checks.use import ACTIVE
from nats_idle_exporter.removal.facts import (
    UNLIMITED,
    Copy,
    Holdings,
    Importer,
    Told,
)
from nats_idle_exporter.removal.words import counted, listed, quoted, size

_UNTOLD = "not every server told all of its JetStream"
_TOLD = {
    Told.SERVERS: "",
    Told.INVENTORY: ", told by the inventory only",
    Told.BOTH: "",
}


def check_streams(case: Case, now_at: float) -> Finding:
    """Judge what JetStream keeps for the account."""
    holdings = case.facts.holdings
    if holdings is None:
        return doubts(_UNTOLD)
    if number := holdings.streams or holdings.consumers:
        return fails(number, lambda: _kept(holdings))
    if is_outdated(holdings.as_of_at, now_at):
        return outdated(holdings.as_of_at, now_at)
    return passes("no streams and no consumers")


def check_reserved(case: Case, now_at: float) -> Finding:
    """Judge what is set aside; of an unlimited account nothing is."""
    holdings = case.facts.holdings
    if holdings is None:
        return doubts(_UNTOLD)
    memory, storage = holdings.reserved_memory_bytes, holdings.reserved_storage_bytes
    if number := (memory > 0) + (storage > 0):
        return fails(number, lambda: _reserved(holdings))
    if is_outdated(holdings.as_of_at, now_at):
        return outdated(holdings.as_of_at, now_at)
    return passes(lambda: f"nothing set aside; {_reserved(holdings)}")


def check_importers(case: Case, now_at: float) -> Finding:
    """Judge who imports from it; whose imports nobody told may be one of them."""
    facts = case.facts
    importers, unknown = facts.importers, facts.importers_unknown
    if importers:
        return fails(len(importers), lambda: _importing(importers, unknown))
    if unknown is None:
        return doubts("none known, but not all accounts are known either")
    if unknown:
        return doubts(lambda: _untold(unknown), unknown)
    if is_outdated(facts.told_at, now_at):
        return outdated(facts.told_at, now_at)
    return passes("no account imports from it")


def check_copies(case: Case, now_at: float) -> Finding:
    """Judge which streams of other accounts live on this one's."""
    facts, copies = case.facts, case.facts.copies
    if copies:
        return fails(len(copies), lambda: listed([_copying(each) for each in copies]))
    if not facts.are_copies_known:
        return doubts("none known, but not all streams elsewhere are known")
    if is_outdated(facts.told_at, now_at):
        return outdated(facts.told_at, now_at)
    return passes("no stream elsewhere mirrors or sources from it")


def _untold(unknown: int) -> str:
    return f"none known, but nobody told the imports of {accounts(unknown)}"


def _reserved(holdings: Holdings) -> str:
    memory = _amount(holdings.reserved_memory_bytes)
    return f"memory: {memory}, storage: {_amount(holdings.reserved_storage_bytes)}"


def _kept(holdings: Holdings) -> str:
    names = listed([quoted(name) for name in holdings.names])
    return (
        f"{counted(holdings.streams, 'stream')}{f' ({names})' if names else ''}, "
        f"{counted(holdings.consumers, 'consumer')}, "
        f"{counted(holdings.messages, 'message')}, {size(holdings.bytes)}"
    )


def _amount(reserved: int) -> str:
    return "unlimited" if reserved == UNLIMITED else size(max(reserved, 0))


def _importing(importers: tuple[Importer, ...], unknown: int | None) -> str:
    active = sum(each.verdict == ACTIVE for each in importers)
    words = listed([_importer(each) for each in importers])
    rest = "" if unknown == 0 else "; there may be more"
    return f"{accounts(len(importers))}, {active:,} of them active: {words}{rest}"


def _importer(importer: Importer) -> str:
    subjects = listed([quoted(each.subject) for each in importer.imports])
    said = importer.verdict or "no verdict"
    name = quoted(importer.name or importer.account)
    return f"{name} ({said}; {subjects}{_TOLD[importer.told]})"


def _copying(copy: Copy) -> str:
    verb = "mirrors" if copy.is_mirror else "sources"
    return f"{quoted(copy.stream)} of {quoted(copy.name or copy.account)} {verb} it"
