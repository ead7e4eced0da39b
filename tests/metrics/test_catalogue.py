"""The catalogue keeps the naming rules that promlint and the design set."""

from __future__ import annotations

import re

import pytest

from nats_idle_exporter.metrics import FAMILIES, Family, Kind
from nats_idle_exporter.metrics.family import ACCOUNT_LABELS, PREFIX

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.name)


def test_names_are_unique_and_sorted() -> None:
    """The catalogue is sorted by name and no name appears twice."""
    names = [family.name for family in FAMILIES]

    assert names == sorted(set(names))


@every_family
class TestFamily:
    """Rules that each family keeps."""

    def test_name_is_snake_case_with_a_known_prefix(self, family: Family) -> None:
        """A name has no colon and says whether it is of accounts or of us."""
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", family.name)
        assert family.name.startswith(("account_", PREFIX))

    def test_total_marks_counters_only(self, family: Family) -> None:
        """A name ends with _total exactly when it counts."""
        assert family.name.endswith("_total") == (family.kind is Kind.COUNTER)

    def test_info_marks_info_families_only(self, family: Family) -> None:
        """A name ends with _info exactly when its value is always 1."""
        assert family.name.endswith("_info") == (family.kind is Kind.INFO)

    def test_no_reserved_suffix(self, family: Family) -> None:
        """A name has none of the suffixes that histograms and summaries own."""
        reserved = ("_bucket", "_count", "_sum", "_gcount", "_gsum", "_created")

        assert not family.name.endswith(reserved)

    def test_unit_is_spelled_in_the_name(self, family: Family) -> None:
        """A name ends with its base unit exactly when it has one."""
        assert family.unit in {"", "seconds", "bytes"}
        for unit in ("seconds", "bytes"):
            assert family.name.endswith(f"_{unit}") == (family.unit == unit)

    def test_labels_are_legal_and_not_reserved(self, family: Family) -> None:
        """Labels are snake case, unique, clash with nothing Prometheus sets."""
        reserved = {"le", "quantile", "job", "instance", "type", "cluster"}

        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", label) for label in family.labels)
        assert len(set(family.labels)) == len(family.labels)
        assert reserved.isdisjoint(family.labels)

    def test_no_label_name_inside_the_metric_name(self, family: Family) -> None:
        """A name does not repeat a label, but for words the design fixes."""
        words = family.name.removeprefix(PREFIX).removeprefix("account_").split("_")
        words = words[1:] if words[0] == "endpoint" else words

        assert set(words).isdisjoint(family.labels)

    def test_account_families_have_the_account_labels(self, family: Family) -> None:
        """A per-account family carries system, account and account_name first."""
        is_of_account = family.name.startswith("account_")

        assert (family.labels[:3] == ACCOUNT_LABELS) == is_of_account

    def test_help_is_one_sentence_that_needs_no_escaping(self, family: Family) -> None:
        """A help text starts with a capital or digit, ends with one full stop."""
        assert re.fullmatch(r"[A-Z1][^.\\\n\"]+\.", family.help)

    def test_help_says_unit_and_clock(self, family: Family) -> None:
        """A help text of seconds says so, and of a moment whose clock it is."""
        if family.name.endswith("_timestamp_seconds"):
            assert "Unix time, by the exporter's clock" in family.help
        elif family.unit:
            assert family.unit in family.help

    def test_help_says_that_it_is_cached(self, family: Family) -> None:
        """A help text says as of when it is, unless it never changes."""
        is_constant = family.name == f"{PREFIX}build_info"

        assert is_constant or "last cycle" in family.help
