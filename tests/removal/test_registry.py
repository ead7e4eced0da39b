"""The registry: the first glob that matches the id or the name wins."""

from __future__ import annotations

import ast
import inspect
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.removal import Entry, Registry, Rule, registry
from nats_idle_exporter.removal.registry import with_tags

GLOBS = st.text(alphabet="abA*?[]!-\n", max_size=5)
NAMES = st.text(alphabet="abA[]*\n", max_size=4)


def owned(*globs: str) -> Registry:
    """Return a registry where the owner of each rule is its place."""
    return Registry(
        Rule(glob, Entry(owner=str(place))) for place, glob in enumerate(globs)
    )


@pytest.mark.parametrize(
    ("globs", "account", "name", "owner"),
    [
        ((), "A", "a", ""),
        (("x",), "A", "a", ""),
        (("A",), "A", "a", "0"),
        (("a",), "A", "a", "0"),
        (("x", "A*", "a*"), "A", "a", "1"),
        (("x", "a*", "A*"), "A", "a", "1"),
        (("A", "*"), "A", "a", "0"),
        (("*", "A"), "A", "a", "0"),
        (("x*", "A", "*"), "A", "a", "1"),
        (("A", "A"), "A", "a", "0"),
        (("a", "A"), "A", "a", "0"),
        (("batch-*",), "id", "BATCH-1", ""),
        (("t[1]",), "id", "t[1]", ""),
        (("t[1]",), "id", "t1", "0"),
        (("t[[]1]",), "id", "t[1]", "0"),
        (("t[!1]",), "id", "t2", "0"),
        (("t[",), "id", "t[", "0"),
        (("?",), "id", "x", "0"),
        (("*x",), "id", "line\nx", "0"),
        (("a",), "id", "*", ""),
        (("id ",), "id", "", ""),
    ],
)
def test_the_first_match_wins(
    globs: tuple[str, ...], account: str, name: str, owner: str
) -> None:
    """Rules are tried in order, on the id and on the name, with case."""
    assert owned(*globs).entry(account, name).owner == owner


@given(st.lists(GLOBS, max_size=6), NAMES, NAMES)
def test_it_agrees_with_fnmatch(globs: list[str], account: str, name: str) -> None:
    """The search finds what trying each glob in order finds."""
    places = [
        str(place)
        for place, glob in enumerate(globs)
        if fnmatchcase(account, glob) or fnmatchcase(name, glob)
    ]

    assert owned(*globs).entry(account, name).owner == next(iter(places), "")
    assert Registry(exclude=globs).excludes(account, name) is bool(places)


def test_an_entry_is_given_as_it_was_taken() -> None:
    """All that a rule knows comes back."""
    entry = Entry(
        threshold_seconds=1.0,
        gap_tolerance_seconds=2.0,
        owner="o",
        team="t",
        environment="e",
    )

    assert Registry([Rule("A", entry)]).entry("A", "") is entry


def test_excludes_and_rules_do_not_touch() -> None:
    """An excluded account keeps its owner, and a rule excludes nothing."""
    both = Registry([Rule("A*", Entry(owner="o"))], ["A1"])

    assert both.entry("A1", "").owner == "o"
    assert both.excludes("A1", "") is True
    assert both.excludes("A2", "") is False


def test_answers_are_remembered_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More accounts than are remembered still get the right answers."""
    monkeypatch.setattr(registry, "REMEMBERED", 2)
    few = owned("a1", "a*")

    answers = [few.entry(f"a{i % 4}", "").owner for i in range(12)]

    assert answers == ["1", "0", "1", "1"] * 3


def test_rules_that_match_nothing_are_known() -> None:
    """A rule is used once it is the first match of an account, whatever it says."""
    rules = owned("a*", "a1", "b?", "c")

    before = rules.unused()
    for account in ("a1", "a2", "b1", "d"):
        rules.entry(account, "")
    rules.excludes("c", "")

    assert before == (0, 1, 2, 3)
    assert rules.unused() == (1,)


class TestTags:
    """What a JWT tells where no rule says anything."""

    def test_fill_what_is_open(self) -> None:
        """Tags and description are taken where the entry says nothing."""
        tags = ("Owner: ann", "team:x:y", "env:prod", "owner:later", "other:z", "lone")
        entry = with_tags(Entry(threshold_seconds=1.0), tags, "orders")

        assert entry == Entry(
            threshold_seconds=1.0,
            owner="ann",
            team="x:y",
            environment="prod",
            purpose="orders",
        )

    def test_rules_come_first(self) -> None:
        """What a rule says is not replaced."""
        said = Entry(owner="o", team="t", environment="e", purpose="p")
        tags = ("owner:x", "team:x", "environment:x")

        assert with_tags(said, tags, "x") == said

    @pytest.mark.parametrize("tags", [(), ("owner:", "owner: "), ("owner",)])
    def test_tell_nothing(self, tags: tuple[str, ...]) -> None:
        """Without a word of use the entry stays as it is."""
        entry = Entry(owner="")

        assert with_tags(entry, tags, "") is entry


def test_it_is_pure() -> None:
    """The module imports no clock, no loop, no files and nothing of ours."""
    tree = ast.parse(inspect.getsource(registry))

    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"__future__", "re", "fnmatch", "functools", "typing"} | {
        "collections"
    }
