"""Sightings: from a passage in front of a camera to a row, a picture, a group of strangers, and what people say."""

from __future__ import annotations

import base64
import datetime as dt

import numpy as np
import pytest

from factoryai import pipeline
from factoryai.alerts.models import Event
from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people
from identity.confidential import ConfidentialAnalyser, close_observation
from identity.models import CameraFaces, PurgeRun, Retention, Sighting, Snapshot, UnknownFace
from identity.rules import SFACE
from identity.services.enrolment import enrol_picture
from identity.services.erasure import find_traces, opt_out
from identity.services.review import name_unknown
from identity.services.sightings import decide_sighting, record_sighting
from identity.services.snapshots import keep_snapshot, read_snapshot
from identity.services.unknowns import assign_unknown, dismiss_unknown, forget_unknowns, mark_visitor, merge_unknown
from identity.tests.factories import NOON, make_employee, make_unknown, unit
from identity.tests.photos import photo
from identity.tests.test_analyser import passage
from identity.tests.test_local_recogniser import clip_frames
from streaming.frames import Observation
from streaming.recorder import decode, encode
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def ravi(people):
    return make_employee(people.site)


@pytest.fixture
def camera(people):
    return make_camera(people.site, roles=["attendance"], direction="in")


@pytest.fixture(scope="module")
def walk():
    return clip_frames("carphone_pristine.mp4", tuple(range(0, 60, 5)))


def seen(camera, *, person=None, outcome="known", at=NOON, vector=None, reason="above_known"):
    """One observation as the analyser makes them."""
    data = {
        "track": 1, "outcome": outcome, "person": str(person.pk) if person else None, "similarity": 0.7,
        "second_similarity": None, "threshold": 0.4, "engine": "local", "model": SFACE.model, "reason": reason,
        "face": np.full((40, 40, 3), 90, np.uint8), "box": (0, 0, 40, 40), "vector": vector,
    }  # fmt: skip
    return close_observation(Observation("face", camera.slug, at.timestamp(), data))


def record(observation, at=NOON):
    return record_sighting(observation=observation, at=at)


def unknown_at(camera, vector, *, minutes=0):
    at = NOON + dt.timedelta(minutes=minutes)
    return record(seen(camera, outcome="unknown", vector=vector, at=at, reason="below_review"), at)


def test_an_enrolled_person_who_walks_past_is_named_in_the_picture_and_sighted_once(people, ravi, camera, walk):
    enrol_picture(employee=ravi, data=photo(50), by=people.meena, at=NOON)
    (analyser,) = pipeline.analysers_for(camera)
    analyses = list(passage(analyser, walk))
    for analysis in analyses:
        for observation in analysis.observations:
            pipeline.CONSUMERS["face"](Observation("face", camera.slug, observation.captured_at, observation.data))
    assert {name for analysis in analyses for name in analysis.names.values()} == {"Ravi Kumar"}
    sighting = Sighting.objects.get()
    assert (sighting.employee, sighting.outcome, sighting.camera) == (ravi, "known", camera)
    assert read_snapshot(sighting.snapshot).startswith(b"\xff\xd8")


def test_a_stranger_who_walks_past_becomes_an_unknown_face(people, camera, walk):
    (analyser,) = pipeline.analysers_for(camera)
    for analysis in passage(analyser, walk):
        for observation in analysis.observations:
            pipeline.CONSUMERS["face"](Observation("face", camera.slug, observation.captured_at, observation.data))
    sighting = Sighting.objects.get()
    assert (sighting.outcome, sighting.employee, sighting.snapshot.kind) == ("unknown", None, "unknown")
    assert sighting.unknown_face.times_seen == 1


def test_a_face_that_waits_in_a_file_cannot_be_read_there(camera):
    vector = unit(1)
    line = encode(seen(camera, outcome="unknown", vector=vector, reason="below_review"))
    assert base64.b64encode(vector.tobytes())[:40].decode() not in line
    assert '"array"' not in line
    assert record(decode(line)).unknown_face.mean == pytest.approx(vector)


