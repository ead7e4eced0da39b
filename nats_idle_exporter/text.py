"""Make words of strangers fit to be shown: one line, nothing hidden in it."""

from __future__ import annotations

import os
import socket

LONGEST = 80
"""Characters of a value that an error message shows."""


def one_line(text: str) -> str:
    r"""Return the text with every unprintable character escaped.

    >>> print(one_line("a\nb"))
    a\nb
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def shorten(text: str, longest: int = LONGEST) -> str:
    """Return at most ``longest`` characters, a cut marked by three dots."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def os_words(error: OSError) -> str:
    """Return the system's words for an error, without what libraries put around them.

    >>> os_words(ConnectionRefusedError(111, "Connect call failed ('::1', 1, 0, 0)"))
    'Connection refused'
    """
    # getaddrinfo has numbers of its own.
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)
