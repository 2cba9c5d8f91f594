"""Whose a fact is that was seen while the database was out of reach."""

from __future__ import annotations

import pytest

from streaming.frames import Observation
from streaming.tenure import STRETCHES_KEPT, Tenures, UnsettledError, Verdict

OURS, UNSETTLED, THEIRS = Verdict.OURS, Verdict.UNSETTLED, Verdict.THEIRS


@pytest.fixture
def tenures() -> Tenures:
    """A camera leased at 100 s, sure until 112 s."""
    tenures = Tenures()
    tenures.renew("gate", at=100, until=112, is_same=False)
    return tenures


@pytest.mark.parametrize(
    ("captured_at", "verdict"),
    [
        pytest.param(50, OURS, id="left by an earlier process"),
        pytest.param(112, OURS, id="last instant of the lease"),
        pytest.param(112.01, UNSETTLED, id="after the lease"),
    ],
)
def test_a_fact_waits_once_the_lease_is_not_sure(tenures, captured_at, verdict):
    assert tenures.judge("gate", captured_at) is verdict


def test_what_waited_is_ours_when_nobody_else_had_the_camera(tenures):
    tenures.renew("gate", at=500, until=512, is_same=True)
    assert {tenures.judge("gate", at) for at in (111, 113, 300, 512)} == {OURS}


def test_what_waited_is_dropped_when_another_had_the_camera(tenures):
    tenures.renew("gate", at=500, until=512, is_same=False)
    assert [tenures.judge("gate", at) for at in (111, 113, 499, 500)] == [OURS, THEIRS, THEIRS, OURS]


def test_after_giving_a_camera_up_only_what_the_lease_covered_is_ours(tenures):
    tenures.end("gate")
    assert [tenures.judge("gate", at) for at in (112, 113)] == [OURS, THEIRS]
    assert tenures.sure_until("gate") == 0


def test_a_renewal_after_giving_up_begins_anew(tenures):
    tenures.end("gate")
    tenures.renew("gate", at=200, until=212, is_same=True)
    assert [tenures.judge("gate", at) for at in (150, 205)] == [THEIRS, OURS]


def test_a_lease_never_shrinks(tenures):
    tenures.renew("gate", at=90, until=102, is_same=True)
    assert tenures.sure_until("gate") == 112


def test_one_camera_says_nothing_of_another(tenures):
    tenures.end("gate")
    assert tenures.judge("yard", 1000) is OURS
    assert tenures.sure_until("yard") == 0


def test_what_is_remembered_is_bounded(tenures):
    for n in range(1, 10 * STRETCHES_KEPT):
        tenures.renew("gate", at=n * 1000, until=n * 1000 + 12, is_same=False)
    assert len(tenures._stretches["gate"]) == STRETCHES_KEPT


def test_the_guard_writes_waits_and_drops(tenures):
    written: list[float] = []
    record = tenures.guard(lambda observation: written.append(observation.captured_at))
    record(Observation("crossing", "gate", 105, {}))
    late = Observation("crossing", "gate", 120, {})
    with pytest.raises(UnsettledError):
        record(late)
    tenures.end("gate")
    record(late)
    assert written == [105]