def test_only_cameras_for_attendance_look_for_faces(people):
    looking = pipeline.analysers_for(make_camera(people.site, roles=["gate", "occupancy"]))
    assert not [analyser for analyser in looking if isinstance(analyser, ConfidentialAnalyser)]


def test_a_cameras_rule_for_faces_is_followed(people, camera, walk):
    CameraFaces.objects.create(camera=camera, min_width_px=900)
    (analyser,) = pipeline.analysers_for(camera)
    assert [o for analysis in passage(analyser, walk) for o in analysis.observations] == []


def test_the_same_event_twice_is_one_sighting(camera, ravi):
    observation = seen(camera, person=ravi)
    assert record(observation) == record(observation)
    assert (Sighting.objects.count(), Snapshot.objects.count()) == (1, 1)
    assert Event.objects.filter(kind="sighting").count() == 1


def test_the_same_person_at_the_same_camera_is_sighted_again_after_the_interval(camera, ravi, people):
    CameraFaces.objects.create(camera=camera, resight_s=60)
    times = [NOON, NOON + dt.timedelta(seconds=59), NOON + dt.timedelta(seconds=60)]
    assert [record(seen(camera, person=ravi, at=at)) is not None for at in times] == [True, False, True]
    elsewhere = make_camera(people.site, roles=["attendance"])
    assert record(seen(elsewhere, person=ravi)) is not None


def test_the_same_stranger_at_the_same_camera_is_sighted_again_after_the_interval(camera, people):
    CameraFaces.objects.create(camera=camera, resight_s=600)
    assert [unknown_at(camera, unit(1), minutes=minutes) is not None for minutes in (0, 9, 10)] == [True, False, True]
    assert unknown_at(camera, unit(2), minutes=1) is not None
    elsewhere = make_camera(people.site, roles=["attendance"])
    assert unknown_at(elsewhere, unit(1), minutes=1) is not None
    assert UnknownFace.objects.order_by("-times_seen").first().times_seen == 3


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"is_active": False}, id="switched off"),
        pytest.param({"left_date": dt.date(2026, 3, 1)}, id="left yesterday"),
        pytest.param({"joined_date": dt.date(2026, 3, 3)}, id="joins tomorrow"),
    ],
)
def test_who_does_not_work_here_that_day_is_for_review(people, camera, change):
    sighting = record(seen(camera, person=make_employee(people.site, **change)))
    assert (sighting.outcome, sighting.reason, sighting.review) == ("review", "not_employed", "pending")


def test_somebody_of_another_site_is_never_named(people, camera):
    sighting = record(seen(camera, person=make_employee(people.other_site)))
    assert (sighting.outcome, sighting.employee) == ("review", None)


