"""Words of strangers stay just words, for shells, URLs, servers and YAML."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
import yaml

from nats_idle_exporter.monitoring.wire import LONGEST_NAME
from nats_idle_exporter.removal.registry import Entry, Registry, Rule
from nats_idle_exporter.removal.wayout.quoting import (
    config_key,
    config_value,
    objection,
    shell_line,
    url_part,
    yaml_glob,
)
from nats_idle_exporter.text import shorten
from tests.removal.hostile import (
    BOTH_QUOTES,
    PRINTABLE,
    SAYABLE,
    UNPRINTABLE,
    UNSAYABLE,
)


@pytest.mark.parametrize("name", SAYABLE)
def test_what_is_printed_is_printable(name: str) -> None:
    """No line that is printed does anything to a terminal."""
    assert not objection(name)
    printed = [shell_line("p", name), url_part(name), config_value(name)]
    printed += [config_key(name) or "", yaml_glob(name) or ""]

    assert all(map(str.isprintable, printed))


@pytest.mark.parametrize("name", UNSAYABLE)
def test_what_cannot_be_said_is_refused(name: str) -> None:
    """A name that no command line can carry is refused with its reason."""
    assert UNSAYABLE[name] in objection(name)


def test_names_that_were_cut() -> None:
    """What the poll cuts is known as cut, and what only ends in dots is not."""
    assert objection(shorten("x" * 1000, LONGEST_NAME)) == "only its beginning is known"
    assert not objection("and so on...")


def test_plain_words_stay_plain() -> None:
    """What needs no quotes has none."""
    assert shell_line("nsc", "push", "--account=A") == "nsc push --account=A"


def test_several_unprintable_words() -> None:
    """Each unprintable word is made by a command of its own."""
    assert shell_line("p", "a\n", "b c", "-1\t2") == (
        "w1=$(printf 'a\\012.') && w2=$(printf '\\0551\\0112.') && "
        'p "${w1%.}" \'b c\' "${w2%.}"'
    )


def test_urls() -> None:
    """A name in an URL cannot end the value that it is."""
    assert unquote(url_part("a&b=c/d?#%")) == "a&b=c/d?#%"
    assert url_part("a&b=c/d?#%") == "a%26b%3Dc%2Fd%3F%23%25"


@pytest.mark.parametrize("name", [*UNPRINTABLE, BOTH_QUOTES])
def test_names_that_are_no_keys(name: str) -> None:
    """A name that cannot stand as a key in a configuration is not forced into one."""
    assert config_key(name) is None


def test_half_a_character_in_a_value() -> None:
    """Half a character does not break the text around it."""
    assert config_value("a\ud83db") == '"a\\x3fb"'


@pytest.mark.parametrize("name", [*PRINTABLE, BOTH_QUOTES])
def test_globs(name: str) -> None:
    """The rule that is printed for an account matches it alone."""
    match = yaml.safe_load(yaml_glob(name) or "")
    registry = Registry([Rule(match, Entry(owner="me"))])

    assert registry.entry(name, name).owner == "me"
    assert not registry.entry("other", "a" + name).owner
