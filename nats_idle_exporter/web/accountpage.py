"""The page of one account: what the API tells of it -> HTML."""

from __future__ import annotations

from nats_idle_exporter.api.model import AccountDetail
from nats_idle_exporter.web import accountwords, words
from nats_idle_exporter.web.templating import render


def render_account(detail: AccountDetail, prefix: str = "") -> str:
    """Return the page of an account; the prefix stands before every path.

    Takes milliseconds when many import from it: call in a thread.
    """
    account = detail.account
    kind = account.last_activity.kind if account.last_activity else None
    return render(
        "account.html.j2",
        prefix=prefix,
        detail=detail,
        account=account,
        why=accountwords.why(account),
        evidence=words.EVIDENCE[kind] if kind else "",
        inventory=words.INVENTORY[account.inventory],
        removable=accountwords.REMOVABLE[account.removability],
        said=accountwords,
    )
