"""What is known at the end of a cycle, from readings, answers and an inventory."""

from __future__ import annotations

from typing import Any

import pytest

from nats_idle_exporter.activity import (
    Origin,
    Reading,
    Reserved,
    StoredStream,
    Unwatched,
    UnwatchedKind,
    Verdict,
)
from nats_idle_exporter.monitoring.casework import CycleEnd, work
from nats_idle_exporter.monitoring.inquiry import Collector, Facts, Moment, Rhythm
from nats_idle_exporter.monitoring.inquiry.answers import Answer, LocalImport
from nats_idle_exporter.monitoring.inventory import (
    AccountImport,
    AccountLimits,
    InventoryAccount,
)
from nats_idle_exporter.removal import Entry, Registry, Rule
from nats_idle_exporter.removal.dossier import Check
from nats_idle_exporter.removal.facts import (
    UNLIMITED,
    AccountFacts,
    Copy,
    Import,
    Importer,
    Limits,
    Role,
    Told,
)
from nats_idle_exporter.removal.lifecycle import Lifecycle
from nats_idle_exporter.removal.registry import Decommission
from tests.activity.builders import A, B, Process, a_row, at
from tests.inquiry.builders import (
    UNBOUND,
    a_jwt_of,
    a_stock,
    a_system_view,
    a_view,
    an_answer,
    told_by_inventory,
)

RHYTHM = Rhythm(30.0, 300.0, 50)
WALL = 1_000_000.0
"""What our wall clock is ahead of the timelines."""
ONE = Process("N1", A, 0.0)
SHUT = AccountLimits(0, 0)
BY_JWT = Process("N2", B, 0.0, is_operator_mode=True, system_account="SYS")


class World:
    """A collector of one system, and what a cycle brings."""

    def __init__(self, *servers: Process) -> None:
        self.servers = servers or (ONE,)
        self.collector = Collector()
        self.collector.watch([each.endpoint for each in self.servers])
        self.now = 1000.0

    def reading(self, server: Process, *accounts: str, **changes: Any) -> Reading:
        """Return a reading of a server that lists these."""
        rows = [a_row(account) for account in accounts]
        return server.reading(self.now, rows, **{"stock": a_stock(), **changes})

    def cycle(
        self, *accounts: str, answers: tuple[Answer, ...] = (), **changes: Any
    ) -> Facts:
        """Read every server, all of which list these, and conclude."""
        self.now += 30.0
        for server in self.servers:
            self.collector.take(self.reading(server, *accounts, **changes))
        for answer in answers:
            for server in self.servers:
                self.collector.hear(answer, at(self.now), server.server_id)
        return self.conclude(*accounts)

    def conclude(self, *accounts: str, **view: Any) -> Facts:
        """Conclude, with a view of each of these."""
        is_operator_mode = self.servers[0].facts.get("is_operator_mode", False)
        shown = (a_view(a, is_operator_mode=is_operator_mode) for a in accounts)
        moment = Moment(at(self.now), self.now + WALL)
        return self.collector.conclude(a_system_view(*shown, **view), moment, RHYTHM)


