"""The report as aligned text, for people at a terminal; every character is shown."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence

from nats_idle_exporter.activity import Verdict
from nats_idle_exporter.api.model import Account
from nats_idle_exporter.removal.dossier import Removability
from nats_idle_exporter.removal.words import counted, size
from nats_idle_exporter.report.making import frees
from nats_idle_exporter.report.model import Report
from nats_idle_exporter.web import words
from nats_idle_exporter.web.accountwords import amount

NOT_KNOWN = "?"
_LONGEST_NAME = 40
_WIDE = frozenset("WF")
_RIGHT = frozenset({"IDLE", "THRESHOLD", "STREAMS", "STORED", "RESERVED", "IMPORTERS"})


def render_text(report: Report) -> str:
    """Return the report in lines, a table of the accounts last."""
    lines = [*summary(report), ""]
    lines += [f"- {words.visible(note, 1000)}" for note in remarks(report)]
    if report.accounts:
        lines += ["", *_aligned([cells(each) for each in report.accounts])]
    return "\n".join([*lines, ""])


def remarks(report: Report) -> list[str]:
    """Return the notes, and what the marks in the table mean."""
    notes = list(report.notes)
    if not all(account.is_observed for account in report.accounts):
        notes.append("* is not backed by watching up to now.")
    return notes


def summary(report: Report) -> list[str]:
    """Return what the report comes to, in a few lines."""
    verdicts = Counter(account.verdict for account in report.accounts)
    counts = [f"{verdicts[each]:,} {each}" for each in Verdict if verdicts[each]]
    safe = [a for a in report.accounts if a.removability is Removability.SAFE]
    inactive = [a for a in report.accounts if a.verdict is Verdict.INACTIVE]
    held = size(sum(map(frees, inactive)))
    untold = sum(account.holdings is None for account in inactive)
    total = counted(len(report.accounts), "account")
    source = words.visible(report.source)
    return [
        f"{total}: {', '.join(counts)}" if counts else total,
        (
            f"{len(safe):,} safe to remove; inactive ones hold or reserve {held}"
            + (f" (not known of {untold:,})" if untold else "")
        ),
        f"By {source}, as of {words.moment(report.as_of_at)}",
    ]


def cells(account: Account) -> dict[str, str]:
    """Return what a row of a table says of an account, by its column.

    The words of strangers in it are visible, and not escaped for any format.
    """
    holdings, last = account.holdings, account.last_activity
    return {
        "SYSTEM": words.visible(account.system, _LONGEST_NAME),
        "ACCOUNT": words.visible(account.account_name, _LONGEST_NAME) or '""',
        "VERDICT": account.verdict if account.is_observed else f"{account.verdict}*",
        "IDLE": words.duration(account.idle_seconds),
        "THRESHOLD": words.duration(account.threshold_seconds),
        "LAST USE SEEN": words.moment(last.at)[:16] if last else "never",
        "OWNER": words.visible(account.owner, _LONGEST_NAME) or "-",
        "STREAMS": f"{holdings.streams:,}" if holdings else NOT_KNOWN,
        "STORED": size(holdings.bytes) if holdings else NOT_KNOWN,
        "RESERVED": _reserved(account),
        "IMPORTERS": _importers(account),
        "REMOVABLE": account.removability,
        "BLOCKED BY": _blockers(account),
        "ID": _id(account),
    }


def _blockers(account: Account) -> str:
    if account.removability is Removability.SAFE:
        return "-"
    # Without a single check nothing was examined.
    return ", ".join(each.check for each in account.blockers) or NOT_KNOWN


def _id(account: Account) -> str:
    if account.account == account.account_name:
        return ""
    return words.visible(account.account) or '""'


def _reserved(account: Account) -> str:
    holdings = account.holdings
    if holdings is None:
        return NOT_KNOWN
    memory, storage = holdings.reserved_memory_bytes, holdings.reserved_storage_bytes
    if memory < 0 and storage < 0:
        return amount(storage)
    return size(sum(max(each, 0) for each in (memory, storage)))


def _importers(account: Account) -> str:
    """Return how many are known; a plus or a question mark says that more may be."""
    count = f"{account.importers:,}" if account.importers else ""
    if account.importers_unknown is None:
        return f"{count}+" if count else NOT_KNOWN
    if account.importers_unknown:
        return f"{count or 0}+"
    return count or "0"


def _aligned(rows: Sequence[dict[str, str]]) -> Iterator[str]:
    columns = [name for name in rows[0] if name != "ID" or any(r["ID"] for r in rows)]
    table = [columns, *([row[name] for name in columns] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    for row in table:
        parts = zip(columns, row, widths, strict=True)
        yield "  ".join(_padded(*part) for part in parts).rstrip()


def _padded(column: str, cell: str, width: int) -> str:
    padding = " " * (width - _width(cell))
    return padding + cell if column in _RIGHT else cell + padding


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Mn":
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1
