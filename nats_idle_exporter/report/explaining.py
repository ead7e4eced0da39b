"""All that is known of one account, as text for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from nats_idle_exporter.api.facts import Facts
from nats_idle_exporter.api.model import AccountDetail
from nats_idle_exporter.removal.wayout import render_text as render_way
from nats_idle_exporter.removal.words import counted, size
from nats_idle_exporter.report.model import Explanation
from nats_idle_exporter.web import accountwords, words

_LONGEST = 2000


def render_explanation(explanation: Explanation) -> str:
    """Return the accounts one below the other."""
    parts = [_account(each) for each in explanation.accounts]
    notes = [f"- {_shown(note)}" for note in explanation.notes]
    by = f"By {_shown(explanation.source)}"
    return "\n".join(
        [by, *notes, "", "\n\n".join("\n".join(part) for part in parts), ""]
    )


def _account(detail: AccountDetail) -> Iterator[str]:
    account = detail.account
    name = _shown(account.account_name) or '""'
    yield f"{name} ({_shown(account.account)}), system {_shown(account.system)}"
    yield f"as of {words.moment(detail.as_of_at)}"
    yield ""
    yield f"Verdict: {account.verdict}. {accountwords.why(account)}"
    removable = accountwords.REMOVABLE[account.removability]
    yield f"Removal: {account.removability}, {removable}."
    yield from _owner(detail)
    if account.holdings is not None:
        yield f"Holds: {_holdings(detail)}"
    yield from _importers(detail.facts)
    yield from _checklist(detail)
    yield from _hints(detail)
    yield from _stage(detail)
    yield ""
    yield words.block(render_way(detail.way_out)).rstrip("\n")


def _shown(text: str) -> str:
    return words.visible(text, _LONGEST)


def _owner(detail: AccountDetail) -> Iterator[str]:
    account, registry = detail.account, detail.registry
    said = [account.owner or "nobody known", account.team, account.environment]
    said += [registry.contact, registry.purpose]
    yield f"Owner: {', '.join(_shown(each) for each in said if each)}"
    if (exemption := registry.exemption) is not None:
        until = words.moment(exemption.until_at)
        by, reason = _shown(exemption.by), _shown(exemption.reason)
        yield f"Exempt until {until} by {by}: {reason}"


def _holdings(detail: AccountDetail) -> str:
    holdings = detail.account.holdings
    if holdings is None:
        return "not known"
    memory = accountwords.amount(holdings.reserved_memory_bytes)
    storage = accountwords.amount(holdings.reserved_storage_bytes)
    return (
        f"{counted(holdings.streams, 'stream')},"
        f" {counted(holdings.consumers, 'consumer')},"
        f" {counted(holdings.messages, 'message')}, {size(holdings.bytes)};"
        f" reserved: memory {memory}, storage {storage}"
    )


def _importers(facts: Facts) -> Iterator[str]:
    for each in facts.importers:
        subjects = ", ".join(_shown(one.subject) for one in each.imports)
        name, verdict = _shown(each.name or each.account), each.verdict or "no verdict"
        yield f"Imported by {name} ({_shown(verdict)}): {subjects}"
    if facts.importers_unknown is None:
        yield "Imported by: not all accounts are known, so there may be more"


def _checklist(detail: AccountDetail) -> Iterator[str]:
    yield ""
    yield "Checklist; what is not known does not pass"
    for item in detail.checklist:
        yield f"  {item.outcome:<8} {accountwords.CHECKS[item.check]}"
        yield f"           {_shown(item.detail)} [{_shown(item.source)}]"
    yield "To be ticked off by a person; whoever approves answers for these"
    yield from (f"  [ ] {_shown(line)}" for line in detail.manual)


def _hints(detail: AccountDetail) -> Iterator[str]:
    if detail.hints:
        yield "Hints: guesses, and no reason for or against anything"
    for each in detail.hints:
        yield f"  {_shown(each.detail)}"


def _stage(detail: AccountDetail) -> Iterator[str]:
    stage = detail.stage
    if stage.disabled_at is not None:
        ends = stage.grace_ends_at
        grace = f"; its grace ends {words.moment(ends)}" if ends is not None else ""
        yield f"Disabled since {words.moment(stage.disabled_at)}{grace}"
    if stage.reactivations:
        at = stage.reactivated_at
        last = f", last {words.moment(at)}" if at is not None else ""
        by = f" ({_shown(stage.reactivated_by)})" if stage.reactivated_by else ""
        yield f"Came back into use {stage.reactivations:,} times{last}{by}"
