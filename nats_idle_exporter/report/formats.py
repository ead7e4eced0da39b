"""The report as others take it: JSON, CSV for spreadsheets, Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable

import msgspec

from nats_idle_exporter.api.facts import Holdings
from nats_idle_exporter.api.model import Account
from nats_idle_exporter.removal.facts import UNLIMITED
from nats_idle_exporter.report.model import Report
from nats_idle_exporter.report.text import cells, remarks, summary
from nats_idle_exporter.web import words

_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)
"""What a spreadsheet takes a cell for, when it begins so; the last are full-width."""
_COLUMNS = (
    "system",
    "account",
    "account_name",
    "mode",
    "verdict",
    "observed",
    "reason",
    "idle_seconds",
    "threshold_seconds",
    "quiet_since",
    "last_activity",
    "last_evidence",
    "connections",
    "leafnodes",
    "inventory",
    "owner",
    "team",
    "environment",
    "streams",
    "consumers",
    "messages",
    "bytes",
    "reserved_memory_bytes",
    "reserved_storage_bytes",
    "importers",
    "importers_unknown",
    "disabled_since",
    "removability",
    "blockers",
)
_HELD = frozenset(Holdings.__struct_fields__) & frozenset(_COLUMNS)
_FIELDS = frozenset(Account.__struct_fields__) & frozenset(_COLUMNS)
_MARKUP = re.compile(
    r"[\\`*_{}\[\]<>#|~&@$]"  # emphasis, code, links, HTML, tables, mentions, formulas
    r"|:(?![\d\s]|$)"  # URLs and emoji, but neither times nor sentences
    r"|(?<=www)\.",
    re.IGNORECASE,
)


def render_json(document: msgspec.Struct) -> str:
    """Return a document as JSON in ASCII, so that no terminal obeys a name."""
    return json.dumps(msgspec.to_builtins(document), indent=2, allow_nan=False) + "\n"


def render_csv(report: Report) -> str:
    """Return the accounts as RFC 4180 has it, with a header.

    Times are in RFC 3339, amounts in seconds and bytes; an empty cell is not known.
    """
    text = io.StringIO(newline="")
    rows = [_record(account) for account in report.accounts]
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _safe(row[name]) for name in row} for row in rows)
    return text.getvalue()


def render_markdown(report: Report) -> str:
    """Return the report with a table in the form that GitHub has."""
    lines = ["# NATS accounts that nobody uses", ""]
    lines += [escaped(line) + "  " for line in summary(report)]
    lines += ["", *(f"- {escaped(words.visible(n, 1000))}" for n in remarks(report))]
    rows = [cells(account) for account in report.accounts]
    if rows:
        names = list(rows[0])
        lines += ["", _row(name.capitalize() for name in names)]
        lines.append(_row("---" for _ in names))
        lines += [_row(escaped(row[name]) for name in names) for row in rows]
    return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    r"""Return visible text of one line, for a cell or for behind other words.

    Markdown and HTML see nothing but text in it.

    >>> print(escaped("a|b <i>"))
    a\|b &lt;i&gt;
    """
    text = _MARKUP.sub(_escape, text)
    # Spaces at the ends of a cell are lost otherwise, and so is a name of spaces.
    return re.sub(r"^ +| +$", lambda found: "&#32;" * len(found[0]), text)


def _escape(found: re.Match[str]) -> str:
    # What passes on HTML may not know Markdown's escapes.
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(found[0], f"\\{found[0]}")


def _row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _record(account: Account) -> dict[str, str]:
    holdings, last = account.holdings, account.last_activity
    known = {name: getattr(account, name) for name in _FIELDS}
    values = known | {
        "observed": account.is_observed,
        "last_activity": last and _time(last.at),
        "last_evidence": last and last.kind,
        "quiet_since": _time(account.quiet_since_at),
        "disabled_since": _time(account.disabled_at),
        "blockers": " ".join(each.check for each in account.blockers),
    }
    for name in _HELD:
        values[name] = None if holdings is None else getattr(holdings, name)
        if values[name] == UNLIMITED:
            values[name] = "unlimited"
    return {name: _cell(values[name]) for name in _COLUMNS}


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _safe(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _time(at: float | None) -> str | None:
    return None if at is None else words.moment(at)[:19].replace(" ", "T") + "Z"
