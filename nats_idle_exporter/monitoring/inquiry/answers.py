"""What a server tells of one account: ``/accountz?acc=``, decoded."""

from __future__ import annotations

import sys
from typing import Annotated, Final, NamedTuple

import msgspec

from nats_idle_exporter.monitoring.bodies import Body, Id, Word
from nats_idle_exporter.monitoring.inventory import InventoryAccount
from nats_idle_exporter.monitoring.inventory.accounts import EntryError
from nats_idle_exporter.monitoring.inventory.jwt import Claims, account_of
from nats_idle_exporter.monitoring.wire import payload_errors
from nats_idle_exporter.removal.facts import Import

_Subject = Annotated[str, msgspec.Meta(max_length=65_536)]


class _Import(msgspec.Struct, gc=False, frozen=True):
    """``local_subject`` is not told of services by servers before 2.10."""

    account: Id
    subject: _Subject
    type: Word
    to: _Subject = ""
    local_subject: _Subject = ""


class _Verdict(msgspec.Struct, gc=False, frozen=True):
    """What the server thinks of a JWT; it refuses one that is blocking."""

    blocking: bool = False


class _Detail(msgspec.Struct, gc=False, frozen=True):
    """Empty lists are left out, and all that only JWTs tell in configuration mode."""

    account_name: Id
    expired: bool
    complete: bool
    is_system: bool = False
    imports: list[_Import] | None = None
    exports: list[msgspec.Raw] | None = None
    decoded_jwt: Claims | None = None
    validation_result_jwt: list[_Verdict] | None = None


class _Accountz(Body, frozen=True):
    account_detail: _Detail
    system_account: Word = ""


_ACCOUNTZ: Final = msgspec.json.Decoder(_Accountz)


class LocalImport(NamedTuple):
    """An import, and under which subject the importing account has it."""

    account: str
    subject: str
    kind: str
    local_subject: str

    @property
    def plain(self) -> Import:
        """Return it without what only its owner sees."""
        return Import(self.account, self.subject, self.kind)


class Answer(NamedTuple):
    """One account as one server has it in memory.

    ``imports`` are without the system's own, None when the server could not make out
    all of them. ``claimed`` is what its JWT says, None in configuration mode.
    """

    account: str
    is_system: bool
    is_expired: bool
    is_refused: bool
    exports: int
    imports: tuple[LocalImport, ...] | None
    claimed: InventoryAccount | None

    @property
    def is_shut(self) -> bool:
        """Whether the server lets nobody in, by the JWT that it has."""
        limits = self.claimed.limits if self.claimed else None
        return self.is_expired or (limits is not None and limits.is_disabled)


@payload_errors()
def decode_answer(body: bytes | bytearray) -> tuple[str, Answer]:
    """Decode /accountz?acc=X into who answered, and what it told.

    Raises:
        EndpointError: no nats-server answers so.
    """
    accountz = _ACCOUNTZ.decode(body)
    detail, system_account = accountz.account_detail, accountz.system_account
    claimed = _claimed(detail)
    verdicts = detail.validation_result_jwt or ()
    answer = Answer(
        account=sys.intern(detail.account_name),
        is_system=detail.is_system or detail.account_name == system_account,
        is_expired=detail.expired,
        is_refused=any(each.blocking for each in verdicts),
        exports=len(detail.exports or ()),
        imports=_imports(detail, claimed, system_account),
        claimed=claimed,
    )
    return accountz.server_id, answer


def _claimed(detail: _Detail) -> InventoryAccount | None:
    if detail.decoded_jwt is None:
        return None
    try:
        claimed = account_of(detail.decoded_jwt)
    except EntryError as error:
        raise ValueError(f"decoded_jwt: {error}") from error
    if claimed.account != detail.account_name:
        raise ValueError("decoded_jwt: another account's")
    return claimed


def _imports(
    detail: _Detail, claimed: InventoryAccount | None, system_account: str
) -> tuple[LocalImport, ...] | None:
    """Return what it imports; a JWT may ask for more than the server can give."""
    if claimed is None and not detail.complete:
        return None
    found = {
        (each.account, each.subject, each.type): LocalImport(
            sys.intern(each.account),
            each.subject,
            sys.intern(each.type),
            each.local_subject or each.to or each.subject,
        )
        for each in detail.imports or ()
    }
    for account, subject, kind in (claimed and claimed.imports) or ():
        here = LocalImport(sys.intern(account), subject, sys.intern(kind), subject)
        found.setdefault((account, subject, kind), here)
    return tuple(each for each in found.values() if each.account != system_account)
