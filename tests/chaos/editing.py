"""How the proxy changes what a body says, its HTTP left in order.

A fault names a factory: an edit may remember what it saw while the fault lasted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Edit = Callable[[str, bytes], bytes]
"""Path without query, the server's body -> the body that is sent."""
MakesEdit = Callable[[], Edit]
Changes = Callable[[dict[str, Any]], object]
DEPTH = 100_000
ROW = b'{"acc":"A%d","conns":0,"leafnodes":0,%s,%s}'
IDLE = (b'"sent":{"msgs":0,"bytes":0}', b'"received":{"msgs":0,"bytes":0}')


def unchanged() -> Edit:
    """Leave every body as it is."""
    return lambda _, body: body


def bodies(change: Callable[[bytes], bytes]) -> MakesEdit:
    """Change the bytes of a body; its JSON is written anew before, in one line."""
    return lambda: lambda _, body: change(json.dumps(json.loads(body)).encode())


def content(body: bytes) -> MakesEdit:
    """Send something else altogether."""
    return lambda: lambda _, __: body


def replaced(old: bytes, new: bytes) -> MakesEdit:
    """Replace text, which stands as ``json.dumps`` writes it."""
    return bodies(lambda body: body.replace(old, new))


def values(change: Changes) -> MakesEdit:
    """Change the decoded body in place."""

    def edit(_: str, body: bytes) -> bytes:
        decoded = json.loads(body)
        change(decoded)
        return json.dumps(decoded).encode()

    return lambda: edit


def fields(**changed: Any) -> MakesEdit:
    """Set top-level fields, wherever the edit is played."""
    return values(lambda body: body.update(changed))


def present(**changed: Any) -> MakesEdit:
    """Set top-level fields, but only of bodies that have them."""
    return values(lambda body: body.update(changed.items() & body.items()))


def more_accounts(*names: str) -> MakesEdit:
    """List further accounts, idle, beside the true ones."""

    def change(body: dict[str, Any]) -> None:
        share = {"msgs": 0, "bytes": 0}
        for name in names:
            idle = {"acc": name, "conns": 0, "leafnodes": 0}
            body["account_statz"].append({**idle, "sent": share, "received": share})

    return values(change)


def named(name: str) -> MakesEdit:
    """Give the first account a name."""
    return values(lambda body: body["account_statz"][0].update(name=name))


def million_accounts() -> Edit:
    """List a million accounts more."""
    # Once: no server takes a second for an answer.
    rows = b",".join(ROW % (number, *IDLE) for number in range(1_000_000))

    def edit(_: str, body: bytes) -> bytes:
        start = json.dumps(json.loads(body)).encode().rstrip(b"]}")
        return start + b"}}," + rows + b"]}"

    return edit


def without_account(account: str) -> MakesEdit:
    """Leave one account out."""

    def change(body: dict[str, Any]) -> None:
        rows = body["account_statz"]
        body["account_statz"] = [row for row in rows if row["acc"] != account]

    return values(change)


def doubled_account(body: dict[str, Any]) -> None:
    """List the first account twice."""
    body["account_statz"] += body["account_statz"][:1]


def dropped(*names: str) -> MakesEdit:
    """Leave top-level fields out."""
    return values(lambda body: [body.pop(name, None) for name in names])


def shifted(seconds: float) -> MakesEdit:
    """Move the server's clock; its other stamps keep their place."""

    def change(body: dict[str, Any]) -> None:
        moment = datetime.fromisoformat(body["now"])
        body["now"] = (moment + timedelta(seconds=seconds)).isoformat()

    return values(change)


def stopped(stamp: str) -> MakesEdit:
    """Give every closed connection one stamp."""
    return values(
        lambda body: [each.update(stop=stamp) for each in body["connections"]]
    )


def crowded_ring() -> Edit:
    """Fill every page of the ring with entries that were never seen before."""
    cids = iter(range(10**9, 10**12))

    def edit(_: str, body: bytes) -> bytes:
        connz = json.loads(body)
        closed = {"kind": "Client", "account": "NOBODY", "stop": connz["now"]}
        connz["total"] = 10**9
        connz["connections"] = [{"cid": next(cids), **closed} for _ in range(1024)]
        return json.dumps(connz).encode()

    return edit


def stale() -> Edit:
    """Repeat the first answer of each path, as a cache does."""
    kept: dict[str, bytes] = {}
    return kept.setdefault


def new_identity() -> Edit:
    """Give the server another ``server_id`` in every poll."""
    numbers = iter(range(10**6))
    now = ["N0"]

    def edit(path: str, body: bytes) -> bytes:
        if path == "/varz":
            now[0] = f"NCHAOS{next(numbers)}"
        return json.dumps({**json.loads(body), "server_id": now[0]}).encode()

    return edit


def many_identities() -> Edit:
    """Give the server another ``server_id`` in every body."""
    numbers = iter(range(10**6))

    def edit(_: str, body: bytes) -> bytes:
        server_id = f"NCHAOS{next(numbers)}"
        return json.dumps({**json.loads(body), "server_id": server_id}).encode()

    return edit
