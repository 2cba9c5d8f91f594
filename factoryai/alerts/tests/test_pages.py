"""Alerts as pages: what is listed, to whom, what leaves as CSV, and that of two people one takes it on."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from factoryai.alerts.models import Alert
from factoryai.alerts.services import acknowledge_alert, close_alert, escalate_alerts
from factoryai.alerts.tests.factories import NOON, blocked_plate, webhook
from factoryai.sites.models import Membership, Role
from factoryai.sites.tests.factories import make_people

AJAX = {"HX-Request": "true"}


@pytest.fixture
def people(db):
    return make_people()


@pytest.fixture
def as_(client, people):
    def logged_in(name):
        client.force_login(getattr(people, name))
        return client

    return logged_in


def alert_of(site, **changes):
    return blocked_plate(site, **changes)


@pytest.mark.parametrize("path", ["/alerts/{pk}/", "/alerts/{pk}/life"])
@pytest.mark.parametrize(
    ("name", "status"), [("farid", 200), ("kavita", 200), ("meena", 404), ("stranger", 404), ("gate", 404)]
)
def test_an_alert_is_for_its_audience(as_, people, name, status, path):
    alert = alert_of(people.site)
    assert as_(name).get(path.format(pk=alert.pk)).status_code == status


@pytest.mark.parametrize("verb", ["acknowledge", "close"])
@pytest.mark.parametrize("name", ["stranger", "meena", "gate"])
def test_who_may_not_read_it_may_not_act_on_it(as_, people, name, verb):
    alert = alert_of(people.site)
    assert as_(name).post(f"/alerts/{alert.pk}/{verb}").status_code == 404
    alert.refresh_from_db()
    assert alert.state == "new"


def test_the_history_holds_ones_own_alerts_only(as_, people):
    alert_of(people.site), alert_of(people.other_site, title="Elsewhere", key="other")
    page = as_("farid").get("/alerts/").content.decode()
    assert ("MH12AB1234 is at the gate" in page, "Elsewhere" in page) == (True, False)
    exported = as_("farid").get("/alerts.csv").content.decode("utf-8-sig")
    assert ("MH12AB1234" in exported, "Elsewhere" in exported) == (True, False)


@pytest.fixture
def four(people):
    """A new critical, one acknowledged, one closed, and one of yesterday's last minute in Pune."""
    site, by = people.site, people.farid
    alert_of(site, title="Critical one")
    acknowledge_alert(
        alert=alert_of(site, key="2", severity="warning", title="Taken one"), by=by, note="Looking", at=NOON
    )
    alert_of(site, key="3", kind="camera_offline", severity="info", title="Closed one")
    close_alert(site=site, key="3", by=by, at=NOON)
    alert_of(site, key="4", title="Old one", at=dt.datetime(2026, 3, 1, 18, 29, 59, tzinfo=dt.UTC))
    return people


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        pytest.param("", {"Critical one", "Taken one", "Closed one", "Old one"}, id="all"),
        pytest.param("state=waiting", {"Critical one", "Old one"}, id="not answered"),
        pytest.param("state=open", {"Critical one", "Taken one", "Old one"}, id="open"),
        pytest.param("state=closed", {"Closed one"}, id="closed"),
        pytest.param("severity=warning", {"Taken one"}, id="severity"),
        pytest.param("kind=camera_offline", {"Closed one"}, id="kind"),
        pytest.param("q=looking+taken", {"Taken one"}, id="words of title and note"),
        pytest.param("last=2026-03-01", {"Old one"}, id="until a day of the site's clock"),
        pytest.param("first=2026-03-02&last=2026-03-02", {"Critical one", "Taken one", "Closed one"}, id="one day"),
        pytest.param(
            "last=2199-12-31&first=1990-01-01", {"Critical one", "Taken one", "Closed one", "Old one"}, id="ever"
        ),
        pytest.param("first=0001-01-01", set(), id="before every calendar"),
        pytest.param("last=9999-12-31", set(), id="after every calendar"),
        pytest.param("first=2026-03-40", set(), id="no date"),
        pytest.param("first=2026-03-02&last=2026-03-01", set(), id="ends before it starts"),
        pytest.param("state=sideways", set(), id="no state"),
    ],
)  # fmt: skip
def test_the_history_is_narrowed_and_nonsense_lists_nothing(as_, four, query, titles):
    answer = as_("farid").get(f"/alerts/?{query}")
    assert {alert.title for alert in answer.context["page"]} == titles
    assert bool(answer.context["form"].errors) is not bool(titles)


@pytest.mark.parametrize("page", ["2", "-1", "x", "99999999999999999999"])
def test_a_page_number_of_any_kind_opens(as_, four, page):
    assert as_("farid").get(f"/alerts/?page={page}").status_code == 200


