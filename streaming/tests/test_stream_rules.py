"""States, kills, waits and notices of one camera, by table and for any history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.rules import Backoff, Meter, Notice, OutageWatch, Pace, State, is_hanging, judge_state, tier_size


@pytest.mark.parametrize(
    ("now", "last", "state"),
    [
        pytest.param(10.0, 9.9, State.LIVE, id="fresh"),
        pytest.param(12.0, 10.0, State.LIVE, id="two seconds old"),
        pytest.param(12.1, 10.0, State.STALE, id="older"),
        pytest.param(69.9, 10.0, State.STALE, id="nearly a minute"),
        pytest.param(70.0, 10.0, State.OFFLINE, id="a minute"),
        pytest.param(1.0, None, State.STALE, id="no picture yet"),
        pytest.param(60.0, None, State.OFFLINE, id="no picture for a minute"),
    ],
)
def test_the_state_follows_the_age_of_the_newest_picture(now: float, last: float | None, state: State) -> None:
    assert judge_state(now, last, started_at=0.0) is state


@pytest.mark.parametrize(
    ("now", "last", "hangs"),
    [
        pytest.param(104.9, 100.0, False, id="just before"),
        pytest.param(105.0, 100.0, True, id="five seconds"),
        pytest.param(109.9, None, False, id="still opening"),
        pytest.param(110.0, None, True, id="opening for ever"),
        pytest.param(106.0, 99.0, False, id="an earlier reader's picture"),
    ],
)
def test_a_reader_without_pictures_is_killed(now: float, last: float | None, hangs: bool) -> None:
    assert is_hanging(now, 100.0, last) is hangs


def test_waits_double_to_thirty_seconds_and_start_again_after_a_good_minute() -> None:
    backoff = Backoff(draw=lambda: 0.0)
    assert [backoff.lost(0) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    backoff.got_frame(100)
    assert backoff.lost(159) == 30
    backoff.got_frame(200)
    assert backoff.lost(260) == 1


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
def test_jitter_shortens_a_wait_by_a_fifth_at_most(dice: list[float]) -> None:
    draws = iter(dice)
    backoff = Backoff(draw=lambda: next(draws))
    for number in range(len(dice)):
        full = min(30.0, 2.0**number)
        assert 0.8 * full <= backoff.lost(0) <= full


def watch(*states: State, start: int = 0) -> list[Notice]:
    """Look once a second."""
    outage = OutageWatch(last_live_at=start)
    return [notice for now, state in enumerate(states, start) if (notice := outage.look(state, now))]


def test_an_outage_of_a_minute_is_told_once_and_its_end_once() -> None:
    live, gone = [State.LIVE] * 5, [State.STALE] * 60
    assert watch(*live, *gone, *[State.OFFLINE] * 100, *[State.LIVE] * 30) == [Notice.WENT_OFFLINE, Notice.CAME_BACK]


def test_a_short_outage_is_not_told() -> None:
    assert watch(*[State.LIVE] * 5, *[State.STALE] * 58, *[State.LIVE] * 30) == []


def test_a_blip_of_pictures_is_not_the_end_of_an_outage() -> None:
    blips = ([State.LIVE] * 5 + [State.STALE] * 5) * 10
    assert watch(*[State.OFFLINE] * 61, *blips) == [Notice.WENT_OFFLINE]


def test_an_outage_that_an_earlier_process_told_of_is_not_told_again() -> None:
    outage = OutageWatch(last_live_at=0, is_reported=True)
    assert [outage.look(State.OFFLINE, now) for now in range(200)] == [None] * 200
    assert [n for now in range(200, 220) if (n := outage.look(State.LIVE, now))] == [Notice.CAME_BACK]


@given(st.lists(st.sampled_from(list(State)), max_size=400))
def test_notices_alternate(states: list[State]) -> None:
    notices = watch(*states)
    assert notices == [Notice.WENT_OFFLINE, Notice.CAME_BACK][:2] * (len(notices) // 2) + (
        [Notice.WENT_OFFLINE] if len(notices) % 2 else []
    )


@pytest.mark.parametrize(
    ("tier", "size"), [("full", (1280, 720)), ("medium", (640, 360)), ("tile", (320, 180))], ids=str
)
def test_a_tier_shrinks_a_large_picture(tier: str, size: tuple[int, int]) -> None:
    assert tier_size(tier, 1920, 1080) == size


@given(st.sampled_from(["full", "medium", "tile"]), st.integers(1, 4000), st.integers(1, 4000))
def test_a_tier_never_enlarges(tier: str, width: int, height: int) -> None:
    shown = tier_size(tier, width, height)
    assert 1 <= shown[0] <= width
    assert 1 <= shown[1] <= height


@given(st.floats(1, 30), st.floats(1, 60), st.floats(0, 0.3))
def test_a_pace_lets_through_its_rate_or_what_comes(fps: float, source_fps: float, jitter: float) -> None:
    pace, seconds = Pace(fps), 60
    count = int(source_fps * seconds)
    times = [1000 + (n + jitter * (n % 3 - 1)) / source_fps for n in range(count)]
    taken = sum(pace.is_due(at) for at in times)
    assert taken <= fps * seconds + 3
    if source_fps <= fps:
        assert taken >= 0.99 * count - 1


def test_a_clock_that_is_set_back_does_not_stop_the_pictures() -> None:
    pace = Pace(10)
    assert pace.is_due(1000.0)
    assert sum(pace.is_due(900 + n / 10) for n in range(50)) >= 49


def test_a_pace_of_zero_lets_nothing_through() -> None:
    assert not any(Pace(0).is_due(at) for at in range(100))


def test_a_meter_tells_the_rate_of_the_last_window_and_falls_to_zero() -> None:
    meter = Meter(1.0)
    for n in range(21):
        meter.count(n / 10)
    assert meter.rate(2.0) == pytest.approx(10, abs=1)
    assert meter.rate(3.0) == pytest.approx(1, abs=1)
    assert meter.rate(4.0) == 0