class TestAnswers:
    """What servers tell when they are asked."""

    def test_all_of_it(self) -> None:
        """Facts hold what was told, and when it was asked."""
        world = World()
        world.cycle("A", "B")
        facts = world.cycle("A", "B", answers=(an_answer("A", "B", exports=2),))
        world.now += 60.0

        told = facts["A"]

        assert isinstance(told, AccountFacts)
        assert facts.views["A"].account == "A"
        assert told.imports == (Import("B", "q", "service"),)
        assert (told.exports, told.is_expired, told.limits) == (2, False, None)
        assert told.told_at == WALL + 1060.0
        assert facts["B"].told_at is None
        assert facts["B"].exports is None
        assert set(facts) == {"A", "B"}
        assert len(facts) == 2

    def test_what_was_published_stays(self) -> None:
        """Later answers change nothing of what readers have."""
        world = World()
        before = world.cycle("A", "B")
        known = before["A"]
        world.cycle("A", "B", answers=(an_answer("B", "A"), an_answer("A")))

        assert before["A"] == known
        assert known.importers == ()

    def test_importers_are_unknown_until_all_were_told(self) -> None:
        """Each account but itself counts, the excluded ones too."""
        world = World()
        everybody = ("A", "B", "C", "$G")
        assert world.cycle(*everybody)["A"].importers_unknown == 3
        facts = world.cycle(*everybody, answers=(an_answer("B"), an_answer("A")))
        assert facts["A"].importers_unknown == 2
        assert facts["C"].importers_unknown == 1
        facts = world.cycle(*everybody, answers=(an_answer("C"), an_answer("$G")))
        assert facts["A"].importers_unknown == 0

    def test_unmade_imports_are_unknown(self) -> None:
        """A server that could not make them out told nothing of them."""
        facts = World().cycle("A", "B", answers=(an_answer("B", imports=None),))

        assert facts["A"].importers_unknown == 1

    def test_old_answers_count_no_more(self) -> None:
        """Who cannot be asked again for long may import anew."""
        world = World()
        world.cycle("A", "B", answers=(an_answer("A"), an_answer("B")))
        late = [world.cycle("A", "B")["A"].importers_unknown for _ in range(3)]
        assert late == [0, 0, 0]
        assert world.cycle("A", "B")["A"].importers_unknown == 1

    def test_who_is_gone_is_forgotten(self) -> None:
        """An importer that was removed from the configuration is none."""
        world = World()
        facts = world.cycle("A", "B", answers=(an_answer("B", "A"),))
        assert facts["A"].importers
        world.now += 30.0
        world.collector.take(world.reading(ONE, "A"))

        assert world.conclude("A")["A"].importers == ()


class TestImporters:
    """Who imports from an account, and who says so."""

    def test_verdicts_are_of_the_same_cycle(self) -> None:
        """Names and verdicts come from the views; the excluded have none."""
        world = World()
        world.cycle("A", "B", "SYSTEM")
        for answer in (an_answer("B", "A"), an_answer("SYSTEM", "A", "B")):
            world.collector.hear(answer, at(world.now), "N1")
        view = a_system_view(
            a_view("A"), a_view("B", name="bee", verdict=Verdict.INACTIVE)
        )
        moment = Moment(at(world.now), WALL)

        facts = world.collector.conclude(view, moment, RHYTHM)

        imports = (Import("A", "q", "service"),)
        assert facts["A"].importers == (
            Importer("B", "bee", "inactive", imports, Told.SERVERS),
            Importer("SYSTEM", "SYSTEM", "", imports, Told.SERVERS),
        )

    def test_one_that_only_the_inventory_knows(self) -> None:
        """No server has it loaded, and it imports all the same."""
        world = World(BY_JWT)
        imports = (AccountImport("A", "x", "stream"), AccountImport("C", "y", "stream"))
        hidden = a_jwt_of("B", imports=imports)
        world.collector.list_accounts(told_by_inventory(hidden, a_jwt_of("A")))

        facts = world.cycle("A", answers=(an_answer("A", claimed=a_jwt_of("A")),))

        (importer,) = facts["A"].importers
        assert importer == Importer(
            "B", "b", "", (Import("A", "x", "stream"),), Told.INVENTORY
        )
        assert facts["A"].importers_unknown == 0

    def test_one_that_both_know(self) -> None:
        """Imports of both are told."""
        world = World(BY_JWT)
        listed = a_jwt_of("B", imports=(AccountImport("A", "x", "stream"),))
        world.collector.list_accounts(told_by_inventory(listed))

        facts = world.cycle("A", "B", answers=(an_answer("B", "A"),))

        (importer,) = facts["A"].importers
        assert importer.told is Told.BOTH
        assert importer.imports == (
            Import("A", "q", "service"),
            Import("A", "x", "stream"),
        )

    def test_one_that_only_an_older_copy_tells(self) -> None:
        """Of several sources nobody knows whose word servers have."""
        world = World(BY_JWT)
        older = a_jwt_of("B", 1.0, imports=(AccountImport("A", "x", "stream"),))
        listed = a_jwt_of("B", 2.0, others=(older,))
        world.collector.list_accounts(told_by_inventory(listed, a_jwt_of("A")))

        (importer,) = world.cycle("A")["A"].importers

        assert importer.told is Told.INVENTORY
        assert importer.imports == (Import("A", "x", "stream"),)

    def test_one_account_that_imports_from_very_many(self) -> None:
        """Each of them knows its own import."""
        many = [f"E{i:05}" for i in range(20_000)]
        big = an_answer("BIG", *many)

        facts = World().cycle("BIG", *many, answers=(big,))

        for account in many:
            (importer,) = facts[account].importers
            assert importer.imports == (Import(account, "q", "service"),)

    def test_untold_accounts_of_the_inventory(self) -> None:
        """Of an id alone nobody knows what it imports."""
        world = World(BY_JWT)
        bare = InventoryAccount(account="X")
        world.collector.list_accounts(told_by_inventory(bare, a_jwt_of("A")))

        facts = world.cycle("A", answers=(an_answer("A"),))

        assert facts["A"].importers_unknown == 1

    @pytest.mark.parametrize("is_complete", [True, False])
    def test_an_incomplete_inventory(self, is_complete: bool) -> None:  # noqa: FBT001 - of a table
        """In operator mode whoever is not loaded may import."""
        world = World(BY_JWT)
        told = told_by_inventory(a_jwt_of("A"), is_complete=is_complete)
        world.collector.list_accounts(told)

        facts = world.cycle("A", "Z", answers=(an_answer("A"), an_answer("Z")))

        assert facts["A"].importers_unknown == (0 if is_complete else None)
        assert facts["A"].is_listed
        assert facts["Z"].is_listed is (False if is_complete else None)
        assert facts["Z"].is_zombie is is_complete
        world.collector.list_accounts(None)
        assert world.cycle("A")["A"].importers_unknown is None
        assert world.cycle("A")["A"].is_listed is None

    @pytest.mark.parametrize(
        "view",
        [
            {"unwatched": (Unwatched(UnwatchedKind.ROUTE, "N9"),)},
            {"load_balanced": (A,)},
        ],
    )
    def test_a_server_that_nobody_reads(self, view: dict[str, Any]) -> None:
        """It may have accounts, streams and links that nobody knows."""
        world = World()
        world.cycle("A", answers=(an_answer("A"),))

        told = world.conclude("A", **view)["A"]

        assert (told.importers_unknown, told.holdings) == (None, None)
        assert not told.are_copies_known
        assert Role.LEAF_REMOTE in told.unknown_roles

    def test_an_endpoint_that_never_answered(self) -> None:
        """The same."""
        world = World(ONE, BY_JWT)
        world.collector.take(world.reading(ONE, "A"))

        told = world.conclude("A")["A"]

        assert (told.importers_unknown, told.holdings) == (None, None)


