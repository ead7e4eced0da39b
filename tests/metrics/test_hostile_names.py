"""Account names are strangers' words: the page survives them, and they survive it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nats_idle_exporter.metrics import Format, render
from tests.metrics.builders import NO_PROCESS, an_account, of_accounts
from tests.metrics.parsing import values

NAMES = [
    "",
    " ",
    " padded ",
    '"',
    '""',
    "\\",
    '\\"',
    "\\\\n",
    "trailing\\",
    "line\nbreak",
    "\n",
    "carriage\r\nreturn",
    "tab\t",
    "%s %d %% %",
    "{} {0}",
    "<script>alert(1)</script>",
    '",account="other"} 1\naccount_inactive{account="forged',
    "# EOF",
    "# TYPE x counter",
    "a,b=c",
    "}",
    "é ü ж 账户 🙂",
    "\u202eright to left",
    "\u2028line\u2029paragraph\x85next",
    "NUL\0",
    "".join(map(chr, range(32))) + "\x7f",
    "\ufeffmark",
    "x" * 1024,
    "\\" * 100,
]


@pytest.mark.parametrize("form", Format, ids=lambda form: form.name)
class TestHostileNames:
    """Both parsers give hostile names back as they were."""

    def test_every_name_comes_back(self, form: Format) -> None:
        """A page full of hostile names is read as exactly these names."""
        accounts = [an_account(name, connections=i) for i, name in enumerate(NAMES)]

        page = render(of_accounts(*accounts), NO_PROCESS)[form]

        expected = {name: i for i, name in enumerate(NAMES)}
        for label in ("account", "account_name"):
            assert values(form, page, "account_connections", label) == expected

    def test_a_lone_surrogate_is_spelled_out(self, form: Format) -> None:
        """What UTF-8 cannot carry does not make the page unreadable."""
        page = render(of_accounts(an_account("a\ud800b")), NO_PROCESS)[form]

        found = values(form, page, "account_inactive", "account")
        assert found == {"a\\ud800b": 1}

    @given(
        names=st.sets(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
            | st.text(st.sampled_from('\\"\n{},= #%\r\0'), max_size=8),
            min_size=1,
            max_size=5,
        )
    )
    def test_any_names_come_back(self, form: Format, names: set[str]) -> None:
        """Whatever the names are, the page is read as exactly these names."""
        publication = of_accounts(*(an_account(name) for name in names))

        page = render(publication, NO_PROCESS)[form]

        assert values(form, page, "account_inactive", "account").keys() == names
