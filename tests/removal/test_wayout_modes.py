"""The steps of each mode: what they change, and by which lines."""

from __future__ import annotations

import pytest

from nats_idle_exporter.removal.facts import Copy, Import, Limits
from nats_idle_exporter.removal.wayout import (
    Place,
    Resolver,
)
from tests.removal.hostile import (
    UNSAYABLE,
)
from tests.removal.ways import (
    COPIES,
    COPY,
    DELETE,
    DISABLE,
    GIVE_BACK,
    HELD,
    IMPORTS,
    KEY,
    OPEN,
    PURGE,
    a_way,
    an_operator_way,
    commands,
    importing,
    texts,
    the_step,
    titles,
)


class TestConfigurationMode:
    """Accounts that stand in files."""

    def test_disable(self) -> None:
        """Both limits are set to nothing, in the account's own block."""
        step = the_step(a_way(account="my app", limits=OPEN), DISABLE)

        assert step.snippets[0].text == (
            '"my app": {\n'
            "  limits: { max_connections: 0, max_leafnodes: 0 }\n"
            "  # what stands here already stays\n"
            "}"
        )
        assert texts(step.commands) == texts(step.undo)
        assert texts(step.commands) == [
            "nats-server -t -c CONFIG_FILE",
            "nats-server --signal reload=PID",
        ]

    @pytest.mark.parametrize(
        ("limits", "before"),
        [(Limits(5, 2), (5, 2)), (Limits(0, 0), (-1, -1)), (None, (-1, -1))],
    )
    def test_undo(self, limits: Limits | None, before: tuple[int, int]) -> None:
        """It restores the limits that are known, and no limit else."""
        connections, leafnodes = before
        for way in (a_way(limits=limits), an_operator_way(limits=limits)):
            step = the_step(way, DISABLE)
            snippets = [each.text for each in step.undo_snippets]
            shown = "\n".join([*snippets, *texts(step.undo)])

            assert (
                f"max_connections: {connections}, max_leafnodes: {leafnodes}" in shown
                or f"--conns={connections} --leaf-conns={leafnodes}" in shown
            )

    def test_imports(self) -> None:
        """Each import of each importer is shown as it stands in its block."""
        importer = importing("TEAM", 'a."b"', verdict="active")
        service = Import("TEAM", "q", "service")
        unlisted = importing("TEAM", imports=(service,), verdict="")
        step = the_step(a_way(importers=(importer, unlisted)), IMPORTS)

        assert [each.text for each in step.snippets] == [
            '{ stream: { account: "TEAM", subject: "a.\\"b\\"" } }',
            '{ service: { account: "TEAM", subject: "q" } }',
        ]
        assert 'imports of "SHOP", which is active, in' in step.snippets[0].purpose
        assert step.commands
        assert not the_step(a_way(), IMPORTS).commands

    def test_purge_of_no_token(self) -> None:
        """A name that no subject can carry has its streams deleted one by one."""
        lone = the_step(a_way(account="a.b", holdings=None), PURGE)
        step = the_step(a_way(account="a.b", holdings=HELD), PURGE)

        assert texts(step.commands) == [
            "nats --context=ACCOUNT_CONTEXT stream rm -- ORDERS",
            "nats --context=ACCOUNT_CONTEXT stream rm -- AUDIT",
            "nats --context=ACCOUNT_CONTEXT stream ls",
        ]
        assert texts(lone.commands) == ["nats --context=ACCOUNT_CONTEXT stream ls"]
        assert GIVE_BACK in titles(a_way(account="a.b", holdings=None))

    @pytest.mark.parametrize(
        "account", ["a b", "a.b", "*", ">", "a\tb", "a\u00a0b", ""]
    )
    def test_names_that_are_no_tokens(self, account: str) -> None:
        """No purge is printed that would name something else, or nothing."""
        lines = texts(the_step(a_way(account=account), PURGE).commands)

        assert not any("purge" in line for line in lines)