class TestHoldings:
    """What JetStream holds."""

    def test_streams_and_reservations(self) -> None:
        """With the moment at which they were told."""
        stream = StoredStream("A", "S", messages=3, bytes=30, consumers=1)
        stock = a_stock(stream, reserved={"A": Reserved(None, 7)})

        facts = World().cycle("A", "B", stock=stock)

        held = facts["A"].holdings
        assert held is not None
        assert (held.streams, held.consumers, held.messages, held.bytes) == (
            1,
            1,
            3,
            30,
        )
        assert held.reserved_memory_bytes == UNLIMITED
        assert held.reserved_storage_bytes == 7
        assert held.as_of_at == WALL + 1030.0
        nothing = facts["B"].holdings
        assert nothing is not None
        assert (nothing.streams, nothing.reserved_storage_bytes) == (0, 0)

    def test_old_rounds_count_no_more(self) -> None:
        """Three intervals of jsz without a round, and nothing is known."""
        world = World()
        world.cycle("A", "B", stock=a_stock(StoredStream("A", "S", 1, 1, 1)))
        rounds = [world.cycle("A", "B", stock=None) for _ in range(31)]

        for account in ("A", "B"):
            known = [facts[account].holdings is not None for facts in rounds]
            assert known == [True] * 30 + [False]

    def test_a_server_that_starts(self) -> None:
        """It lists streams as it finds them: only what it lists is known."""
        world, found = World(), a_stock(StoredStream("B", "S"))
        world.now = 0.0
        first = world.cycle("A", "B", stock=found, answers=(an_answer("B"),))
        later = [world.cycle("A", "B", stock=found) for _ in range(2)]

        assert first["A"].holdings is None
        assert first["B"].holdings is not None
        assert not first["A"].are_copies_known
        assert [each["A"].holdings is None for each in later] == [True, False]
        assert later[1]["A"].are_copies_known
        world.servers = (Process("N3", A, world.now),)
        assert world.cycle("A", "B", stock=found)["A"].holdings is None

    def test_a_server_that_runs_for_long(self) -> None:
        """One that found its streams long ago tells all at once."""
        assert World().cycle("A", "B")["A"].holdings is not None

    @pytest.mark.parametrize(
        ("jwt", "is_known"),
        [
            (a_jwt_of("A"), True),
            (a_jwt_of("A", expires_at=WALL + 9e9), True),
            (a_jwt_of("A", expires_at=WALL), False),
            (a_jwt_of("A", is_served=False), False),
            (a_jwt_of("A", is_served=False, others=(a_jwt_of("A"),)), True),
        ],
    )
    def test_an_account_that_no_server_loads(self, jwt: Any, is_known: bool) -> None:  # noqa: FBT001 - of a table
        """Without a JWT that holds, servers leave its streams on their disks."""
        world = World(BY_JWT)
        world.collector.list_accounts(told_by_inventory(jwt))
        world.collector.take(world.reading(BY_JWT, "SYS"))

        facts = world.conclude("A")

        assert (facts["A"].holdings is not None) is is_known
        stock = a_stock(StoredStream("A", "S"))
        world.collector.take(world.reading(BY_JWT, "SYS", stock=stock))
        assert world.conclude("A")["A"].holdings is not None

    @pytest.mark.parametrize(
        ("claimed", "expected"),
        [
            (None, None),
            (a_jwt_of("A"), (0, 0)),
            (a_jwt_of("A", tiers=Reserved(5, None)), (5, UNLIMITED)),
        ],
    )
    def test_hidden_tiers(self, claimed: Any, expected: tuple[int, int] | None) -> None:
        """In operator mode zeros may hide limits that only the JWT tells."""
        answer = an_answer("A", claimed=claimed)
        stock = a_stock(reserved={"A": Reserved(0, 0)})

        held = World(BY_JWT).cycle("A", stock=stock, answers=(answer,))["A"].holdings

        found = held and (held.reserved_memory_bytes, held.reserved_storage_bytes)
        assert found == expected

    def test_copies(self) -> None:
        """A stream of another account copies from this one."""
        world = World()
        streams = [
            StoredStream("B", "M", origins=(Origin("JS.A.API", is_mirror=True),)),
            StoredStream("A", "S", origins=(Origin("JS.A.API", is_mirror=False),)),
        ]
        stock = a_stock(*streams, reserved={"A": UNBOUND, "B": UNBOUND})
        imports = (LocalImport("A", "$JS.API.>", "service", "JS.A.API.>"),)
        untold = world.cycle("A", "B", stock=stock)
        facts = world.cycle(
            "A",
            "B",
            stock=stock,
            answers=(an_answer("B", imports=imports), an_answer("A", imports=imports)),
        )

        assert not untold["A"].are_copies_known
        assert facts["A"].copies == (Copy("B", "B", "M", is_mirror=True),)
        assert facts["A"].are_copies_known
        assert facts["B"].copies == ()


