"""Text of a nats-server configuration -> tokens with their lines.

What a word means depends on where it stands: ``a:b`` is a key and a value at a
key's place, and one value at a value's. So the parser asks for what it needs.
No message shows a value: there are passwords among them.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

_GAP: Final = re.compile(r"(?:[ \t\r\n,;]|#[^\n]*|//[^\n]*)*")
_BLANK: Final = re.compile(r"[ \t]*")
_SPACE: Final = re.compile(r"\s*")
_BARE_KEY: Final = re.compile(r"[^\s:={}\[\]()\"',;]+")
_BARE_VALUE: Final = re.compile(r"(?:[^\s\\;,\]}']|\\.)++")
_ESCAPED: Final = re.compile(r'(?:[^"\\]|\\.)*+"', re.DOTALL)
_UNTIL: Final = {'"': re.compile(r'[^"]*+"'), "'": re.compile(r"[^']*+'")}
_PATH: Final = re.compile(r"[^\s;}'\"]+")
_BLOCK_END: Final = re.compile(r"\n\)(?=\n|\r\n|\Z)")
_ESCAPE: Final = re.compile(r"\\(x[0-9A-Fa-f]{2}|.?)", re.DOTALL)
_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "\\": "\\"}


class ConfError(ValueError):
    """A file that is no nats-server configuration.

    Args:
        where: the file and the line: ``nats.conf:12``.
        expected: what would have been right.
        found: what was there; never a value.
    """

    def __init__(self, where: str, *, expected: str, found: str) -> None:
        super().__init__(f"{where}: expected {expected}, found {found}")
        self.where = where
        self.expected = expected
        self.found = found


class Scanner:
    """Read one text from its start to its end.

    Args:
        text: the text.
        name: how messages call it.
        has_lines: whether messages tell the line too.
    """

    def __init__(self, text: str, name: str, *, has_lines: bool = True) -> None:
        self._text = text
        self._name = name
        self._has_lines = has_lines
        self._at = 0

    @property
    def where(self) -> str:
        """The name and the line that is being read."""
        if not self._has_lines:
            return self._name
        return f"{self._name}:{self._text.count(chr(10), 0, self._at) + 1}"

    @property
    def is_at_end(self) -> bool:
        """Whether all was read."""
        return self._at >= len(self._text)

    def skip_gap(self) -> bool:
        """Skip space, separators and comments; say whether a value may end so.

        A value ends with its line, a separator, or a comment.
        """
        start = self._at
        self._at = self._end_of(_GAP)
        return bool(re.search(r"[\r\n,;#/]", self._text[start : self._at]))

    def skip_space(self) -> None:
        """Skip white space, also over lines."""
        self._at = self._end_of(_SPACE)

    def take(self, char: str) -> bool:
        """Read one character if it is the next."""
        if self._text.startswith(char, self._at):
            self._at += len(char)
            return True
        return False

    def next_is(self, char: str) -> bool:
        """Say whether a character is the next."""
        return self._text.startswith(char, self._at)

    def key(self) -> tuple[str, bool]:
        """Read a key; also say whether it is ``include`` before a path."""
        quoted = self._raw("a key")
        if quoted is not None:
            return quoted, False
        key = self._take(_BARE_KEY, "a key")
        is_include = key.lower() == "include" and (
            self.next_is(" ") or self.next_is("\t")
        )
        return key, is_include

    def path(self) -> str:
        """Read the path of an include."""
        self._at = self._end_of(_BLANK)
        quoted = self._raw("a path")
        return self._take(_PATH, "a path") if quoted is None else quoted

    def quoted(self) -> str | None:
        """Read a text in quotes or a block in parentheses; None if none is next."""
        if self.take('"'):
            return self._unescape(self._inside(_ESCAPED, 'a text that ends with "'))
        if self.take("("):
            return self._block()
        return self._raw("a text")

    def bare(self) -> tuple[str, bool]:
        """Read a text without quotes; also say whether it holds escapes."""
        text = self._take(_BARE_VALUE, "a value")
        # The server takes a lone ' for the end of a text that has none.
        self.take("'")
        return (self._unescape(text), True) if "\\" in text else (text, False)

    def fail(self, expected: str) -> NoReturn:
        """Refuse what comes next."""
        if self.is_at_end:
            raise ConfError(self.where, expected=expected, found="the end")
        char = self._text[self._at]
        # A letter may be the second word of a password.
        found = "a word" if char.isalnum() else repr(char)
        raise ConfError(self.where, expected=expected, found=found)

    def _raw(self, what: str) -> str | None:
        """Read what stands in quotes as it is; None if no quote is next."""
        for quote, until in _UNTIL.items():
            if self.take(quote):
                return self._inside(until, f"{what} that ends with {quote}")
        return None

    def _block(self) -> str:
        end = _BLOCK_END.search(self._text, self._at)
        if end is None:
            expected = "a text in parentheses that ends with a ) on a line by itself"
            raise ConfError(self.where, expected=expected, found="no end")
        text = self._text[self._at : end.start() + 1]
        self._at = end.end()
        return text

    def _inside(self, until: re.Pattern[str], expected: str) -> str:
        match = until.match(self._text, self._at)
        if match is None:
            raise ConfError(self.where, expected=expected, found="no end")
        self._at = match.end()
        return match[0][:-1]

    def _take(self, pattern: re.Pattern[str], expected: str) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            self.fail(expected)
        self._at = match.end()
        return match[0]

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        return match.end() if match else self._at

    def _unescape(self, text: str) -> str:
        return _ESCAPE.sub(self._unescaped, text)

    def _unescaped(self, escape: re.Match[str]) -> str:
        code = escape[1]
        if code.startswith("x") and len(code) > 1:
            return chr(int(code[1:], 16))
        if code not in _ESCAPES:
            raise ConfError(
                self.where,
                expected=r"an escape \xXX \t \n \r \" or \\",
                found="another one",
            )
        return _ESCAPES[code]
