"""How many random histories are run; ``make histories`` runs four times as many."""

from __future__ import annotations

import os

HISTORIES = int(os.environ.get("HISTORIES", "500"))
