"""What two who may know an account say of it: a server, and the inventory.

Of what only describes, the newer JWT holds. Who may log in is another matter: servers
may not have heard of a newer one, nor whoever lists accounts. There both have to agree
before anything is taken for shut.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from nats_idle_exporter.activity import Reserved
from nats_idle_exporter.monitoring.inquiry.answers import Answer
from nats_idle_exporter.monitoring.inventory import InventoryAccount
from nats_idle_exporter.removal.facts import UNLIMITED, Import, Jwt, Limits


class Standing(NamedTuple):
    """One account by all who told of it; None where nobody did.

    ``is_claimed`` says that somebody told its JWT. ``answers_logins`` is whether it is
    asked about logins of others, by any of its JWTs.
    """

    is_claimed: bool = False
    exports: int | None = None
    imports: tuple[Import, ...] | None = None
    limits: Limits | None = None
    is_expired: bool | None = None
    jwt: Jwt | None = None
    tiers: Reserved | None = None
    answers_logins: bool = False
    is_system: bool = False


UNTOLD: Final = Standing()
"""Of whom nobody told anything."""


def standing_of(
    answer: Answer | None, listed: InventoryAccount | None, now_at: float
) -> Standing:
    """Return what follows from what a server and the inventory told.

    Args:
        answer: of a server that had it loaded.
        listed: what the inventory lists.
        now_at: Unix seconds.
    """
    if answer is None and listed is None:
        return UNTOLD
    by_server = answer.claimed if answer else None
    told = (by_server, *(listed.copies if listed else ()))
    copies = [each for each in told if each and each.limits is not None]
    newest = max(copies, key=_issued_at, default=None)
    exports, imports = _outside(answer, by_server, newest)
    return Standing(
        is_claimed=bool(copies),
        exports=exports,
        imports=imports,
        limits=_limits(copies),
        is_expired=_is_expired(answer, copies, now_at),
        jwt=_jwt(newest, copies, answer) if newest else None,
        tiers=newest.tiers if newest else None,
        answers_logins=any(each.answers_logins for each in copies),
        is_system=bool(answer and answer.is_system),
    )


def _outside(
    answer: Answer | None,
    by_server: InventoryAccount | None,
    newest: InventoryAccount | None,
) -> tuple[int | None, tuple[Import, ...] | None]:
    """Return how many exports it has, and its imports, by the newer of the two."""
    if newest and newest is not by_server and _is_newer(newest, answer):
        told = newest.imports
        imports = None if told is None else tuple(Import(*each) for each in told)
        return newest.exports, imports
    if answer is None:
        return None, None
    live = answer.imports
    return answer.exports, None if live is None else tuple(i.plain for i in live)


def _issued_at(account: InventoryAccount) -> float:
    return account.issued_at or 0.0


def _is_newer(listed: InventoryAccount, answer: Answer | None) -> bool:
    # In configuration mode nothing is dated: what servers run counts.
    if answer is None or answer.imports is None:
        return True
    return bool(answer.claimed and _issued_at(listed) > _issued_at(answer.claimed))


def _limits(copies: list[InventoryAccount]) -> Limits | None:
    told = [each.limits for each in copies if each.limits is not None]
    if not told:
        return None
    return Limits(
        _loosest([each.connections for each in told]),
        _loosest([each.leafnodes for each in told]),
    )


def _loosest(counts: list[int]) -> int:
    return UNLIMITED if min(counts) < 0 else max(counts)


def _is_expired(
    answer: Answer | None, copies: list[InventoryAccount], now_at: float
) -> bool | None:
    if answer is None and not copies:
        return None
    if answer and answer.claimed is None:
        return answer.is_expired
    return all(
        (each.expires_at is not None and each.expires_at <= now_at)
        or (answer is not None and each is answer.claimed and answer.is_expired)
        for each in copies
    )


def _jwt(
    newest: InventoryAccount, copies: list[InventoryAccount], answer: Answer | None
) -> Jwt | None:
    return Jwt(
        issued_at=newest.issued_at,
        expires_at=newest.expires_at,
        issuer=newest.issuer,
        tags=newest.tags,
        description=newest.description,
        are_users_revoked=all(each.are_users_revoked for each in copies),
        is_invalid=bool(answer and answer.is_refused),
    )
