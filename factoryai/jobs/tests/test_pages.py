"""The scheduler's page: what it says while beat stops and starts, who may run a job, and what becomes of a run."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from factoryai.jobs import runs
from factoryai.jobs.models import Job, Run
from factoryai.jobs.services import BY_HAND, ByHand, beat_ticked, job_finished, job_started, sync_schedule
from factoryai.jobs.tasks import run_by_hand
from factoryai.rest import Refusal
from factoryai.sites.models import Membership, Role
from factoryai.sites.tests.factories import api_client, make_people

HOUR = dt.timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def login(client, people):
    def logged_in(name):
        if name:
            client.force_login(getattr(people, name))
        return client

    return logged_in


@pytest.fixture
def sent(monkeypatch):
    """Keeps what goes to the workers, as the broker would."""
    kept = []
    monkeypatch.setattr(runs.current_app, "send_task", lambda name, args, **kwargs: kept.append((name, *args)))
    return kept


@pytest.fixture
def sweep():
    """A job whose run by hand tells its progress, and hears for which sites it is."""
    runs.jobs_by_hand()
    heard = {}

    def by_hand(wish):
        heard.update(sites={site.slug for site in wish.sites}, day=wish.day, by=wish.by)
        wish.progress(1, 4)
        heard["share"] = Run.objects.first().share
        return {"swept": len(wish.sites)}

    BY_HAND["tests.sweep"] = ByHand(by_hand, is_scoped=True)
    yield heard
    del BY_HAND["tests.sweep"]


@pytest.fixture
def breaking():
    runs.jobs_by_hand()

    def by_hand(wish):
        raise ValueError("camera gate-7 of another site")

    BY_HAND["tests.break"] = ByHand(by_hand, is_scoped=False)
    yield
    del BY_HAND["tests.break"]


def test_the_page_tells_the_truth_while_beat_stops_and_starts(login, people):
    client, now = login("farid"), timezone.now()
    beat_ticked(at=now - HOUR)
    for address in ("/scheduler/", "/scheduler/jobs"):
        assert "does not run" in client.get(address).content.decode()
    beat_ticked(at=now)
    for address in ("/scheduler/", "/scheduler/jobs"):
        assert "The scheduler runs." in client.get(address).content.decode()


@pytest.mark.parametrize(("name", "status"), [("farid", 200), ("gate", 403), ("asha", 403), (None, 302)])
def test_who_sees_the_scheduler(login, people, name, status):
    assert login(name).get("/scheduler/").status_code == status
    assert login(name).get("/scheduler/jobs").status_code == status


@pytest.mark.parametrize(("name", "status"), [("kavita", 302), ("farid", 403), ("gate", 403), ("asha", 403)])
def test_only_a_manager_has_a_job_run(login, people, sweep, sent, name, status, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = login(name).post("/scheduler/run", {"job": "tests.sweep"})
    assert (answer.status_code, len(sent), Run.objects.count()) == (status, status == 302, status == 302)


def test_a_worker_does_what_was_asked_and_the_page_shows_it(login, people, sweep, sent):
    client = login("kavita")
    client.post("/scheduler/run", {"job": "tests.sweep", "site": "pune", "for": "2026-03-01"})
    assert "Waiting for a worker" in client.get("/scheduler/jobs").content.decode()
    assert "<progress" in client.get("/scheduler/jobs").content.decode()
    run_by_hand(Run.objects.get().pk)
    assert sweep == {"sites": {"pune"}, "day": dt.date(2026, 3, 1), "by": people.kavita, "share": 25}
    page = client.get("/scheduler/jobs").content.decode()
    assert "swept: 1" in page
    assert "<progress" not in page


def test_a_job_delivered_twice_by_the_queue_runs_once(people, sweep, sent):
    run = runs.send_run(name="tests.sweep", by=people.kavita, at=timezone.now())
    for _ in range(2):
        run_by_hand(run.pk)
    assert Job.objects.get(name="tests.sweep").runs == 1


def test_pressing_twice_sends_one_run(people, sweep, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            runs.send_run(name="tests.sweep", by=people.kavita, at=timezone.now())
    assert (len(sent), Run.objects.count()) == (1, 1)


def test_a_manager_who_lost_the_role_meanwhile_touches_no_site(people, sweep, sent):
    run = runs.send_run(name="tests.sweep", by=people.kavita, at=timezone.now())
    Membership.objects.filter(user=people.kavita).delete()
    run_by_hand(run.pk)
    assert sweep["sites"] == set()


def test_a_queue_that_does_not_answer_is_said(people, sweep, monkeypatch, django_capture_on_commit_callbacks):
    def down(*args, **kwargs):
        raise runs.NoBroker("no route")

    monkeypatch.setattr(runs.current_app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        runs.send_run(name="tests.sweep", by=people.kavita, at=timezone.now())
    run = Run.objects.get()
    assert (run.result, "does not answer" in run.error) == ("failed", True)


def test_what_breaks_is_written_down_without_a_word_about_other_sites(login, people, breaking):
    run = runs.ask_run(name="tests.break", by=people.kavita, at=timezone.now())
    with pytest.raises(ValueError, match="gate-7"):
        run_by_hand(run.pk)
    client = login("kavita")
    assert Run.objects.get().result == "failed"
    assert "gate-7" not in client.get("/scheduler/jobs").content.decode()
    assert "gate-7" not in str(api_client(people.kavita).get("/api/v1/occupancy/scheduler-status").json())
    assert "gate-7" in str(api_client(people.root).get("/api/v1/occupancy/scheduler-status").json())


def test_counts_over_all_sites_are_told_only_to_who_manages_all(people):
    sync_schedule()
    post = "/api/v1/occupancy/jobs/alerts.escalate/run"
    assert api_client(people.kavita).post(post, {}).json() == {"result": "Done, for all sites."}
    assert api_client(people.root).post(post, {}).json() == {"escalated": 0}
    Membership.objects.create(user=people.kavita, site=people.other_site, role=Role.MANAGER)
    assert api_client(people.kavita).post(post, {}).json() == {"escalated": 0}


def test_a_run_by_hand_for_some_sites_leaves_the_run_that_is_due_due(people, sweep):
    Job.objects.create(name="tests.sweep", next_due_at=timezone.now() - HOUR)
    before = Job.objects.get(name="tests.sweep").next_due_at
    runs.perform_run(run=runs.ask_run(name="tests.sweep", by=people.kavita, at=timezone.now()), at=timezone.now())
    row = Job.objects.get(name="tests.sweep")
    assert (row.next_due_at, row.last_result, row.runs) == (before, "ok", 1)
    runs.perform_run(run=runs.ask_run(name="tests.sweep", by=people.root, at=timezone.now()), at=timezone.now())
    assert Job.objects.get(name="tests.sweep").next_due_at != before


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        pytest.param({"name": "os.system"}, "not_found", id="no such job"),
        pytest.param({"name": "tests.sweep", "slug": "berlin"}, "does_not_exist", id="a site of strangers"),
        pytest.param({"name": "tests.sweep", "day": dt.date.min}, "bad_date", id="the first day of all"),
        pytest.param({"name": "tests.sweep", "day": dt.date.max}, "bad_date", id="the last day of all"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(people, sweep, wish, code):
    with pytest.raises(Refusal) as refusal:
        runs.ask_run(by=people.kavita, at=timezone.now(), **wish)
    assert (refusal.value.code, Run.objects.count()) == (code, 0)


def test_a_date_that_is_none_is_said_on_the_page(login, people, sweep, sent):
    page = login("kavita").post("/scheduler/run", {"job": "tests.sweep", "for": "31/02"}, follow=True)
    assert "Write a date like 2026-03-01." in page.content.decode()
    assert not sent


def test_what_a_job_did_is_said_in_words(login):
    for name, outcome in (("attendance.rebuild", {"people": 3, "written": 2}), ("alerts.deliver", {})):
        job_started(name=name, at=timezone.now())
        job_finished(name=name, outcome=outcome, at=timezone.now())
    text = login("root").get("/scheduler/").content.decode()
    assert "people: 3, written: 2" in text
    assert "Nothing to do." in text
    assert "{" not in text.partition('id="jobs"')[2].partition("</table>")[0]
