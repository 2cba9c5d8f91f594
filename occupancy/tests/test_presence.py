"""Who stands in a zone and for how long: by the clock, over lost frames and lost tracks, and what is kept of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryai import pipeline
from factoryai.sites.tests.factories import make_people
from occupancy.models import Presence, Stay
from occupancy.rules.presence import ENTER_S, LEAVE_S, Area, AreaWatch
from occupancy.rules.walkers import PATIENCE_S, Walkers
from occupancy.services.areas import areas_now
from occupancy.services.thinning import thin_stays
from occupancy.tests.test_crossings import person
from streaming.frames import Observation
from streaming.models import CameraStatus
from streaming.tests.factories import make_camera

BAY = Area("bay", ((500, 300), (800, 300), (800, 600), (500, 600)))
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def watch(steps, area=BAY):
    """Show what is seen at each moment, (at, [persons]); return the stays that ended and who was there after each."""
    walkers, watching, stays, people = Walkers(), AreaWatch([area]), [], []
    for at, seen in steps:
        stays += watching.look(walkers.update(seen, at), at)
        people.append(watching.present()[area.name].people)
    return stays, people


def inside(track=1):
    return person(450, x=650, track=track)


@pytest.mark.parametrize("gap", [0.1, 0.2, 1.0], ids=["10 fps", "5 fps", "a frame a second"])
def test_the_dwell_is_what_the_clock_says_however_many_frames_came(gap):
    count = round(60 / gap)
    steps = [(n * gap, [inside()]) for n in range(count + 1)] + [(60 + n, []) for n in range(1, 5)]
    stays, _ = watch(steps)
    assert [(s.entered_at, round(s.left_at, 6)) for s in stays] == [(0, 60)]


def test_a_corner_that_is_cut_is_no_stay():
    steps = [(0.0, [inside()]), (0.2, [inside()]), (0.4, [person(700, x=650)]), (4.0, [])]
    assert watch(steps) == ([], [0, 0, 0, 0])


def test_somebody_who_is_hidden_for_a_moment_stays_the_same_stay():
    hidden = [(2.0 + n * 0.2, []) for n in range(6)]
    steps = [(n * 0.2, [inside()]) for n in range(10)] + hidden + [(3.2 + n * 0.2, [inside(track=9)]) for n in range(5)]
    stays, people = watch([*steps, (8.0, [])])
    assert [(s.entered_at, s.left_at) for s in stays] == [(0.0, 4.0)]
    assert set(people[3:-1]) == {1}


def test_two_people_are_two_and_the_longest_is_told():
    walkers, watching = Walkers(), AreaWatch([BAY])
    for n in range(20):
        at = n * 0.2
        seen = [inside(1), *([person(580, x=520, track=2)] if n >= 10 else [])]
        watching.look(walkers.update(seen, at), at)
    assert (watching.present()["bay"].people, watching.present()["bay"].since) == (2, 0.0)


@pytest.mark.parametrize(
    ("point", "is_inside"),
    [((5, 5), True), ((5, 11), False), ((15, 5), False), ((15, 15), True), ((25, 5), True)],
    ids=["left arm", "below it", "the gap", "the bridge", "right arm"],
)
def test_a_zone_may_be_bent(point, is_inside):
    horseshoe = Area("u", ((0, 0), (10, 0), (10, 10), (20, 10), (20, 0), (30, 0), (30, 20), (8, 20), (8, 10), (0, 10)))
    assert horseshoe.holds(point) is is_inside


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.05, 4), st.booleans()), min_size=1, max_size=30))
def test_stays_never_overlap_and_never_last_longer_than_somebody_was_seen(moves):
    at, steps, seen = 0.0, [], []
    for gap, is_inside in moves:
        at += gap
        steps.append((at, [inside()] if is_inside else []))
        seen += [at] if is_inside else []
    stays, people = watch([*steps, (at + LEAVE_S + 1, [])])
    assert people[-1] == 0
    assert all(s.entered_at in seen and s.left_at in seen and s.left_at - s.entered_at >= ENTER_S for s in stays)
    assert all(a.left_at + min(LEAVE_S, PATIENCE_S) < b.entered_at for a, b in pairwise(stays))


@pytest.fixture
def people(db):
    return make_people()


@pytest.fixture
def camera(people):
    drawn = [{"name": "bay", "points": [[0, 0], [1, 0], [1, 1]]}]
    camera = make_camera(people.site, roles=["occupancy"], zones=drawn)
    CameraStatus.objects.create(camera=camera, state="live", since=NOON, frame_at=NOON, updated_at=NOON)
    return camera


def stay(camera, seconds, ended=NOON, event_id="s1"):
    data = {"area": "bay", "track": 1, "entered_at": ended.timestamp() - seconds}
    return Observation("stay", camera.slug, ended.timestamp(), data, event_id)


def presence(camera, count, at=NOON):
    data = {"area": "bay", "people": count, "since": at.timestamp() if count else None}
    return Observation("presence", camera.slug, at.timestamp(), data)


def record(observation):
    pipeline.CONSUMERS[observation.kind](observation)


def test_a_stay_is_kept_once_however_often_it_is_told(camera):
    for _ in range(2):
        record(stay(camera, 90.5))
    assert [(row.area, row.dwell_ms) for row in Stay.objects.all()] == [("bay", 90_500)]


def test_what_was_told_late_does_not_undo_what_is_newer(camera):
    record(presence(camera, 2))
    record(presence(camera, 5, NOON - timedelta(seconds=10)))
    assert Presence.objects.get().people == 2
    record(presence(camera, 0, NOON + timedelta(seconds=1)))
    assert Presence.objects.get().people == 0


def test_a_zone_shows_who_is_there_and_todays_stays_to_people_of_the_site_only(people, camera):
    record(presence(camera, 2))
    for number, seconds in enumerate((60, 120)):
        record(stay(camera, seconds, event_id=str(number)))
    record(stay(camera, 999, ended=NOON - timedelta(days=1), event_id="yesterday"))
    area = areas_now(people.farid, NOON)[0]
    assert (area.people, area.stays, area.average, area.longest) == (
        2, 2, timedelta(seconds=90), timedelta(seconds=120),
    )  # fmt: skip
    assert areas_now(people.stranger, NOON) == []


def test_a_camera_that_is_not_live_says_nothing_about_who_is_there(people, camera):
    record(presence(camera, 2))
    area = areas_now(people.farid, NOON + timedelta(minutes=5))[0]
    assert (area.people, area.is_stale) == (None, True)


def test_old_stays_are_thinned(camera):
    record(stay(camera, 60))
    assert thin_stays(at=NOON + timedelta(days=10), keep=timedelta(days=11)) == 0
    assert thin_stays(at=NOON + timedelta(days=10), keep=timedelta(days=9)) == 1


@pytest.mark.django_db
def test_an_observation_of_a_camera_that_is_gone_does_no_harm(camera):
    seen, told = stay(camera, 60), presence(camera, 1)
    camera.delete()
    record(seen), record(told)
    assert not Stay.objects.exists()
