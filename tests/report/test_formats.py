"""Whatever accounts are called, every format stays what it is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nats_idle_exporter.removal.facts import UNLIMITED, Holdings
from nats_idle_exporter.report.formats import (
    escaped,
    render_csv,
    render_json,
    render_markdown,
)
from nats_idle_exporter.report.model import Explanation, Report
from nats_idle_exporter.report.text import render_text
from nats_idle_exporter.web.words import visible
from tests.api.builders import HOSTILE, hostile_snapshot, known
from tests.removal.cases import NOW
from tests.report.builders import explained, report_of, reported

HERE = Path(__file__).parent
NAMES = st.text(max_size=12) | st.text("=+-@\t\r\n\"',;|\\`*_[]<>&:w. #~$a", max_size=9)
MARKUP = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def records(text: str) -> list[dict[str, str]]:
    """Return a CSV as a strict reader has it."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


class TestJson:
    """For programs."""

    def test_it_is_what_the_api_has(self) -> None:
        """The JSON can be read back into the structs that the API documents."""
        report = reported(hostile_snapshot())
        explanation = explained(hostile_snapshot(), HOSTILE[0])

        assert msgspec.json.decode(render_json(report), type=Report) == report
        assert (
            msgspec.json.decode(render_json(explanation), type=Explanation)
            == explanation
        )
        assert json.loads(render_json(report))["version"] == 1

    def test_no_terminal_obeys_it(self) -> None:
        """Nothing but printable ASCII and line breaks comes out."""
        text = render_json(reported(hostile_snapshot()))

        assert all(each == "\n" or " " <= each <= "~" for each in text)


class TestCsv:
    """For spreadsheets."""

    def test_a_record(self) -> None:
        """Times, amounts and words each have one form; what is not known is empty."""
        holdings = Holdings(
            streams=2,
            messages=10,
            bytes=4096,
            reserved_memory_bytes=5,
            reserved_storage_bytes=UNLIMITED,
            as_of_at=NOW,
        )
        report = report_of(
            known("A", name="orders", facts={"holdings": holdings}),
            known(
                "B",
                last_evidence=None,
                is_observed=False,
                facts={"holdings": None, "importers_unknown": None, "limits": None},
            ),
        )

        first, second = records(render_csv(report))

        assert first == {
            "system": "default",
            "account": "A",
            "account_name": "orders",
            "mode": "config",
            "verdict": "inactive",
            "observed": "true",
            "reason": "",
            "idle_seconds": "90000.0",
            "threshold_seconds": "86400.0",
            "quiet_since": "2027-01-14T07:00:00Z",
            "last_activity": "2027-01-14T07:00:00Z",
            "last_evidence": "sent",
            "connections": "0",
            "leafnodes": "0",
            "inventory": "",
            "owner": "o",
            "team": "",
            "environment": "",
            "streams": "2",
            "consumers": "0",
            "messages": "10",
            "bytes": "4096",
            "reserved_memory_bytes": "5",
            "reserved_storage_bytes": "unlimited",
            "importers": "0",
            "importers_unknown": "0",
            "disabled_since": "",
            "removability": "blocked",
            "blockers": "streams reserved",
        }
        assert second["observed"] == "false"
        for name in ("last_activity", "last_evidence", "bytes", "importers_unknown"):
            assert second[name] == ""
        assert second["removability"] == "unknown"

    @pytest.mark.parametrize("word", HOSTILE)
    def test_hostile_names_come_back(self, word: str) -> None:
        """A reader finds each name as it is, behind one quote where it might act."""
        [record] = records(render_csv(report_of(known("ID", name=word))))

        acts = word.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert record["account_name"] == ("'" if acts else "") + word

    @given(NAMES, NAMES)
    def test_any_name_comes_back(self, name: str, account: str) -> None:
        """No name moves a cell or a row, and no cell begins like a formula."""
        text = render_csv(report_of(known(account, name=name), known("LAST", name="x")))

        found = records(text)
        assert len(found) == 2
        assert {
            (r["account_name"].removeprefix("'"), r["account"].removeprefix("'"))
            for r in found
        } == {(name.removeprefix("'"), account.removeprefix("'")), ("x", "LAST")}
        cells = [cell for record in found for cell in record.values()]
        assert not any(
            cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells
        )

    def test_it_is_rfc_4180(self) -> None:
        """Records end in CRLF, the header has no account's word."""
        text = render_csv(report_of())

        assert text.startswith("system,account,account_name,")
        assert text.endswith("blockers\r\n")
        assert text.count("\n") == 1


class TestMarkdown:
    """For tickets and pull requests."""

    @given(NAMES)
    def test_any_name_is_a_cell(self, name: str) -> None:
        """Rendered, the table has the name as text in its cell, and nothing else."""
        text = render_markdown(report_of(known("ID", name=name)))

        [*_, body] = _tables(text)
        assert len(body) == 1
        assert body[0][1].strip() == (visible(name, 40) or '""').strip()
        assert body[0][13] == "ID" * (name != "ID")

    @pytest.mark.parametrize("word", HOSTILE)
    def test_hostile_names_make_nothing(self, word: str) -> None:
        """No link, image, code, emphasis, HTML or line comes of a name."""
        rendered = MARKUP.render(render_markdown(report_of(known("ID", name=word))))

        tags = {part.split(">")[0].split(" ")[0] for part in rendered.split("<")[1:]}
        assert {tag.strip("/") for tag in tags} <= {
            "h1", "p", "br", "ul", "li", "table", "thead", "tbody", "tr", "th", "td",
        }  # fmt: skip

    def test_words_that_hosts_link(self) -> None:
        """Where a host would make links of plain words, it finds none."""
        assert escaped("www.a.b http://c mailto:d@e #1") == (
            "www\\.a.b http\\://c mailto\\:d\\@e \\#1"
        )
        assert escaped("at 10:46: done") == "at 10:46: done"


def _tables(text: str) -> list[list[list[str]]]:
    """Return the texts of the rows of each body of a table."""
    bodies: list[list[list[str]]] = []
    tokens = MARKUP.parse(text)
    for before, token in zip([tokens[0], *tokens], tokens, strict=False):
        if token.type == "tbody_open":
            bodies.append([])
        if token.type == "tr_open" and bodies:
            bodies[-1].append([])
        if token.type == "inline" and before.type == "td_open":
            children = token.children or []
            assert {child.type for child in children} <= {"text", "text_special"}
            bodies[-1][-1].append("".join(child.content for child in children))
    return bodies


class TestText:
    """For people at a terminal."""

    def test_a_report(self) -> None:
        """The sum, the notes, and an aligned table."""
        holdings = Holdings(streams=3, bytes=4096, as_of_at=NOW)
        facts = {"holdings": holdings, "importers_unknown": 7}
        report = report_of(
            known("AID", name="orders", facts=facts, is_observed=False),
            known("名前", facts={"holdings": None, "importers_unknown": None}),
        )

        assert render_text(report) == (HERE / "table.txt").read_text("utf-8")

    @pytest.mark.parametrize("word", HOSTILE)
    def test_hostile_names_are_one_line(self, word: str) -> None:
        """Every account has one line, of characters that can be seen."""
        plain = render_text(report_of(known("ID", name="plain")))
        text = render_text(report_of(known("ID", name=word)))

        assert text.count("\n") == plain.count("\n")
        assert all(each.isprintable() for each in text.split("\n"))

    def test_nobody(self) -> None:
        """Without accounts there is no table."""
        assert "SYSTEM" not in render_text(report_of())