def test_csv_has_the_narrowed_rows_on_the_sites_clock_and_no_formulas(as_, four):
    alert_of(four.site, key="5", severity="warning", title="=HYPERLINK(1)", detail="@evil")
    answer = as_("farid").get("/alerts.csv?severity=warning")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert (rows[0]["title"], rows[0]["detail"]) == ("'=HYPERLINK(1)", "'@evil")
    assert (rows[1]["raised"], rows[1]["by"], rows[1]["note"]) == ("2026-03-02 12:00:00", "farid", "Looking")


def test_an_export_with_a_broken_filter_says_so_on_the_page(as_, four):
    answer = as_("farid").get("/alerts.csv?first=x", follow=True)
    assert answer.redirect_chain == [("/alerts/?first=x", 302)]
    assert "Mend the filter first" in answer.content.decode()


@pytest.mark.parametrize(("name", "status"), [(None, 302), ("gate", 403), ("asha", 403), ("stranger", 200)])
def test_the_history_asks_for_a_role(client, people, name, status):
    if name:
        client.force_login(getattr(people, name))
    assert client.get("/alerts/").status_code == status
    assert client.get("/alerts.csv").status_code == status


def test_the_history_costs_the_same_for_a_page_of_alerts_as_for_one(as_, people, django_assert_max_num_queries):
    for number in range(30):
        alert_of(people.site, key=str(number))
    client = as_("farid")
    with django_assert_max_num_queries(9):
        client.get("/alerts/")


def test_the_first_to_acknowledge_wins_and_the_other_reads_who_was(as_, people):
    alert = alert_of(people.site)
    as_("farid").post(f"/alerts/{alert.pk}/acknowledge", {"note": "Going there"})
    answer = as_("kavita").post(f"/alerts/{alert.pk}/acknowledge", {"note": "Me too"}, headers=AJAX)
    text = answer.content.decode()
    assert "This alert is already acknowledged." in text
    assert "farid took it on at" in text
    assert "Going there" in text
    assert Alert.objects.get().note == "Going there"


def test_a_note_that_is_too_long_changes_nothing_and_says_why(as_, people):
    alert = alert_of(people.site)
    answer = as_("farid").post(f"/alerts/{alert.pk}/acknowledge", {"note": "x" * 2001}, headers=AJAX)
    assert "at most 2000 characters" in answer.content.decode()
    assert Alert.objects.get().state == "new"


def test_closing_needs_a_second_step_and_says_when_somebody_was_faster(as_, people):
    alert = alert_of(people.site)
    client = as_("farid")
    page = client.get(f"/alerts/{alert.pk}/").content.decode()
    assert page.index("<details") < page.index(f"/alerts/{alert.pk}/close")
    assert client.get(f"/alerts/{alert.pk}/close").status_code == 405
    first = client.post(f"/alerts/{alert.pk}/close", {"note": "It left"}, follow=True).content.decode()
    again = client.post(f"/alerts/{alert.pk}/close", follow=True).content.decode()
    assert "Closed." in first
    assert "already closed" in again
    assert Alert.objects.get().steps.last().note == "It left"


def test_the_life_of_an_alert_is_told_in_words(as_, people):
    webhook(people.site)
    alert = alert_of(people.site)
    escalate_alerts(at=NOON + dt.timedelta(minutes=3))
    client = as_("farid")
    client.get(f"/alerts/{alert.pk}/")
    text = " ".join(client.get(f"/alerts/{alert.pk}/life").content.decode().split())
    for words in ("Raised", "Escalated to level 1: nobody had answered", "<strong>Opened</strong> by farid"):
        assert words in text
    assert "<strong>Guard room</strong>, raised: waiting" in text
    assert "<strong>Guard room</strong>, escalation to level 1: waiting" in text


def test_who_is_both_audiences_reads_both(as_, people):
    Membership.objects.create(user=people.farid, site=people.site, role=Role.HR)
    alert_of(people.site), alert_of(people.site, key="p", audience="personnel", title="Hours of somebody")
    assert "Hours of somebody" in as_("farid").get("/alerts/").content.decode()


def test_typed_text_stays_text(as_, people):
    alert = alert_of(people.site, title="<script>alert(1)</script>", detail="<img src=x onerror=1>")
    client = as_("farid")
    client.post(f"/alerts/{alert.pk}/acknowledge", {"note": "<b>bold</b>"})
    for path in ("/alerts/", f"/alerts/{alert.pk}/", "/blocks/alerts"):
        text = client.get(path).content.decode()
        assert not [part for part in ("<script>alert", "<img src=x", "<b>bold") if part in text]
