"""Erasure: what goes, what stays, and the proof; and the faces that a service elsewhere keeps."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from factoryai.alerts.models import Alert
from factoryai.jobs.schedule import SCHEDULE
from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people
from identity import tasks
from identity.files import media_files
from identity.models import Face, PaidRequests, RemoteFace, Sighting, Snapshot, UnknownFace
from identity.pictures import decode_picture
from identity.recognisers.base import TransientError
from identity.recognisers.rekognition import SpendingStopError
from identity.services import engines
from identity.services.enrolment import enrol_picture, remove_photo
from identity.services.erasure import erase_biometrics, erase_leavers, find_traces, opt_out
from identity.services.gallery import forget_galleries
from identity.services.outages import ServiceWatch
from identity.services.people import save_employee
from identity.services.reconcile import reconcile_faces
from identity.services.search import search_picture
from identity.services.snapshots import hold_snapshot, read_snapshot
from identity.tests.factories import NOON, make_employee, make_face, make_unknown, unit
from identity.tests.photos import driver, photo
from identity.tests.rekognition_server import RekognitionServer
from identity.tests.s3_server import S3Server
from identity.tests.test_retries import Clock
from identity.tests.test_sightings import record, seen
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
    return make_camera(people.site, roles=["attendance"])


@pytest.fixture
def aws(settings) -> Iterator[RekognitionServer]:
    """Rekognition on loopback as the engine of the installation."""
    with RekognitionServer() as server:
        settings.FACE_ENGINE = "rekognition"
        settings.AWS_REGION = "ap-south-1"
        settings.AWS_ENDPOINT_URL_REKOGNITION = server.url
        settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "test"
        yield server
    engines.forget_watches()


@pytest.fixture
def patient(aws):
    """The waits of the retries take no time."""
    clock = Clock()
    engines._retrier(aws.url).sleep = clock.sleep
    return clock


def enrol(employee, number=0):
    return enrol_picture(employee=employee, data=photo(number), by=None, at=NOON)


def who(site, number=60):
    image = driver(number)
    engine = engines.recogniser_for(site)
    return engine.identify(image, engine.find_faces(image)[0])


def test_everything_goes_and_a_search_finds_nothing(people, ravi, camera):
    enrol(ravi)
    enrol(ravi, 30)
    sighting = record(seen(camera, person=ravi))
    assert who(people.site).person == str(ravi.pk)
    erased = erase_biometrics(employee=ravi, at=NOON)
    assert (erased.templates, erased.photos, erased.snapshots, erased.remote_faces, erased.is_proven) == (
        2, 2, 1, 0, True,
    )  # fmt: skip
    assert who(people.site).outcome == "unknown"
    assert list(media_files().entries()) == []
    assert (Face.objects.count(), ravi.consents.in_force().count()) == (0, 0)
    sighting.refresh_from_db()
    assert (sighting.employee, sighting.similarity, sighting.reason) == (None, None, "erased")


def test_nobody_elses_is_touched(people, ravi, camera):
    amit = make_employee(people.site, "Amit")
    kept = make_face(amit, unit(1))
    stranger = make_unknown(people.site, unit(2))
    sighting = record(seen(camera, person=amit))
    enrol(ravi)
    erase_biometrics(employee=ravi, at=NOON)
    stranger.refresh_from_db()
    sighting.refresh_from_db()
    assert (amit.faces.get(), stranger.state, sighting.employee) == (kept, "open", amit)
    assert {row.pk for row in Snapshot.objects.filter(state="stored")} == {kept.snapshot_id, sighting.snapshot_id}


def test_unknown_faces_that_are_the_person_go_as_well(people, ravi, camera):
    face = enrol(ravi)
    sighting = record(seen(camera, outcome="unknown", vector=face.embedding))
    erased = erase_biometrics(employee=ravi, at=NOON)
    unknown = UnknownFace.objects.get()
    assert (unknown.mean, unknown.state, erased.templates, erased.snapshots) == (None, "dismissed", 2, 1)
    sighting.snapshot.refresh_from_db()
    assert (sighting.snapshot.state, erased.is_proven) == ("deleted", True)


def test_what_is_held_as_evidence_stays_and_is_said(people, ravi, camera):
    enrol(ravi)
    sighting = record(seen(camera, person=ravi))
    hold_snapshot(snapshot=sighting.snapshot, reason="Theft on 2 March", by=people.meena)
    erased = erase_biometrics(employee=ravi, at=NOON)
    assert (erased.held, erased.snapshots, erased.is_proven) == (1, 0, True)
    sighting.snapshot.refresh_from_db()
    assert sighting.snapshot.state == "stored"


def test_a_photo_taken_back_stays_when_it_is_held_as_evidence(people, ravi):
    face = enrol(ravi)
    hold_snapshot(snapshot=face.snapshot, reason="Disputed on 2 March", by=people.meena)
    assert remove_photo(snapshot=face.snapshot, at=NOON) == 0
    face.snapshot.refresh_from_db()
    assert (ravi.faces.count(), face.snapshot.state, face.snapshot.is_held) == (0, "stored", True)
    assert read_snapshot(face.snapshot)


def test_a_face_that_is_still_there_is_a_trace(people, ravi):
    face = make_face(ravi)
    assert find_traces(employee=ravi, vectors=[face.embedding]) != []


def test_what_waited_while_somebody_was_erased_is_a_sighting_without_a_picture(ravi, camera):
    enrol(ravi)
    waiting = seen(camera, person=ravi)
    erase_biometrics(employee=ravi, at=NOON)
    sighting = record(waiting)
    assert (sighting.employee, sighting.snapshot) == (ravi, None)
    assert find_traces(employee=ravi, vectors=[]) == []


def test_erasing_twice_erases_nothing_more(ravi):
    enrol(ravi)
    erase_biometrics(employee=ravi, at=NOON)
    again = erase_biometrics(employee=ravi, at=NOON)
    assert (again.templates, again.photos, again.is_proven) == (0, 0, True)


def test_who_opts_out_keeps_another_method(ravi):
    enrol(ravi)
    opt_out(employee=ravi, other_method="badge", at=NOON)
    ground = ravi.consents.get()
    assert (ground.other_method, ground.withdrawn_at, ravi.faces.count()) == ("badge", NOON, 0)
    with pytest.raises(Refusal, match="withdrew"):
        enrol(ravi)


@pytest.mark.parametrize(
    ("left_days_ago", "is_erased"),
    [
        pytest.param(None, False, id="works here"),
        pytest.param(30, False, id="a month"),
        pytest.param(31, True, id="more"),
    ],
)
def test_who_left_more_than_a_month_ago_is_erased_unasked(people, left_days_ago, is_erased):
    last = None if left_days_ago is None else NOON.date() - dt.timedelta(days=left_days_ago)
    employee = make_employee(people.site, left_date=last)
    make_face(employee)
    assert len(erase_leavers(at=NOON)) == int(is_erased)
    assert employee.faces.exists() is not is_erased


def test_the_nightly_job_erases_leavers_and_says_how_many(people):
    make_face(make_employee(people.site, left_date=dt.date(2020, 1, 1)))
    assert tasks.erase_leavers() == {"people": 1, "unproven": 0}
    assert tasks.erase_leavers() == {"people": 0, "unproven": 0}


def test_the_command_erases_and_proves(people, ravi):
    enrol(ravi)
    said = io.StringIO()
    call_command("erase_biometrics", site=people.site.slug, employee=ravi.code, stdout=said)
    assert "1 templates, 1 photos" in said.getvalue()
    assert "finds nothing anywhere" in said.getvalue()
    with pytest.raises(CommandError, match="no employee"):
        call_command("erase_biometrics", site=people.other_site.slug, employee=ravi.code)


# With Rekognition


def test_a_person_is_enrolled_there_known_there_and_erased_there(people, ravi, aws):
    enrol(ravi)
    assert who(people.site).thresholds.engine == "rekognition"
    assert who(people.site).person == str(ravi.pk)
    assert [mark.partition(".")[0] for mark, _ in aws.collections["factoryai-pune"].values()] == [str(ravi.pk)]
    erased = erase_biometrics(employee=ravi, at=NOON)
    assert (erased.remote_faces, erased.remote_pending, erased.is_proven) == (1, 0, True)
    assert aws.collections["factoryai-pune"] == {}
    assert who(people.site).outcome == "unknown"


def test_a_site_never_searches_the_faces_of_another(people, ravi, aws):
    enrol(ravi)
    aws.collections["factoryai-chennai"] = {}
    assert who(people.other_site).outcome == "unknown"
    assert who(people.other_site).thresholds.engine == "rekognition"


def test_while_the_service_refuses_the_local_engine_decides(people, ravi, aws):
    enrol(ravi)
    aws.script = ["AccessDeniedException"]
    before = len(aws.calls)
    assert [who(people.site).thresholds.engine for _ in range(3)] == ["local"] * 3
    assert who(people.site).person == str(ravi.pk)
    assert len(aws.calls) == before + 1
    alert = Alert.objects.get(site=people.site, kind="face_service")
    assert (alert.times_raised, alert.state, "AccessDenied" in alert.detail) == (1, "new", True)


def test_an_outage_is_told_once_and_its_end_as_well(people):
    clock = Clock()
    watch = ServiceWatch(people.site.pk, clock)
    for code in ("unreachable", "unreachable", "circuit_open"):
        watch.failed(TransientError(code, "no answer"))
    assert Alert.objects.get().times_raised == 1
    clock.now += 601
    watch.failed(TransientError("unreachable", "no answer"))
    assert Alert.objects.get().times_raised == 2
    watch.answered()
    watch.answered()
    assert Alert.objects.get().state == "closed"


def test_the_daily_budget_counts_for_all_processes_and_leaves_the_local_engine(people, ravi, aws, settings):
    enrol(ravi)
    spent = PaidRequests.objects.get().count
    settings.FACE_DAILY_REQUESTS = spent + 1
    assert [who(people.site).thresholds.engine for _ in range(3)] == ["rekognition", "local", "local"]
    assert PaidRequests.objects.get().count == spent + 1
    with pytest.raises(SpendingStopError):
        engines.SharedSpend(spent + 1).spend()


def test_a_day_whose_budget_is_used_up_does_not_keep_a_person_from_being_erased(people, ravi, aws, settings):
    enrol(ravi)
    settings.FACE_DAILY_REQUESTS = PaidRequests.objects.get().count
    assert who(people.site).thresholds.engine == "local"
    erased = erase_biometrics(employee=ravi, at=NOON)
    assert (erased.remote_faces, erased.is_proven, aws.collections["factoryai-pune"]) == (1, True, {})


def test_a_face_there_that_nobody_here_knows_is_nobodys_name(people, ravi, aws):
    enrol(ravi)
    RemoteFace.objects.all().delete()
    theirs(aws)
    assert who(people.site).outcome == "unknown"
    (drift,) = reconcile_faces(sites=[people.site], at=NOON, is_dry_run=True)
    assert (len(drift.unknown_there), drift.not_enrolled_there, drift.enrolled) == (1, 1, 0)
    (drift,) = reconcile_faces(sites=[people.site], at=NOON, removes_unknown=True)
    assert (drift.removed_unknown, drift.enrolled) == (1, 1)
    assert reconcile_faces(sites=[people.site], at=NOON)[0].is_clean
    assert who(people.site).person == str(ravi.pk)


def theirs(aws):
    """Let every face there be one of another installation that uses the same account."""
    faces = aws.collections["factoryai-pune"]
    for number, (remote_id, (_, vector)) in enumerate(list(faces.items())):
        faces[remote_id] = (f"1.{uuid.UUID(int=number).hex}", vector)


LONG_AFTER = NOON + dt.timedelta(hours=2)


def test_a_face_whose_answer_was_lost_is_deleted_there_by_the_nightly_job(people, ravi, aws, patient):
    """As for an enrolment that is killed before it could write down what the service keeps."""
    aws.collections["factoryai-pune"] = {}
    aws.script = ["lost", "lost", "lost", "lost"]
    enrol(ravi)
    assert (len(aws.collections["factoryai-pune"]), RemoteFace.objects.count()) == (4, 0)
    assert who(people.site).person is None
    (drift,) = reconcile_faces(sites=[people.site], at=NOON, is_dry_run=True)
    assert (drift.unnoted_there, drift.unknown_there) == ([], []), "it may be under way still"
    assert tasks.reconcile_faces()["pune"] == "1 enrolled, 4 deleted"
    assert set(aws.collections["factoryai-pune"]) == set(RemoteFace.objects.values_list("remote_id", flat=True))
    assert reconcile_faces(sites=[people.site], at=LONG_AFTER)[0].is_clean
    assert "identity.reconcile_faces" in {entry.task for entry in SCHEDULE}


def test_what_the_service_keeps_unnoted_goes_with_the_person(people, ravi, aws, patient):
    aws.collections["factoryai-pune"] = {}
    aws.script = ["lost", "lost"]
    enrol(ravi)
    assert len(aws.collections["factoryai-pune"]) == 3
    erased = erase_biometrics(employee=ravi, at=NOON)
    assert (erased.remote_faces, erased.is_proven, aws.collections["factoryai-pune"]) == (3, True, {})


def test_an_erasure_leaves_the_faces_of_another_installation_alone(people, ravi, aws):
    enrol(ravi)
    RemoteFace.objects.all().delete()
    theirs(aws)
    assert erase_biometrics(employee=ravi, at=NOON).is_proven
    assert len(aws.collections["factoryai-pune"]) == 1


def test_a_face_there_that_names_the_person_and_no_photo_is_told_and_not_deleted(people, ravi, aws):
    enrol(ravi)
    RemoteFace.objects.all().delete()
    faces = aws.collections["factoryai-pune"]
    ((remote_id, (_, vector)),) = faces.items()
    faces[remote_id] = (str(ravi.pk), vector)
    assert erase_biometrics(employee=ravi, at=NOON).traces == [f"a face there: {remote_id}"]
    reconcile_faces(sites=[people.site], at=NOON, removes_unknown=True)
    assert (faces, find_traces(employee=ravi, vectors=[])) == ({}, [])


def test_an_erasure_where_the_service_keeps_nothing_is_no_fault(ravi, aws, caplog):
    assert erase_biometrics(employee=ravi, at=NOON).is_proven
    assert "ListFaces" in aws.calls
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_collection_that_is_gone_is_made_again_from_the_photos(people, ravi, aws):
    enrol(ravi)
    aws.collections.clear()
    assert who(people.site).thresholds.engine == "local"
    (drift,) = reconcile_faces(sites=[people.site], at=NOON)
    assert (drift.was_collection_missing, drift.missing_there, drift.enrolled) == (True, 1, 1)
    assert who(people.site).thresholds.engine == "rekognition"


def test_a_person_deleted_halfway_is_finished_by_the_reconciliation(people, ravi, aws):
    enrol(ravi)
    aws.script = ["AccessDeniedException"]
    erased = erase_biometrics(employee=ravi, at=NOON)
    assert (erased.remote_pending, erased.is_proven) == (1, False)
    assert who(people.site).outcome == "unknown"
    engines._retrier.cache_clear()
    (drift,) = reconcile_faces(sites=[people.site], at=NOON)
    assert (drift.deleted, drift.still_to_delete, aws.collections["factoryai-pune"]) == (1, 0, {})
    assert find_traces(employee=ravi, vectors=[]) == []


def erase_elsewhere(employee):
    """Erase somebody as another process does, on a connection of its own."""
    try:
        erase_biometrics(employee=employee, at=NOON)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_the_service_looks_at_the_photo_is_erased_there_too(people, ravi, aws):
    aws.collections["factoryai-pune"] = {}
    aws.after = lambda operation: operation == "IndexFaces" and erase_elsewhere(ravi)
    with pytest.raises(Refusal) as refused:
        enrol(ravi)
    assert (refused.value.code, aws.collections["factoryai-pune"]) == ("erased_meanwhile", {})
    assert (Face.objects.count(), RemoteFace.objects.count(), list(media_files().entries())) == (0, 0, [])
    assert find_traces(employee=ravi, vectors=[]) == []


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_while_the_photo_is_written_leaves_no_template(ravi, settings, monkeypatch):
    with S3Server() as bucket:
        environment = {"ENDPOINT_URL_S3": bucket.url, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}
        for name, value in environment.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        settings.MEDIA_PLACE = "s3://factory/written-meanwhile"
        bucket.after_put = lambda: erase_elsewhere(ravi)
        with pytest.raises(Refusal) as refused:
            enrol(ravi)
        assert (refused.value.code, Face.objects.count(), bucket.objects) == ("consent_withdrawn", 0, {})


def test_who_is_switched_off_is_named_by_neither_engine(people, ravi, aws, settings):
    enrol(ravi)
    ravi.is_active = False
    save_employee(ravi)
    assert (who(people.site).outcome, who(people.site).thresholds.engine) == ("unknown", "rekognition")
    settings.FACE_ENGINE = "local"
    forget_galleries()
    assert who(people.site).outcome == "unknown"


def test_a_photo_the_service_refuses_is_not_kept_here_either(people, ravi, aws):
    aws.collections["factoryai-pune"] = {}
    aws.is_picky = True
    with pytest.raises(Refusal, match="LOW_SHARPNESS") as refused:
        enrol(ravi)
    assert (refused.value.code, Face.objects.count(), list(media_files().entries())) == ("not_indexed", 0, [])


def test_an_enrolment_costs_four_requests_whatever_has_to_be_made_first(ravi, aws, patient):
    aws.script = ["503", "ok", "503", "ok"]
    enrol(ravi)
    assert (aws.calls, RemoteFace.objects.count()) == (
        ["IndexFaces", "IndexFaces", "CreateCollection", "CreateCollection"], 0,
    )  # fmt: skip
    assert tasks.reconcile_faces()["pune"] == "1 enrolled, 0 deleted"


def test_a_face_searched_at_many_sites_costs_four_requests(people, ravi, aws, patient):
    enrol(ravi)
    aws.collections["factoryai-chennai"] = {}
    aws.calls.clear()
    aws.script = ["503", "503", "503"]
    found = search_picture(data=photo(60), sites=[people.other_site, people.site], at=NOON)
    assert (found.employee, found.engine, len(aws.calls)) == (ravi.pk, "local", 4)
    assert not Alert.objects.filter(kind="face_service").exists()


def test_a_service_that_is_away_does_not_stop_an_enrolment(people, ravi, aws):
    aws.script = ["AccessDeniedException"]
    enrol(ravi)
    engines._retrier.cache_clear()
    assert tasks.reconcile_faces() == {"pune": "1 enrolled, 0 deleted", "chennai": "0 enrolled, 0 deleted"}
    assert who(people.site).thresholds.engine == "rekognition"


def test_the_command_says_what_did_not_fit(people, ravi, aws):
    enrol(ravi)
    said = io.StringIO()
    call_command("reconcile_faces", site="pune", stdout=said)
    assert said.getvalue().startswith("pune: 1 fit; 0 missing there")


def test_with_the_local_engine_there_is_nothing_to_reconcile(people):
    with pytest.raises(CommandError, match="local"):
        call_command("reconcile_faces")
    assert "nothing" in tasks.reconcile_faces()


def test_what_goes_to_the_service_is_the_face_alone_without_exif(ravi, aws):
    enrol(ravi)
    sent = aws.received[0]
    assert b"Exif" not in sent
    assert decode_picture(sent).shape[1] < driver().shape[1]
    assert Sighting.objects.count() == 0
