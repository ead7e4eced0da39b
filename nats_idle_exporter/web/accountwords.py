"""One account, as the API tells it -> words for people."""

from __future__ import annotations

from nats_idle_exporter.activity import Reason, Verdict
from nats_idle_exporter.api.model import Account
from nats_idle_exporter.removal.dossier import Check, Removability
from nats_idle_exporter.removal.facts import UNLIMITED, Role, Told
from nats_idle_exporter.removal.words import size
from nats_idle_exporter.web import words

CHECKS = {
    Check.CONNECTIONS: "Nobody is connected",
    Check.USE: "No use within its threshold",
    Check.WATCHED: "Watched long enough, up to now",
    Check.STREAMS: "No streams, no consumers",
    Check.RESERVED: "Nothing set aside for it",
    Check.IMPORTERS: "Nobody imports from it",
    Check.COPIES: "No stream elsewhere mirrors or sources from it",
    Check.ROLE: "The system itself does not need it",
    Check.CREDENTIALS: "Nobody can log in any more",
    Check.APPROVAL: "Its owner approved",
    Check.EXEMPTION: "No exemption holds",
}
"""What holds when an item of the checklist passes."""

ROLES = {
    Role.SYSTEM: "the system account",
    Role.GLOBAL: "the global account",
    Role.DEFAULT: "the account of clients without credentials",
    Role.LEAF_REMOTE: "the account of a server's own leafnode link",
    Role.AUTH_CALLOUT: "the account that answers for logins of others",
}

TOLD = {
    Told.SERVERS: "servers",
    Told.INVENTORY: "inventory only",
    Told.BOTH: "servers and inventory",
}

REMOVABLE = {
    Removability.SAFE: "every check passes",
    Removability.BLOCKED: "something speaks against it",
    Removability.UNKNOWN: "not known, so not safe",
}


def why(account: Account) -> str:
    """Return why an account is called what it is called, in a sentence or two."""
    threshold = words.duration(account.threshold_seconds)
    if account.verdict is Verdict.ACTIVE:
        return f"{_last_use(account)} Its threshold is {threshold}, so it is in use."
    if account.verdict is Verdict.INACTIVE and account.is_observed:
        return (
            f"Nobody used it for {words.duration(account.idle_seconds)}"
            f"{_since(account)}: every server was watched, and its threshold is"
            f" {threshold}."
            f" {_last_use(account)}"
        )
    meaning = words.meaning(account)
    return (
        f"{meaning[:1].upper()}{meaning[1:]}. {_proven(account)} {_last_use(account)}"
    )


def _last_use(account: Account) -> str:
    last = account.last_activity
    if last is None:
        return "No use of it was ever seen."
    what = words.EVIDENCE[last.kind]
    return f"Its last use was seen {words.moment(last.at)}: {what}."


def _since(account: Account) -> str:
    since = account.quiet_since_at
    return "" if since is None else f", since {words.moment(since)}"


def _proven(account: Account) -> str:
    idle, threshold = account.idle_seconds, account.threshold_seconds
    if account.reason is Reason.WATCHED_TOO_SHORT and idle < threshold:
        left = words.duration(threshold - idle)
        more = f" {left} more without use, and it will be."
    else:
        more = ""
    proven = words.duration(idle)
    return f"Proven idle for {proven} of {words.duration(threshold)}.{more}"


def amount(reserved: int) -> str:
    """Return how much is set aside; where there is no limit nothing is."""
    return "unlimited" if reserved == UNLIMITED else size(max(reserved, 0))
