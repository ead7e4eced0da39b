"""What a configuration file of nats-server needs accounts for.

Servers tell none of this themselves. What cannot be read makes all of it unknown: an
account that looks as if nothing needed it would look safe to remove.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from nats_idle_exporter.monitoring.inventory.accounts import EntryError, Roles
from nats_idle_exporter.monitoring.inventory.jwt import decode_account_of_user
from nats_idle_exporter.monitoring.inventory.natsconf import Value
from nats_idle_exporter.removal.facts import Role

_GLOBAL_ACCOUNT: Final = "$G"
_NAMES: Final = ("user", "username", "nkey")


def lowered(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return values by keys in lower case: the server takes them in whatever case."""
    return {key.lower(): value for key, value in values.items()}


def read_roles(values: Mapping[str, Value]) -> Roles:
    """Return what a file needs accounts for.

    Args:
        values: the whole file, its uppermost keys in lower case.

    Raises:
        EntryError: something about it cannot be read.
    """
    homes = dict(_homes(values))
    found: defaultdict[str, set[Role]] = defaultdict(set)
    for where in (values, *(_map(values, key) for key in ("mqtt", "websocket"))):
        if user := _text(where, "no_auth_user"):
            found[_home(homes, user, "no_auth_user")].add(Role.DEFAULT)
    for account in _leafnode_accounts(_map(values, "leafnodes")):
        found[account].add(Role.DEFAULT)
    if token := _text(values, "default_sentinel"):
        found[decode_account_of_user(token.encode())].add(Role.DEFAULT)
    for remote in _maps(_map(values, "leafnodes"), "remotes"):
        account = _text(remote, "account") or _text(remote, "local")
        found[account or _GLOBAL_ACCOUNT].add(Role.LEAF_REMOTE)
    for account in _asked_about_logins(_map(values, "authorization"), homes):
        found[account].add(Role.AUTH_CALLOUT)
    return {account: frozenset(roles) for account, roles in found.items()}


def _leafnode_accounts(leafnodes: Mapping[str, Value]) -> Iterator[str]:
    """Return where leafnode links land that name no account themselves."""
    authorization = _map(leafnodes, "authorization")
    for each in (authorization, *_maps(authorization, "users")):
        if account := _text(each, "account"):
            yield account


def _asked_about_logins(
    authorization: Mapping[str, Value], homes: Mapping[str, str]
) -> Iterator[str]:
    callout = _map(authorization, "auth_callout")
    if callout:
        yield _text(callout, "account") or _GLOBAL_ACCOUNT
        for user in _list(callout, "auth_users"):
            if not isinstance(user, str):
                raise EntryError(expected="users as auth_users", found="something else")
            yield _home(homes, user, "auth_users")


def _homes(values: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    """Return which account each user is in."""
    authorization = _map(values, "authorization")
    for user in (authorization, *_maps(authorization, "users")):
        yield from ((name, _GLOBAL_ACCOUNT) for name in _names(user))
    accounts = values.get("accounts")
    if isinstance(accounts, dict):
        for account, block in accounts.items():
            if isinstance(block, dict):
                for user in _maps(lowered(block), "users"):
                    yield from ((name, account) for name in _names(user))


def _names(user: Mapping[str, Value]) -> Iterable[str]:
    return filter(None, (_text(user, key) for key in _NAMES))


def _home(homes: Mapping[str, str], user: str, key: str) -> str:
    try:
        return homes[user]
    except KeyError as error:
        found = "one that is not in the file"
        raise EntryError(expected=f"a user as {key}", found=found) from error


def _map(values: Mapping[str, Value], key: str) -> dict[str, Value]:
    value = values.get(key, {})
    if not isinstance(value, dict):
        raise EntryError(expected=f"a map as {key}", found="something else")
    return lowered(value)


def _list(values: Mapping[str, Value], key: str) -> list[Value]:
    value = values.get(key, [])
    if not isinstance(value, list):
        raise EntryError(expected=f"a list as {key}", found="something else")
    return value


def _maps(values: Mapping[str, Value], key: str) -> Iterator[dict[str, Value]]:
    return (lowered(each) for each in _list(values, key) if isinstance(each, dict))


def _text(values: Mapping[str, Value], key: str) -> str:
    value = values.get(key, "")
    if isinstance(value, str):
        return value
    raise EntryError(expected=f"a text as {key}", found="something else")