class TestJwts:
    """Who may log in, by a server's word and by the inventory's."""

    def test_loaded_but_not_asked_about(self) -> None:
        """Nobody knows by which JWT servers let clients in."""
        world = World(BY_JWT)
        world.collector.list_accounts(told_by_inventory(a_jwt_of("A", tags=("x:y",))))

        told = world.cycle("A")["A"]

        assert told.is_loaded
        assert (told.limits, told.is_expired) == (None, None)
        assert told.jwt is not None
        assert told.jwt.tags == ("x:y",)

    def test_unloaded_and_listed(self) -> None:
        """What a server had in memory once says nothing against a newer JWT."""
        world = World(BY_JWT)
        answer = an_answer("A", "B", claimed=a_jwt_of("A"))
        world.cycle("A", "B", answers=(answer,))
        shut = a_jwt_of("A", 2000.0, limits=AccountLimits(0, 0))
        world.collector.list_accounts(told_by_inventory(shut, a_jwt_of("B")))
        world.now += 30.0
        world.collector.take(world.reading(BY_JWT, "SYS"))

        facts = world.conclude("A", "B")

        assert not facts["A"].is_loaded
        assert facts["A"].limits == Limits(0, 0)
        assert facts["B"].importers == ()

    @pytest.mark.parametrize(
        ("jwt", "is_complete"),
        [
            (a_jwt_of("A", limits=SHUT, is_served=False), True),
            (a_jwt_of("A", limits=SHUT), False),
            (None, True),
        ],
    )
    def test_unloaded_and_not_known_to_be_served(
        self,
        jwt: Any,
        is_complete: bool,  # noqa: FBT001 - of a table
    ) -> None:
        """What was not pushed, or not read lately, lets nobody in and out."""
        world = World(BY_JWT)
        listed = [jwt] if jwt else []
        told = told_by_inventory(*listed, is_complete=is_complete)
        world.collector.list_accounts(told)
        world.collector.take(world.reading(BY_JWT, "SYS"))

        facts = world.conclude("A")

        assert (facts["A"].limits, facts["A"].is_expired) == (None, None)
        assert facts.closed == frozenset()

    def test_every_server_must_shut_it(self) -> None:
        """Each lets clients in by the JWT that it has in memory."""
        world = World(BY_JWT, Process("N3", A, 0.0, **BY_JWT.facts))
        shut = an_answer("A", claimed=a_jwt_of("A", limits=SHUT))
        wide = an_answer("A", claimed=a_jwt_of("A"))
        world.cycle("A")
        world.collector.hear(shut, at(world.now), "N2")

        assert world.cycle("A")["A"].limits is None
        assert world.collector.plan(1)[A] == ("N3", ["A"])
        world.collector.hear(wide, at(world.now), "N3")
        assert world.cycle("A")["A"].limits == Limits(UNLIMITED, UNLIMITED)
        world.collector.hear(shut, at(world.now), "N2")
        assert world.cycle("A")["A"].limits is None
        told_at = world.now
        world.collector.hear(shut, at(told_at), "N3")
        facts = world.cycle("A")
        assert facts["A"].limits == Limits(0, 0)
        assert facts.closed == {"A"}
        world.collector.hear(shut, at(world.now), "N2")
        assert world.cycle("A")["A"].told_at == told_at + WALL
        world.collector.hear(wide, at(world.now), "N2")
        world.collector.hear(wide, at(world.now), "N3")
        assert world.cycle("A").closed == frozenset()

    def test_a_server_that_is_another_since(self) -> None:
        """What its predecessor told says nothing of the JWT that it has now."""
        world = World(BY_JWT)
        shut = an_answer("A", claimed=a_jwt_of("A", limits=SHUT))
        assert world.cycle("A", answers=(shut,))["A"].limits == Limits(0, 0)
        world.servers = (Process("N9", B, world.now, **BY_JWT.facts),)

        assert world.cycle("A")["A"].limits is None

    def test_files_that_servers_read_since(self) -> None:
        """A changed configuration is not what servers run before they read it."""
        world = World()
        listed = a_jwt_of("A", limits=SHUT)
        told = told_by_inventory(listed, roles={}, written_at=world.now + 40.0)
        world.collector.list_accounts(told)

        facts = world.cycle("A", answers=(an_answer("A"),))
        assert facts["A"].limits is None
        assert facts["A"].is_expired is False
        assert facts["A"].unknown_roles == {Role.DEFAULT, Role.AUTH_CALLOUT}
        again = Process("N1", A, 0.0)
        again.loaded_at = world.now + 10.0
        world.servers = (again,)
        facts = world.cycle("A")
        assert facts["A"].limits == Limits(0, 0)
        assert facts["A"].unknown_roles == frozenset()

    def test_unloaded_and_listed_nowhere(self) -> None:
        """What a server told is all there is, and it is as old as it is."""
        world = World(BY_JWT)
        world.cycle("A", answers=(an_answer("A", claimed=a_jwt_of("A")),))
        world.now += 30.0
        world.collector.take(world.reading(BY_JWT, "SYS"))

        told = world.conclude("A")["A"]

        assert told.jwt is not None
        assert told.told_at == WALL + 1030.0

    def test_ids_that_no_account_has(self) -> None:
        """What a list by hand calls an account is none in operator mode."""
        world = World(BY_JWT)
        stranger = InventoryAccount(
            account="NAME", imports=(AccountImport("A", "q", "stream"),)
        )
        world.collector.list_accounts(
            told_by_inventory(a_jwt_of("A"), hidden=[stranger])
        )

        assert world.cycle("A")["A"].importers == ()


