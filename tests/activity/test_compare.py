"""What one comparison of two readings of a server shows."""

from __future__ import annotations

import pytest

from nats_idle_exporter.activity import EvidenceKind, Row
from nats_idle_exporter.activity.compare import Change, compare
from tests.activity.builders import a_row, used

CONNECTION, LEAFNODE = EvidenceKind.CONNECTION, EvidenceKind.LEAFNODE
SENT, RECEIVED = EvidenceKind.SENT, EvidenceKind.RECEIVED
NOTHING = Change()
BLIND = Change(is_blind=True)


class TestCompare:
    """compare."""

    @pytest.mark.parametrize(
        ("before", "after", "expected"),
        [
            pytest.param(a_row(), a_row(), NOTHING, id="nothing"),
            pytest.param(used(5), used(5), NOTHING, id="old traffic"),
            pytest.param(used(5), used(6), Change((RECEIVED,)), id="received"),
            pytest.param(
                a_row(total=(0, 0, 1, 0)),
                a_row(total=(0, 0, 2, 0)),
                Change((RECEIVED,)),
                id="empty payload",
            ),
            pytest.param(
                a_row(total=(1, 5, 0, 0)),
                a_row(total=(1, 6, 0, 0)),
                Change((SENT,)),
                id="sent bytes",
            ),
            pytest.param(
                a_row(total=(5, 5, 5, 5), routes=(3, 3, 3, 3)),
                a_row(total=(9, 9, 9, 9), routes=(7, 7, 7, 7)),
                NOTHING,
                id="route traffic",
            ),
            pytest.param(
                a_row(total=(5, 5, 0, 0), gateways=(5, 5, 0, 0)),
                a_row(total=(6, 6, 0, 0), gateways=(6, 6, 0, 0)),
                NOTHING,
                id="gateway traffic",
            ),
            pytest.param(
                a_row(total=(5, 5, 5, 5), routes=(3, 3, 3, 3)),
                a_row(total=(9, 9, 9, 9), routes=(7, 7, 6, 6)),
                Change((RECEIVED,)),
                id="edge beside route traffic",
            ),
            pytest.param(
                a_row(total=(5, 5, 5, 5), routes=(0, 0, 0, 0)),
                a_row(total=(6, 6, 6, 6), routes=(2, 2, 2, 2)),
                Change((RECEIVED, SENT)),
                id="edge shrank without a reset: still a difference",
            ),
            pytest.param(used(5), used(3), Change((RECEIVED,)), id="reset, then used"),
            pytest.param(used(5), a_row(), BLIND, id="reset, then nothing"),
            pytest.param(
                a_row(total=(5, 5, 0, 0), routes=(5, 5, 0, 0)),
                a_row(total=(2, 2, 0, 0), routes=(2, 2, 0, 0)),
                BLIND,
                id="reset, then route traffic only",
            ),
            pytest.param(
                a_row(total=(5, 5, 5, 5), gateways=(1, 1, 1, 1)),
                a_row(total=(5, 5, 5, 5), gateways=(0, 0, 0, 0)),
                Change((RECEIVED, SENT)),
                id="only a share fell: a reset, and what stands is use",
            ),
            pytest.param(
                a_row(connections=1),
                a_row(connections=1),
                Change((CONNECTION,)),
                id="here",
            ),
            pytest.param(
                a_row(connections=1),
                a_row(),
                Change((CONNECTION,)),
                id="left: was here",
            ),
            pytest.param(
                a_row(), a_row(leafnodes=1), Change((LEAFNODE,)), id="leafnode"
            ),
            pytest.param(
                a_row(leafnodes=1), a_row(), Change((LEAFNODE,)), id="leafnode left"
            ),
            pytest.param(
                a_row(connections=1, leafnodes=1),
                a_row(connections=1, leafnodes=1),
                Change((CONNECTION, LEAFNODE)),
                id="both",
            ),
        ],
    )
    def test_without_reload(self, before: Row, after: Row, expected: Change) -> None:
        """Any difference at the edge and any presence is use; a lost past is blind."""
        assert compare(before, after, was_reloaded=False, is_wiped=False) == expected

    @pytest.mark.parametrize(
        ("before", "after", "is_wiped", "expected"),
        [
            pytest.param(a_row(), a_row(), False, NOTHING, id="unused, kept"),
            pytest.param(used(5), used(5), False, BLIND, id="may be added again"),
            pytest.param(used(5), used(6), False, Change((RECEIVED,)), id="used, kept"),
            pytest.param(used(5), used(5), True, Change((RECEIVED,)), id="equal again"),
            pytest.param(used(5), a_row(), True, BLIND, id="wiped"),
            pytest.param(a_row(), a_row(), True, BLIND, id="unused, wiped"),
            pytest.param(
                a_row(connections=1),
                a_row(connections=1),
                True,
                Change((CONNECTION,)),
                id="here all along",
            ),
        ],
    )
    def test_with_reload(
        self,
        before: Row,
        after: Row,
        is_wiped: bool,  # noqa: FBT001
        expected: Change,
    ) -> None:
        """After a reload equal counters may hide a reset, and old servers wipe all."""
        assert compare(before, after, was_reloaded=True, is_wiped=is_wiped) == expected
