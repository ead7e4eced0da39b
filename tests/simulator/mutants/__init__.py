"""Deliberately wrong hearts, built around the door of the right one.

A mutant shows that the judge would notice. Most change what goes in or comes
out; where a mistake can only be made inside, the ledger's own tests show it.
"""

from __future__ import annotations

from tests.simulator.draft import FOUND
from tests.simulator.mutants.clocks import (
    FollowingTimeline,
    MonotonicTimeline,
    WallTimeline,
)
from tests.simulator.mutants.connections import (
    BelievesStamps,
    IgnoresClosed,
    TrustsAFullRing,
)
from tests.simulator.mutants.discovery import (
    DroppedIsEnded,
    DroppedIsUnnamed,
    FailureFindsNobody,
    StrangersAreKin,
    TrustsTheFound,
    UntoldIsEmpty,
)
from tests.simulator.mutants.exemptions import ExemptsForEver, RaisesTheExempt
from tests.simulator.mutants.forgiving import (
    forgives_any_number,
    forgives_every_hole,
    never_outdated,
)
from tests.simulator.mutants.jetstream import (
    CountsMirrors,
    IgnoresConsumers,
    IgnoresJetStream,
    JoinsByName,
    MissingIsQuiet,
)
from tests.simulator.mutants.listings import (
    CountsCycles,
    ForgetsDeletions,
    IgnoresInventory,
    IgnoresStrangers,
    JwtsAreAncient,
    LackedIsZombie,
    NamesByServersAlone,
    PartIsWhole,
    TrustsTheLoaded,
    ZombiesAreGone,
)
from tests.simulator.mutants.restarts import (
    ForgetsBaselines,
    ForgetsRaised,
    WallDowntime,
)
from tests.simulator.mutants.rows import (
    AbsentIsGone,
    AppearingIsNoUse,
    BytesOnly,
    ComputedResets,
    CountsRoutes,
    DefaultList,
    NoLeafnodes,
    NoResets,
    OldCountersAreNone,
    OneDirection,
)
from tests.simulator.mutants.servers import (
    ClaimsToAnswered,
    ClearsOnOutage,
    DatesAtAsked,
    FailureIsSilence,
    IgnoresAServer,
    IgnoresPeers,
    IgnoresReloads,
    KeysByEndpoint,
    NoSystemAccount,
    OldIsNew,
    TrustsTheStart,
)
from tests.simulator.mutants.wrapper import UNSOUND, Mutant

SIGHT = frozenset({"sight"})

__all__ = ["MUTANTS", "Mutant"]

MUTANTS: dict[str, Mutant] = {
    "ignores a server": Mutant(IgnoresAServer, breaks=frozenset({"held"})),
    "keys by endpoint": Mutant(KeysByEndpoint),
    "clears on outage": Mutant(ClearsOnOutage, breaks=frozenset({"cleared"})),
    "no resets": Mutant(NoResets),
    "computed resets": Mutant(ComputedResets),
    "absent is gone": Mutant(AbsentIsGone, breaks=frozenset({"gone"})),
    "appearing is no use": Mutant(AppearingIsNoUse),
    "counts routes": Mutant(CountsRoutes, breaks=frozenset({"late"})),
    "default list": Mutant(DefaultList, breaks=frozenset({"gone"})),
    "no leafnodes": Mutant(NoLeafnodes),
    "bytes only": Mutant(BytesOnly),
    "one direction": Mutant(OneDirection),
    "old is new": Mutant(OldIsNew),
    "ignores reloads": Mutant(IgnoresReloads),
    "trusts the start": Mutant(TrustsTheStart),
    "old counters are none": Mutant(OldCountersAreNone),
    "dates at asked": Mutant(DatesAtAsked),
    "claims to answered": Mutant(ClaimsToAnswered),
    "ignores peers": Mutant(IgnoresPeers),
    "ignores jsz": Mutant(IgnoresJetStream),
    "joins jsz by name": Mutant(JoinsByName),
    "missing is quiet": Mutant(MissingIsQuiet),
    "ignores consumers": Mutant(IgnoresConsumers),
    "counts mirrors": Mutant(CountsMirrors, breaks=frozenset({"cleared", "late"})),
    "trusts the loaded": Mutant(TrustsTheLoaded),
    "ignores the inventory": Mutant(IgnoresInventory, breaks=frozenset({"unseen"})),
    "part is whole": Mutant(PartIsWhole, breaks=frozenset({"gone"})),
    "counts cycles": Mutant(CountsCycles, breaks=frozenset({"gone"})),
    "zombies are gone": Mutant(ZombiesAreGone, breaks=frozenset({"gone"})),
    "lacked is zombie": Mutant(LackedIsZombie, breaks=frozenset({"label"})),
    "raises the exempt": Mutant(RaisesTheExempt, breaks=frozenset({"exempt"})),
    "exempts for ever": Mutant(ExemptsForEver, breaks=frozenset({"exempt"})),
    "ignores strangers": Mutant(IgnoresStrangers),
    "forgets deletions": Mutant(ForgetsDeletions),
    "JWTs are ancient": Mutant(JwtsAreAncient, breaks=frozenset({"young"})),
    "names by servers alone": Mutant(NamesByServersAlone, breaks=frozenset({"name"})),
    "no system account": Mutant(NoSystemAccount, breaks=frozenset({"excluded"})),
    "failure is silence": Mutant(FailureIsSilence),
    "ignores closed connections": Mutant(IgnoresClosed),
    "trusts a full ring": Mutant(TrustsAFullRing),
    "believes server stamps": Mutant(BelievesStamps),
    "forgives every hole": Mutant(forgives_every_hole, breaks=frozenset({"idle"})),
    "forgives any number": Mutant(forgives_any_number),
    "never outdated": Mutant(never_outdated, breaks=frozenset({"observed"})),
    "forgets raised": Mutant(ForgetsRaised, breaks=frozenset({"cleared"})),
    "forgets baselines": Mutant(ForgetsBaselines),
    "wall clock downtime": Mutant(
        WallDowntime, breaks=frozenset({"stretched", *UNSOUND})
    ),
    "wall clock": Mutant(timeline=WallTimeline),
    "monotonic clock": Mutant(timeline=MonotonicTimeline),
    "follows the wall clock": Mutant(
        timeline=FollowingTimeline, breaks=frozenset({"monotony"})
    ),
    "dropped is ended": Mutant(DroppedIsEnded, kinds=FOUND),
    "trusts the found": Mutant(TrustsTheFound, breaks=SIGHT, kinds=FOUND),
    "failure finds nobody": Mutant(
        FailureFindsNobody, breaks=frozenset({"late"}), kinds=FOUND
    ),
    "untold is empty": Mutant(UntoldIsEmpty, breaks=SIGHT, kinds=FOUND),
    "dropped is unnamed": Mutant(DroppedIsUnnamed, kinds=FOUND),
    "strangers are kin": Mutant(StrangersAreKin, kinds=FOUND),
}