class TestRoles:
    """What the system needs accounts for."""

    def test_by_all_who_tell(self) -> None:
        """Servers tell some, configurations the rest."""
        world = World()
        roles = {"D": frozenset({Role.DEFAULT})}
        world.collector.list_accounts(told_by_inventory(roles=roles))

        facts = world.cycle("D", "L", "$SYS", leaf_accounts=frozenset({"L"}))

        assert facts["D"].roles == {Role.DEFAULT}
        assert facts["L"].roles == {Role.LEAF_REMOTE}
        assert facts["$SYS"].roles == {Role.SYSTEM}
        assert facts["D"].unknown_roles == frozenset()

    def test_what_is_told_is_not_unknown(self) -> None:
        """A server that nobody reads may tell more, but no less."""
        world = World()
        world.cycle("A", "$SYS")
        unread = [Unwatched(UnwatchedKind.ROUTE, "N9")]

        facts = world.conclude("A", "$SYS", unwatched=unread)

        unknown = {Role.LEAF_REMOTE, Role.DEFAULT, Role.AUTH_CALLOUT}
        assert facts["$SYS"].roles == {Role.SYSTEM}
        assert facts["$SYS"].unknown_roles == unknown
        assert facts["A"].unknown_roles == unknown | {Role.SYSTEM}


