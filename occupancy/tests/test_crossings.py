"""Who crossed the line: single walkers by table, crowds by simulation, and what must hold for any movement."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.rules.crossings import CONFIRMING_FRAMES, Crossing, Line, LineCounter
from occupancy.tests.crowd import FPS, simulate
from streaming.tracking import Tracker

ACROSS = Line("door", (0, 400), (1280, 400))
"""Left to right; in is downwards."""


@dataclass(frozen=True)
class Seen:
    id: int
    box: tuple[float, float, float, float]
    is_confirmed: bool = True
    missed_s: float = 0.0


def person(y: float, *, x: float = 640, track: int = 1, **state: object) -> Seen:
    """A person 160 px tall whose feet stand at (x, y); the band is 17.6 px wide on each side."""
    return Seen(track, (x - 30, y - 160, x + 30, y), **state)


def count(steps: list[Seen | None], line: Line = ACROSS) -> list[Crossing]:
    """Show one walker a frame, ten frames a second; None is a frame in which nobody was seen."""
    counter = LineCounter([line])
    return [
        crossing
        for number, seen in enumerate(steps)
        for crossing in counter.update([seen] if seen else [], 1000 + number / FPS)
    ]


def walk(*feet: float, **state: object) -> list[Seen]:
    return [person(y, **state) for y in feet]


def test_walking_down_across_the_line_is_one_entry() -> None:
    assert [c.is_in for c in count(walk(350, 370, 390, 410, 430, 450))] == [True]


def test_walking_up_across_the_line_is_one_exit() -> None:
    assert [c.is_in for c in count(walk(450, 430, 410, 390, 370, 350))] == [False]


def test_the_sign_of_the_line_turns_in_and_out_round() -> None:
    line = Line("door", (0, 400), (1280, 400), is_in_clockwise=False)
    assert [c.is_in for c in count(walk(350, 390, 430, 450), line)] == [False]


@pytest.mark.parametrize(
    ("feet", "crossings"),
    [
        pytest.param([350, 380, 395, 405, 415, 405, 390, 370, 350], 0, id="a U-turn inside the band"),
        pytest.param([350, 370, 385, 370, 350], 0, id="a U-turn before the line"),
        pytest.param([350, 390, 430, 450, 430, 390, 350, 340], 2, id="in and really out again"),
        pytest.param([350, 390, 430, 390, 350, 340], 0, id="one frame beyond the band is not confirmed"),
        pytest.param([395, 405, 396, 404, 399], 0, id="standing on the line"),
        pytest.param([430, 450, 470], 0, id="appearing beyond the line"),
    ],
)
def test_only_a_confirmed_change_of_side_counts(feet: list[float], crossings: int) -> None:
    assert len(count(walk(*feet))) == crossings


def test_an_unconfirmed_track_never_counts() -> None:
    assert count(walk(350, 390, 430, 450, is_confirmed=False)) == []


def test_a_predicted_position_never_counts() -> None:
    assert count([*walk(350, 370), *walk(390, 430, 450, missed_s=0.2)]) == []


def test_walking_past_the_end_of_the_line_does_not_count() -> None:
    assert count(walk(350, 390, 430, 450), Line("short", (0, 400), (500, 400))) == []


def test_a_walker_whose_track_broke_on_the_line_is_still_counted_once() -> None:
    before, after = walk(330, 345, 360, 375), walk(435, 450, 465, 480, track=2)
    assert [c.track for c in count([*before, None, None, None, *after])] == [2]


def test_somebody_else_far_away_does_not_inherit_the_side() -> None:
    assert count([*walk(330, 345, 360), None, *walk(435, 450, 465, track=2, x=1000)]) == []


def test_memory_ends_some_time_after_the_track() -> None:
    assert count([*walk(330, 345, 360), *[None] * 20, *walk(435, 450, 465, track=2)]) == []


@given(st.lists(st.floats(0, 720), max_size=60))
def test_entries_and_exits_of_one_walker_alternate(feet: list[float]) -> None:
    ways = [c.is_in for c in count(walk(*feet))]
    assert all(a != b for a, b in pairwise(ways))


@given(st.lists(st.floats(383, 417), max_size=60))
def test_nothing_inside_the_band_counts(feet: list[float]) -> None:
    assert count(walk(300, *feet, 300)) == []


@given(st.lists(st.floats(0, 720), max_size=40))
def test_mirroring_the_way_swaps_in_and_out(feet: list[float]) -> None:
    there = [c.is_in for c in count(walk(*feet))]
    mirrored = [not c.is_in for c in count(walk(*[800 - y for y in feet]))]
    assert there == mirrored


@given(st.integers(1, 5))
def test_confirmation_takes_its_frames(frames: int) -> None:
    crossings = count(walk(340, 350, *[450 + n for n in range(frames)]))
    assert len(crossings) == (frames >= CONFIRMING_FRAMES)


@pytest.mark.parametrize(
    ("per_minute", "misses"), [pytest.param(12, 0.08, id="calm"), pytest.param(60, 0.20, id="a crowd, a fifth missed")]
)
def test_a_crowd_is_counted_within_three_percent_each_way(per_minute: float, misses: float) -> None:
    entries = exits = went_in = went_out = 0
    for seed in range(2):
        crowd = simulate(seed, minutes=4, per_minute=per_minute, misses=misses)
        ways = count_crowd(crowd.frames)
        entries, exits = entries + sum(ways), exits + len(ways) - sum(ways)
        went_in, went_out = went_in + crowd.went_in, went_out + crowd.went_out
    assert abs(entries - went_in) <= max(1, 0.03 * went_in)
    assert abs(exits - went_out) <= max(1, 0.03 * went_out)


def count_crowd(frames: list) -> list[bool]:
    """Run the product's tracker and counter over simulated detections."""
    from streaming.frames import Detection

    tracker, counter = Tracker(), LineCounter([ACROSS])
    ways = []
    for number, frame in enumerate(frames):
        at = 1000 + number / FPS
        tracks = tracker.update([Detection("person", 0.75, seen.box) for seen in frame], at)
        ways.extend(crossing.is_in for crossing in counter.update(tracks, at))
    return ways
