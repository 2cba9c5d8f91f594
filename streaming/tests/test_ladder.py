"""Which size of picture a viewer gets, judged from how long its sends took."""

from hypothesis import given
from hypothesis import strategies as st

from streaming.bus import FULL, MEDIUM, TIERS, TILE
from streaming.ladder import CLEAN_S, Ladder

INTERVAL_S = 0.1
SLOW, QUICK = 0.4, 0.01


def fed(ladder, took_s, times, at=0.0):
    """Send ``times`` pictures that took ``took_s`` each, one an interval; return the last size and the time."""
    tier = ladder.tier
    for _ in range(times):
        at += max(took_s, INTERVAL_S)
        tier = ladder.sent(took_s, at)
    return tier, at


def test_two_slow_sends_are_forgiven():
    assert fed(Ladder(FULL, INTERVAL_S, 0.0), SLOW, 2)[0] == FULL


def test_three_slow_sends_in_a_row_step_down():
    assert fed(Ladder(FULL, INTERVAL_S, 0.0), SLOW, 3)[0] == MEDIUM


def test_a_quick_send_between_starts_the_count_again():
    ladder = Ladder(FULL, INTERVAL_S, 0.0)
    _, at = fed(ladder, SLOW, 2)
    _, at = fed(ladder, QUICK, 1, at)
    assert fed(ladder, SLOW, 2, at)[0] == FULL


def test_ten_clean_seconds_step_up_again():
    ladder = Ladder(FULL, INTERVAL_S, 0.0)
    _, at = fed(ladder, SLOW, 3)
    assert fed(ladder, QUICK, 99, at)[0] == MEDIUM
    assert fed(ladder, QUICK, 2, at + 99 * INTERVAL_S)[0] == FULL


def test_a_link_that_fails_again_at_once_is_tried_half_as_often():
    ladder = Ladder(FULL, INTERVAL_S, 0.0)
    _, at = fed(ladder, SLOW, 3)
    _, at = fed(ladder, QUICK, 101, at)
    tier, at = fed(ladder, SLOW, 3, at)
    assert tier == MEDIUM
    tier, at = fed(ladder, QUICK, int(1.5 * CLEAN_S / INTERVAL_S), at)
    assert tier == MEDIUM
    assert fed(ladder, QUICK, int(CLEAN_S / INTERVAL_S), at)[0] == FULL


def test_nobody_gets_a_larger_picture_than_asked_for():
    assert fed(Ladder(TILE, INTERVAL_S, 0.0), QUICK, 1000)[0] == TILE


@given(st.sampled_from(TIERS), st.lists(st.floats(0, 5), max_size=200))
def test_the_size_stays_between_the_smallest_and_the_wanted(wanted, sends):
    ladder, at = Ladder(wanted, INTERVAL_S, 0.0), 0.0
    for took_s in sends:
        at += took_s + 0.01
        assert TIERS.index(ladder.sent(took_s, at)) >= TIERS.index(wanted)