class TestEqualNames:
    """Name tags are not unique."""

    @pytest.mark.parametrize(
        ("match", "outcomes"),
        [
            ("twin", ["fail", "fail"]),
            ("tw*", ["fail", "fail"]),
            ("A", ["pass", "fail"]),
            ("*", ["pass", "pass"]),
        ],
    )
    def test_approval(self, match: str, outcomes: list[str]) -> None:
        """Who approves one of several must say which."""
        seen = (a_view("A", name="twin"), a_view("B", name="twin"))
        view = a_system_view(*seen, a_view("C", name="twine"))
        moment = Moment(at(1000.0), WALL)
        facts = World().collector.conclude(view, moment, RHYTHM)
        entry = Entry(decommission=Decommission(approved_by="ann"))
        rules = Registry([Rule(match, entry), Rule("twine", entry)])
        end = CycleEnd("default", view, facts, WALL)

        dossiers = work(end, Lifecycle(), rules).dossiers

        place = list(Check).index(Check.APPROVAL)
        found = [str(dossiers[each].items[place].outcome) for each in "ABC"]
        assert found == [*outcomes, "pass"]


class TestQuestions:
    """Who is asked about whom."""

    def test_only_servers_that_answered_in_this_cycle(self) -> None:
        """Each is asked as the server that answered."""
        world = World(ONE, BY_JWT)
        world.cycle("A", "B")
        assert {url: each[0] for url, each in world.collector.plan(1).items()} == {
            A: "N1",
            B: "N2",
        }
        world.now += 30.0
        world.collector.take(world.reading(ONE, "A", "B"))
        world.conclude("A", "B")

        assert world.collector.plan(9).keys() == {A}

    def test_new_accounts_are_next(self) -> None:
        """Who is listed since now need not wait."""
        world = World()
        world.cycle("A", "B")
        for _ in range(5):
            world.collector.plan(1)
        world.cycle("A", "B", "NEW")

        assert world.collector.plan(1) == {A: ("N1", ["NEW"])}

    def test_endpoints_that_are_taken_out(self) -> None:
        """They are asked nothing, and what they told counts no more."""
        world = World(ONE, BY_JWT)
        world.cycle("A")
        world.collector.watch([A])
        world.servers = (ONE,)
        world.collector.take(world.reading(BY_JWT, "A"))
        world.cycle("A")

        assert world.collector.plan(9).keys() == {A}
