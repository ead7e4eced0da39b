"""The ways out that docs/removal.md shows."""

from __future__ import annotations

from nats_idle_exporter.removal.facts import Limits
from nats_idle_exporter.removal.wayout import Place, Resolver, render_text
from tests.removal.ways import HELD, a_way, an_operator_way, importing

KEY = "ABTEAM4VUIZIGSAB7KPMQD5GHF7LGTVK6XUSX3WBNNWCOPSXX5GFUVSC"
PLACE = Place(
    monitoring_urls=("http://nats-0:8222", "http://nats-1:8222"),
    resolver=Resolver.FULL,
)

CONFIGURATION = render_text(
    a_way(
        PLACE,
        account="OLD-SHOP",
        name="OLD-SHOP",
        limits=Limits(-1, -1),
        holdings=HELD,
        importers=(importing("OLD-SHOP"),),
    )
)
"""Of an account that stands in the configuration."""

OPERATOR = render_text(
    an_operator_way(
        PLACE,
        account=KEY,
        name="OLD SHOP",
        limits=Limits(100, 2),
        importers=(importing(KEY),),
    )
)
"""Of an account that lives by its JWT."""