class TestOperatorMode:
    """Accounts that live by JWTs."""

    def test_disable(self) -> None:
        """The store is edited under the name, after a look at the key, and pushed."""
        step = the_step(an_operator_way(limits=OPEN), DISABLE)

        assert texts(step.commands) == [
            "nsc describe account --name=TEAM",
            "nsc edit account --name=TEAM --conns=0 --leaf-conns=0",
            "nsc push --account=TEAM",
        ]
        assert KEY in step.commands[0].purpose
        assert any("MEMORY" in note for note in step.notes)

    @pytest.mark.parametrize(
        ("resolver", "lines", "note"),
        [
            (
                Resolver.UNKNOWN,
                [
                    f"nsc push --account-removal={KEY}",
                    "nsc delete account --name=TEAM",
                ],
                "The push is for the full resolver",
            ),
            (
                Resolver.FULL,
                [
                    f"nsc push --account-removal={KEY}",
                    "nsc delete account --name=TEAM",
                ],
                "",
            ),
            (
                Resolver.MEMORY,
                ["nats-server --signal reload=PID", "nsc delete account --name=TEAM"],
                "resolver_preload",
            ),
            (Resolver.URL, ["nsc delete account --name=TEAM"], "account server"),
        ],
    )
    def test_delete(self, resolver: Resolver, lines: list[str], note: str) -> None:
        """Servers come first, by the means of their resolver, and then the store."""
        step = the_step(an_operator_way(Place(resolver=resolver)), DELETE)
        is_pushed = resolver in {Resolver.UNKNOWN, Resolver.FULL}

        assert texts(step.commands) == lines
        assert note in " ".join(step.notes)
        assert any("allow_delete" in each for each in step.warnings) == is_pushed
        assert any("push -P" in each for each in step.warnings) == is_pushed
        assert any("CLAIMS.LIST" in each for each in texts(step.checks)) == is_pushed

    def test_memory_resolver(self) -> None:
        """With JWTs in the configuration nothing is pushed, all is reloaded."""
        way = an_operator_way(Place(resolver=Resolver.MEMORY), holdings=HELD)
        lines = texts(the_step(way, DISABLE).commands)

        assert lines[-2:] == [
            "nsc generate config --mem-resolver --config-file=RESOLVER_FILE --force",
            "nats-server --signal reload=PID",
        ]
        assert not any("push" in each.text for each in commands(way))

    def test_imports(self) -> None:
        """Each import is deleted from its importer's JWT, which is pushed."""
        step = the_step(an_operator_way(importers=(importing(KEY),)), IMPORTS)

        assert step.notes == ('"SHOP", which is inactive, imports "orders.>".',)
        assert texts(step.commands) == [
            (
                "nsc delete import --account=SHOP '--subject=orders.>' "
                f"--src-account={KEY}"
            ),
            "nsc push --account=SHOP",
        ]

    def test_imports_that_cannot_be_said(self) -> None:
        """An importer that no command line can name is not left out silently."""
        importer = importing(KEY, name="lost \ufffd", verdict="")
        step = the_step(an_operator_way(importers=(importer,)), IMPORTS)

        assert not step.commands
        assert step.notes[0] == '"lost \ufffd" imports "orders.>".'
        assert "by hand" in step.notes[1]

    @pytest.mark.parametrize("name", UNSAYABLE)
    def test_names_that_cannot_be_said(self, name: str) -> None:
        """What nsc cannot be told is left out whole; servers are told the key."""
        way = an_operator_way(name=name, holdings=HELD)
        lines = [each.text for each in commands(way)]

        assert [each for each in lines if each.startswith("nsc")] == [
            f"nsc push --account-removal={KEY}"
        ]
        assert f"nats --context=SYSTEM_CONTEXT server account purge -- {KEY}" in lines
        assert UNSAYABLE[name] in the_step(way, DISABLE).notes[1]


class TestImporters:
    """How sure it is that nobody imports from the account."""

    @pytest.mark.parametrize(
        ("unknown", "words"),
        [
            (0, "Nobody is known to import from it."),
            (1, "Nobody told what 1 more account may import from it."),
            (None, "It is not known which accounts there are"),
        ],
    )
    def test_none(self, unknown: int | None, words: str) -> None:
        """Unknown is never none."""
        (note,) = the_step(a_way(importers_unknown=unknown), IMPORTS).notes

        assert note.startswith(words)

    def test_some(self) -> None:
        """Where all are known nothing is added."""
        assert not the_step(a_way(importers=(importing("TEAM"),)), IMPORTS).notes


def test_copies() -> None:
    """Streams that copy from it are named, and who owns them."""
    source = Copy("B", "B", "ALL", is_mirror=False)
    step = the_step(a_way(copies=(COPY, source), are_copies_known=False), COPIES)

    assert step.notes[:3] == (
        'Stream "MIRROR" of "SHOP" mirrors it.',
        'Stream "ALL" of "B" sources from it.',
        "Not all streams of other accounts are known: ask their owners.",
    )
