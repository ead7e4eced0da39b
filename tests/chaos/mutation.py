"""Damage to documents: to their bytes, or to what they say in valid JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

ODD_VALUES: tuple[Any, ...] = (
    *(0, -1, 1, 0.5, 1e308, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1),
    *(None, True, False, [], {}, [None], [[]], {"": {}}),
    *("", "x", "\x00", "\ud800", "\U0001f600", "$G", "A" * 2000, "\u202e\n"),
    *("0s", "99y364d", "101y", "1d2h3m4s", "9999999999s", "2.10.25", "v2.11.0-x"),
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "2026-11-24T01:58:33"),
    *("9999-12-31T23:59:59.999999999-23:59", "2026-02-30T00:00:00Z", "1970-01-01"),
)
TOKENS = (
    *(b"{", b"}", b"[", b"]", b":", b": ", b",", b'"', b"'", b"\\", b"\\u0000"),
    *(b"- ", b"? ", b"| ", b"> ", b"&a ", b"*a", b"<<: *a", b"!!set ", b"!x ", b"#"),
    *(b"---\n", b"...\n", b"%YAML 9.9\n", b"%TAG ! x\n", b"\t", b"\r", b"\n", b"  "),
    *(b"null", b"NaN", b"1e999", b"0x1F", b"1:30", b"on", b"24h", b"1d12h", b"9" * 40),
    *(b"\xff", b"\xef\xbb\xbf", b"\x00", b"\xc2\x85", b"\xe2\x80\xa8", b"\xed\xa0\x80"),
    *(b"http://", b"https://[::1]:", b"@", b"?", b"#", b"%", b"dnssrv+http://_a."),
)


def mutate(data: bytes, random: Random) -> bytes:
    """Return the data, damaged in one to four places."""
    for _ in range(random.randint(1, 4)):
        data = random.choice(_WAYS)(data, random)
    return data


def _replace_value(data: bytes, random: Random) -> bytes:
    """Put an odd value somewhere into a JSON document."""
    try:
        holder = {"": json.loads(data)}
    except (ValueError, RecursionError):
        return _insert(data, random)
    parent, key = random.choice(_places(holder))
    if random.random() < 0.2:
        del parent[key]
    elif random.random() < 0.2 and isinstance(parent, list):
        parent.append(parent[key])
    else:
        parent[key] = random.choice(ODD_VALUES)
    return json.dumps(holder.get("")).encode()


def _places(holder: Any) -> list[tuple[Any, Any]]:
    """Return every place of a value in it, as parent and key."""
    found, waiting = [], [holder]
    while waiting:
        parent = waiting.pop()
        keys = parent if isinstance(parent, dict) else range(len(parent))
        for key in list(keys):
            found.append((parent, key))
            if isinstance(parent[key], dict | list):
                waiting.append(parent[key])
    return found


def _insert(data: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(TOKENS) + data[at:]


def _overwrite(data: bytes, random: Random) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.randbytes(random.randint(1, 3)) + data[at + 1 :]


def _cut(data: bytes, random: Random) -> bytes:
    start, end = sorted(random.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[end:]


def _repeat(data: bytes, random: Random) -> bytes:
    start = random.randint(0, len(data))
    piece = data[start : start + random.randint(1, 60)]
    return data[:start] + piece * random.randint(2, 4) + data[start + len(piece) :]


def _swap_lines(data: bytes, random: Random) -> bytes:
    lines = data.split(b"\n")
    first, second = (random.randrange(len(lines)) for _ in range(2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"\n".join(lines)


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_replace_value,) * 4,
    *(_insert, _overwrite, _cut, _repeat, _swap_lines),
)
