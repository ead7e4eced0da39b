"""Strangers' words -> what a POSIX shell, an URL or a nats-server reads as just those.

A printed line has printable characters only: what a terminal would act upon, or what
looks like something else, is spelled out, also where quotes alone would do.
"""

from __future__ import annotations

import re
import shlex
from urllib.parse import quote

CUT_LENGTH = 256
"""Longer name tags come here cut to that, with dots at their end."""

LONGEST_BYTES = 4096
"""Longer names are not printed; a command line would be longer than a screen."""

_YAML_CODES = str.maketrans({'"': r"\"", "\\": r"\\"})
_REPLACED = "\ufffd"
_CUT = "..."
_TOKEN = re.compile(r"[^\s.*>\x00-\x1f\x7f]+")
_CODES = {"\t": r"\t", "\n": r"\n", "\r": r"\r", '"': r"\"", "\\": r"\\"}


def objection(text: str) -> str:
    """Return why no command line can carry a text; "" when one can."""
    if "\0" in text:
        return "it holds a zero byte"
    if _REPLACED in text:
        return "it holds characters that the server could not tell"
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "it holds half a character"
    if len(text) >= CUT_LENGTH and text.endswith(_CUT):
        return "only its beginning is known"
    length = len(text.encode())
    return f"it is {length:,} bytes long" if length > LONGEST_BYTES else ""


def is_token(text: str) -> bool:
    """Say whether a text can be one token of a subject, and nothing else."""
    return _TOKEN.fullmatch(text) is not None


def shell_line(*words: str) -> str:
    r"""Return a line that a POSIX shell reads as a command of just these words.

    Only the quoting of POSIX is used: ``$'...'`` is no part of it. A word that is not
    printable is made by ``printf``. The letter behind it keeps the shell from cutting
    line breaks at its end.

    Args:
        words: none of them with an :func:`objection`.

    >>> print(shell_line("nsc", "push", "--account=it's"))
    nsc push '--account=it'"'"'s'
    >>> print(shell_line("nats", "purge", "a\n"))
    w1=$(printf 'a\012.') && nats purge "${w1%.}"
    """
    made: list[str] = []
    said: list[str] = []
    for word in words:
        if word.isprintable():
            said.append(shlex.quote(word))
        else:
            variable = f"w{len(made) + 1}"
            made.append(f"{variable}=$(printf '{_octal(word)}.')")
            said.append(f'"${{{variable}%.}}"')
    return " && ".join([*made, " ".join(said)])


def _octal(word: str) -> str:
    """Return a format of printf; only letters, digits and a few signs stay."""
    return "".join(
        character
        if character.isascii() and (character.isalnum() or character in "=._:/")
        else "".join(f"\\{byte:03o}" for byte in character.encode())
        for character in word
    )


def url_part(text: str) -> str:
    """Return a text as the value of a query.

    >>> url_part("a b&c/d")
    'a%20b%26c%2Fd'
    """
    return quote(text, safe="")


def config_key(name: str) -> str | None:
    r"""Return a name as a key of a nats-server configuration; None if it cannot be one.

    Keys know no escapes: what stands between the quotes is the name
    (nats-server's conf/lex.go).

    >>> config_key('say "hi"')
    '\'say "hi"\''
    """
    if not name.isprintable():
        return None
    for mark in ('"', "'"):
        if mark not in name:
            return f"{mark}{name}{mark}"
    return None


def config_value(text: str) -> str:
    r"""Return a text as a value of a nats-server configuration.

    >>> print(config_value('say "$HI"\n'))
    "say \"$HI\"\n"
    """
    return f'"{"".join(map(_config_character, text))}"'


def _config_character(character: str) -> str:
    if code := _CODES.get(character):
        return code
    if character.isprintable():
        return character
    # Half a character cannot be a name; it must not break the words around it either.
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="replace"))


def yaml_glob(name: str) -> str | None:
    """Return a name as a YAML string that matches it alone as a glob; None if none can.

    >>> yaml_glob("what?")
    '"what[?]"'
    """
    if not name.isprintable():
        return None
    escaped = "".join(f"[{each}]" if each in "*?[" else each for each in name)
    return f'"{escaped.translate(_YAML_CODES)}"'