def test_a_picture_that_cannot_be_kept_does_not_lose_the_sighting(camera, ravi, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.MEDIA_PLACE = str(tmp_path / "file" / "media")
    sighting = record(seen(camera, person=ravi))
    assert (sighting.outcome, sighting.snapshot) == ("known", None)


def test_strangers_are_grouped_by_likeness_and_only_within_their_site(people, camera):
    one, two = unit(1), unit(2)
    near = one + 0.05 * unit(3)
    elsewhere = make_camera(people.other_site, roles=["attendance"])
    groups = [
        unknown_at(place, vector, minutes=n).unknown_face_id
        for n, (place, vector) in enumerate([(camera, one), (camera, near), (camera, two), (elsewhere, one)])
    ]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
    group = UnknownFace.objects.get(pk=groups[0])
    assert (group.times_seen, group.last_seen_at) == (2, NOON + dt.timedelta(minutes=1))


def test_an_assigned_face_is_that_persons_and_its_vector_is_forgotten(people, camera, ravi):
    for minutes in (0, 5):
        unknown = unknown_at(camera, unit(1), minutes=minutes).unknown_face
    sightings = assign_unknown(unknown=unknown, employee=ravi, by=people.meena, at=NOON)
    assert [(s.employee, s.review, s.outcome) for s in sightings] == [(ravi, "confirmed", "unknown")] * 2
    unknown.refresh_from_db()
    assert (unknown.state, unknown.employee, unknown.mean, unknown.decided_by) == (
        "assigned", ravi, None, people.meena,
    )  # fmt: skip
    assert ravi.faces.count() == 0
    assert unknown_at(camera, unit(1), minutes=9).unknown_face != unknown


def test_of_two_people_who_decide_the_first_does(people, ravi):
    unknown = make_unknown(people.site)
    dismiss_unknown(unknown=unknown, by=people.meena, at=NOON)
    for act in (
        lambda: assign_unknown(unknown=unknown, employee=ravi, by=people.kavita, at=NOON),
        lambda: mark_visitor(unknown=unknown, label="", by=people.kavita, at=NOON),
        lambda: merge_unknown(unknown=unknown, into=make_unknown(people.site), by=people.kavita, at=NOON),
    ):
        with pytest.raises(Refusal, match="already"):
            act()
    unknown.refresh_from_db()
    assert (unknown.state, unknown.decided_by) == ("dismissed", people.meena)


def test_an_unknown_face_is_never_given_to_somebody_of_another_site(people):
    unknown, foreigner = make_unknown(people.site), make_employee(people.other_site)
    with pytest.raises(Refusal, match="another site"):
        assign_unknown(unknown=unknown, employee=foreigner, by=people.meena, at=NOON)
    with pytest.raises(Refusal, match="same site"):
        merge_unknown(unknown=unknown, into=make_unknown(people.other_site), by=people.meena, at=NOON)
    unknown.refresh_from_db()
    assert unknown.state == "open"


def test_a_visitor_who_comes_again_asks_nobody(people, camera):
    unknown = unknown_at(camera, unit(1)).unknown_face
    mark_visitor(unknown=unknown, label="Courier", by=people.farid, at=NOON)
    assert unknown_at(camera, unit(1), minutes=5).unknown_face == unknown
    unknown.refresh_from_db()
    assert (unknown.state, unknown.label, unknown.times_seen) == ("visitor", "Courier", 2)


def test_merged_faces_become_one(people, camera):
    first, second = (unknown_at(camera, unit(n), minutes=n).unknown_face for n in (1, 2))
    merged = merge_unknown(unknown=first, into=second, by=people.meena, at=NOON)
    assert (merged.times_seen, merged.sightings.count()) == (2, 2)
    first.refresh_from_db()
    assert (first.state, first.merged_into, first.mean) == ("merged", second, None)
    assert merged.first_seen_at == NOON + dt.timedelta(minutes=1)


def test_faces_not_seen_for_their_retention_are_forgotten_and_open_ones_dismissed(people):
    open_one, visitor, recent, elsewhere = (
        make_unknown(site) for site in (people.site, people.site, people.site, people.other_site)
    )
    Retention.objects.create(site=people.other_site, kind="unknown", days=200)
    for unknown in (visitor, recent):
        mark_visitor(unknown=unknown, label="", by=people.meena, at=NOON)
    UnknownFace.objects.filter(pk=recent.pk).update(last_seen_at=NOON + dt.timedelta(days=2))
    assert forget_unknowns(at=NOON + dt.timedelta(days=90)) == 0
    assert forget_unknowns(at=NOON + dt.timedelta(days=91)) == 2
    rows = [UnknownFace.objects.get(pk=face.pk) for face in (open_one, visitor, recent, elsewhere)]
    assert [row.mean is None for row in rows] == [True, True, False, False]
    assert [row.state for row in rows] == ["dismissed", "visitor", "visitor", "open"]


def test_a_clock_that_the_purge_does_not_believe_dismisses_nobody(people):
    unknown = make_unknown(people.site)
    PurgeRun.objects.create(started_at=NOON)
    PurgeRun.objects.create(started_at=NOON + dt.timedelta(days=900), refusal="clock_jumped")
    assert forget_unknowns(at=NOON + dt.timedelta(days=900)) == 0
    unknown.refresh_from_db()
    assert unknown.state == "open"


def test_a_doubtful_sighting_is_decided_once(people, camera, ravi):
    sighting = record(seen(camera, person=ravi, outcome="review", reason="below_known"))
    assert (sighting.review, sighting.employee) == ("pending", ravi)
    decide_sighting(sighting=sighting, employee=None, by=people.meena, at=NOON)
    with pytest.raises(Refusal, match="already"):
        decide_sighting(sighting=sighting, employee=ravi, by=people.kavita, at=NOON)
    sighting.refresh_from_db()
    assert (sighting.review, sighting.employee, sighting.reviewed_by) == ("rejected", None, people.meena)


told: list[Sighting] = []


def hear(sighting: Sighting) -> None:
    told.append(sighting)


def test_who_a_person_names_is_told_on(people, camera, ravi, settings):
    settings.FACE_IDENTIFIED = f"{__name__}.hear"
    told.clear()
    sighting = record(seen(camera, outcome="review", reason="not_searched"))
    decide_sighting(sighting=sighting, employee=ravi, by=people.meena, at=NOON)
    assert [(s.employee, s.review, s.event_id) for s in told] == [(ravi, "confirmed", sighting.event_id)]


def test_nobody_names_themselves(people, camera):
    meena = make_employee(people.site, "Meena", user=people.meena)
    record(seen(camera, outcome="unknown", vector=unit(5)))
    doubtful = record(seen(camera, person=meena, outcome="review"))
    for decide in (
        lambda: name_unknown(unknown=UnknownFace.objects.get(), employee=meena, by=people.meena, at=NOON),
        lambda: decide_sighting(sighting=doubtful, employee=meena, by=people.meena, at=NOON),
        lambda: decide_sighting(sighting=doubtful, employee=None, by=people.meena, at=NOON),
    ):
        with pytest.raises(Refusal) as refused:
            decide()
        assert (refused.value.code, refused.value.status) == ("own_record", 403)
    assert decide_sighting(sighting=doubtful, employee=meena, by=people.root, at=NOON).review == "confirmed"


def test_no_picture_is_kept_of_a_stranger_who_turns_out_to_be_somebody_who_withdrew(people, ravi, camera):
    opt_out(employee=ravi, other_method="badge", at=NOON)
    doubtful = record(seen(camera, person=make_employee(people.site), outcome="review"))
    record(seen(camera, outcome="unknown", vector=unit(5)))
    name_unknown(unknown=UnknownFace.objects.get(), employee=ravi, by=people.meena, at=NOON)
    decide_sighting(sighting=doubtful, employee=ravi, by=people.meena, at=NOON)
    assert set(Snapshot.objects.values_list("state", flat=True)) == {"deleted"}
    assert find_traces(employee=ravi, vectors=[]) == []


def test_a_picture_is_not_kept_for_the_second_of_two_people_who_say_who_it_is(people, ravi):
    """The second has read the page before the first decided; kept, the face would be known as the wrong one."""
    snapshot = keep_snapshot(
        jpeg=photo(), site=people.site, kind="unknown", reason="test", captured_at=NOON, at=NOON
    )  # fmt: skip
    unknown, amit = make_unknown(people.site, snapshot=snapshot), make_employee(people.site, "Amit")
    assign_unknown(unknown=UnknownFace.objects.get(), employee=amit, by=people.meena, at=NOON)
    with pytest.raises(Refusal, match="already"):
        name_unknown(unknown=unknown, employee=ravi, by=people.kavita, at=NOON, enrols=True)
    assert (ravi.faces.count(), Snapshot.objects.filter(kind="enrolment", state="stored").count()) == (0, 0)
    with pytest.raises(Refusal, match="already"):
        name_unknown(unknown=UnknownFace.objects.get(), employee=ravi, by=people.kavita, at=NOON, enrols=True)
