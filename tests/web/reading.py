"""Reading our own HTML back, with the standard library's parser."""

from __future__ import annotations

from html.parser import HTMLParser

_VOID = {"meta", "link", "br"}


class Document(HTMLParser):
    """A page taken apart; unbalanced tags are a fault.

    ``rows`` holds the cells' text of each table by its number, header left out.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[list[str]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "tbody":
            self.rows.append([])
        if "tbody" in self._open and tag == "tr":
            self.rows[-1].append([])
        if "tbody" in self._open and tag in {"td", "th"}:
            self.rows[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """Close the newest open element, which must be this one."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect text, outside of the style."""
        if "style" in self._open:
            return
        self.text += data
        if {"td", "th"} & set(self._open) and "tbody" in self._open:
            self.rows[-1][-1][-1] += data

    def columns(self, table: int, *numbers: int) -> list[tuple[str, ...]]:
        """Return some cells of each row of a table, white space squeezed."""
        return [
            tuple(" ".join(row[number].split()) for number in numbers)
            for row in self.rows[table]
        ]

    def flat_text(self) -> str:
        """Return all text, white space squeezed."""
        return " ".join(self.text.split())
