"""Account JWTs and keys of tests: nobody checks their signatures."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, TypeVar

from nats_idle_exporter.monitoring.inventory import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_T = TypeVar("_T")

HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
BIG = 10 * 1_048_576


def a_key(number: int = 0) -> str:
    """Return what looks like the public key of an account."""
    digits = "".join("ABCDEFGHIJ"[int(digit)] for digit in f"{number:06d}")
    return f"A{digits:A<55}"


def a_part(value: Any) -> str:
    """Return one part of a JWT; text and bytes are taken as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def claims(number: int = 0, **changes: Any) -> dict[str, Any]:
    """Return the claims of an account's JWT."""
    nats = {"type": "account", "version": 2, "limits": {"conn": -1, "leaf": -1}}
    return {
        "sub": a_key(number),
        "iss": "OISSUER",
        "iat": 1000,
        "name": f"N{number}",
        "nats": nats,
        **changes,
    }


def a_jwt(number: int = 0, header: Any = HEADER, **changes: Any) -> bytes:
    """Return an account's JWT with a signature that is none."""
    return f"{a_part(header)}.{a_part(claims(number, **changes))}.c2ln".encode()


def write_jwts(folder: Path, *numbers: int) -> None:
    """Write the files of a server's resolver."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (folder / f"{a_key(number)}.jwt").write_bytes(a_jwt(number))


def outcome(read: Callable[[], _T]) -> _T | ValueError:
    """Return what comes of reading, be it a refusal."""
    try:
        return read()
    except ValueError as error:
        return error


def complaint(read: Callable[[], object]) -> str:
    """Return what a source says when it fails."""
    try:
        read()
    except SourceError as error:
        return str(error)
    raise AssertionError("it did not fail")
