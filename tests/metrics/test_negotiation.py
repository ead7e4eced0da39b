"""Which answer each pair of headers gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.metrics import Choice, Encoding, Format, negotiate

TEXT = Format.TEXT
OM = Format.OPENMETRICS
PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, TEXT),
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),
        ("text/plain", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain;version=1.0.0", TEXT),
        ("text/plain;version=x", TEXT),
        ("text/*", TEXT),
        ("application/json", TEXT),
        ("application/openmetrics-text", OM),
        ("Application/OpenMetrics-Text; Version=1.0.0", OM),
        ("application/openmetrics-text;version=0.0.1", OM),
        ("application/openmetrics-text;version=2.0.0", OM),
        ("application/openmetrics-text;version=9.9.9", OM),
        ('application/openmetrics-text;version="1.0.0"', OM),
        ('application/openmetrics-text;version="1\\.0.0"', OM),
        ("application/openmetrics-text;version=x", TEXT),
        ("application/openmetrics-text;version=", TEXT),
        ("application/*", OM),
        (PROMETHEUS, OM),
        (
            (
                "text/plain;version=0.0.4;q=0.9,"
                " application/openmetrics-text;version=1.0.0;q=0.1"
            ),
            TEXT,
        ),
        ("application/openmetrics-text;q=0.1, text/plain;q=0.9", TEXT),
        ("text/plain;q=0.5, application/openmetrics-text;q=0.6", OM),
        ("text/plain, application/openmetrics-text", OM),
        ("application/openmetrics-text, */*", OM),
        ("text/plain, */*", TEXT),
        ("application/openmetrics-text;q=0.5, */*", TEXT),
        ("application/openmetrics-text;q=0, */*", TEXT),
        ("text/plain;q=0, */*", OM),
        ("application/openmetrics-text;q=0", TEXT),
        ("*/*;q=0", TEXT),
        ('text/plain;note="a,b;q=0.1", application/openmetrics-text;q=0.5', TEXT),
        ("application/openmetrics-text;q=high, text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=1.5, text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=-1, text/plain;q=0.1", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
        ("application/openmetrics-text;q=1.000", OM),
        ("application/openmetrics-text;q=.5", OM),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.", OM),
        (",,;;=,q=1,", TEXT),
        ('application/openmetrics-text;version="1.0.0', OM),
        (", ,application/openmetrics-text", OM),
    ],
)
def test_format(accept: str | None, expected: Format) -> None:
    """The heaviest readable range wins, the most exact one on a tie."""
    assert negotiate(accept, None).format is expected


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        (None, Encoding.IDENTITY),
        ("", Encoding.IDENTITY),
        ("gzip", Encoding.GZIP),
        ("GZip", Encoding.GZIP),
        ("x-gzip", Encoding.GZIP),
        ("gzip, deflate", Encoding.GZIP),
        ("deflate, gzip;q=0.5", Encoding.GZIP),
        ("deflate", Encoding.IDENTITY),
        ("br, zstd", Encoding.IDENTITY),
        ("gzip;q=0", Encoding.IDENTITY),
        ("gzip;q=0.0", Encoding.IDENTITY),
        ("gzip;q=0, *", Encoding.IDENTITY),
        ("*", Encoding.GZIP),
        ("*;q=0", Encoding.IDENTITY),
        ("identity", Encoding.IDENTITY),
        ("identity, gzip", Encoding.GZIP),
        ("gzip;q=0.1, identity;q=0.9", Encoding.IDENTITY),
        ("gzip;q=0.1, identity;q=0", Encoding.GZIP),
        ("identity;q=0", Encoding.IDENTITY),
        ("gzip;q=x", Encoding.IDENTITY),
        ("notgzip", Encoding.IDENTITY),
        (";;,=", Encoding.IDENTITY),
    ],
)
def test_encoding(accept_encoding: str | None, expected: Encoding) -> None:
    """Only gzip is offered, where it is allowed and not liked less than none."""
    assert negotiate(None, accept_encoding).encoding is expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "text/plain; version=0.0.4; charset=utf-8"),
        (
            "text/plain;version=1.0.0;escaping=allow-utf-8",
            "text/plain; version=0.0.4; charset=utf-8",
        ),
        (
            "application/openmetrics-text;version=2.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        (
            PROMETHEUS,
            f"{OM.value}; escaping=allow-utf-8",
        ),
        (
            'application/openmetrics-text;version=1.0.0;escaping="Underscores"',
            f"{OM.value}; escaping=underscores",
        ),
        (
            "application/openmetrics-text;version=1.0.0;escaping=dots",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
        (
            "application/openmetrics-text;escaping=x\r\ny",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ],
)
def test_content_type(accept: str | None, expected: str) -> None:
    """The type tells what is sent; an escaping only if asked for and true."""
    assert negotiate(accept, None).content_type == expected


@given(
    accept=st.text() | st.text(st.sampled_from('aq=;,"\\*/ 01.'), max_size=40),
    accept_encoding=st.text() | st.text(st.sampled_from('gzipq=;,"\\*0.'), max_size=40),
)
def test_no_header_is_an_error(accept: str, accept_encoding: str) -> None:
    """Whatever the headers hold, there is an answer."""
    choice = negotiate(accept, accept_encoding)

    assert isinstance(choice, Choice)
