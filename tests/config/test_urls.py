"""Endpoint URLs: which are accepted, and that none shows a secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.urls import (
    EndpointKey,
    UrlError,
    endpoint_key,
    is_host,
    parse_endpoint,
    without_credentials,
)

SECRET = "hunter2"  # noqa: S105 - a word to look for


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:8222", "http://host:8222"),
        ("http://host/nats/0", "http://host/nats/0"),
        ("http://me:hunter2@host:8222/a", "http://host:8222/a"),
        ("http://hunter2@host", "http://host"),
        ("http://me:hunt@hunter2@host", "http://host"),
        ("http://host/a?token=hunter2", "http://host/a"),
        ("http://host#hunter2", "http://host"),
        ("me:hunter2@host:1", "host:1"),
        ("//me:hunter2@host", "<hidden>"),
        ("http:/me:hunter2@host", "<hidden>"),
        ("http://me:hunter2/@host", "http://<hidden>"),
        ("http://me:hunter2?@host", "http://<hidden>"),
        ("http://me:x#hunter2@host", "http://<hidden>"),
        ("me:hunter2@host/?next=http://x", "host/"),
        ("http://[::1", "http://[::1"),
        ("", ""),
    ],
)
def test_urls_are_shown_without_credentials(url: str, shown: str) -> None:
    """User, password, query and fragment are gone; the place stays readable."""
    assert without_credentials(url) == shown


@given(
    st.text(alphabet="ab:/?#@%[]\n", max_size=8),
    st.text(alphabet="ab:/?#@%[]\n", max_size=8),
)
def test_no_password_is_ever_shown(before: str, after: str) -> None:
    """Whatever surrounds a password before the host, it does not come out."""
    url = f"http://user:{before}{SECRET}{after}@host:8222/base"

    assert SECRET not in without_credentials(url)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("http://h:8222", "http://h:8222"),
        ("http://h:8222/", "http://h:8222"),
        ("HTTPS://Nats-0.Example.com", "HTTPS://Nats-0.Example.com"),
        ("http://h/a/b%20c/", "http://h/a/b%20c"),
        ("http://[::1]:8222", "http://[::1]:8222"),
        ("http://nats_0.ns.svc.", "http://nats_0.ns.svc."),
    ],
)
def test_endpoints_lose_only_a_trailing_slash(text: str, kept: str) -> None:
    """A good URL is kept as it was written, without the last slash."""
    assert parse_endpoint(text) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "starts with"),
        ("127.0.0.1:8222", "starts with"),
        ("nats://h:4222", "starts with"),
        ("dns+http://h:8222", "starts with"),
        (" http://h", "starts with"),
        ("http://u:hunter2@h", "without user"),
        ("http://u@h", "without user"),
        ("http://h?hunter2", "without query"),
        ("http://h#hunter2", "without query"),
        ("http://", "like"),
        ("http:///a", "like"),
        ("http://h:", "like"),
        ("http://h:0", "like"),
        ("http://h:65536", "like"),
        ("http://h:port", "like"),
        ("http://h:8222//", "like"),
        ("http://h/a//b", "like"),
        ("http://a b", "like"),
        ("http://h\n", "like"),
        ("http://h/\x00", "like"),
        ("http://::1:8222", "like"),
        ("http://[::1", "like"),
        ("http://[1.2]", "like"),
        ("http://-h", "like"),
        ("http://häuser", "like"),
    ],
)
def test_other_urls_are_refused(text: str, expected: str) -> None:
    """The refusal says what was expected, on one line, without the secret."""
    with pytest.raises(UrlError, match=expected) as refusal:
        parse_endpoint(text)

    assert SECRET not in str(refusal.value)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://h", EndpointKey("http", "h", 80, "")),
        ("HTTP://H:80/", EndpointKey("http", "h", 80, "")),
        ("https://h", EndpointKey("https", "h", 443, "")),
        ("https://h:8443/A/b", EndpointKey("https", "h", 8443, "/A/b")),
        ("http://[0:0::1]:1", EndpointKey("http", "::1", 1, "")),
    ],
)
def test_the_same_place_has_one_key(url: str, key: EndpointKey) -> None:
    """Case, default port, slash and the form of IPv6 do not matter."""
    assert endpoint_key(url) == key


def test_only_endpoints_have_a_key() -> None:
    """A text that is no endpoint URL has no key."""
    with pytest.raises(ValueError, match="not an endpoint"):
        endpoint_key("nats://h")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("h", True), ("10.0.0.1", True), ("::1", True), ("::g", False), ("a b", False)],
)
def test_hosts(text: str, *, is_one: bool) -> None:
    """Names and addresses are hosts, other text is not."""
    assert is_host(text) is is_one
