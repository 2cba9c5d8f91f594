"""Every list of rows follows the site switcher in the header, and the choice is kept from page to page."""

from __future__ import annotations

import re

import pytest

from factoryai.sites.models import Membership, Role
from identity.models import Sighting, UnknownFace
from occupancy.models import Zone
from streaming.models import Camera
from tests.access.world import ELSEWHERE, HOME, make_world
from vehicles.models import PlateRead, Visit

LISTS = [
    "/", "/screen/", "/desk/", "/overview/", "/wall/", "/wall/counts", "/alerts/", "/alerts.csv", "/vehicles/",
    "/vehicles/log.csv", "/vehicles/visits/?state=all", "/vehicles/review", "/faces/review", "/occupancy/",
    "/occupancy/now", "/evacuation",
]  # fmt: skip
ONE_AT_A_TIME = "/vehicles/review"
WITHOUT_SWITCHER = ("/wall/counts", "/occupancy/now")
EMPTIED = (
    ("/wall/", Camera), ("/vehicles/", PlateRead), ("/vehicles/visits/", Visit), ("/vehicles/review", PlateRead),
    ("/faces/review", UnknownFace), ("/faces/review", Sighting), ("/occupancy/", Zone),
)  # fmt: skip


@pytest.fixture
def world(db, settings, tmp_path):
    settings.MEDIA_PLACE = str(tmp_path)
    world = make_world()
    for role in (Role.MANAGER, Role.HR, Role.SECURITY):
        for site in (world.home, world.elsewhere):
            Membership.objects.get_or_create(user=world.users["mgr"], site=site, role=role)
    return world


@pytest.fixture
def kavita(client, world):
    """Kavita holds every role at two sites, each with one of everything."""
    client.force_login(world.users["mgr"])
    return client


def marks(client, path):
    """Return whose rows a page shows; what the switcher offers is no row."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    text = b"".join(answer).decode()
    if "csv" not in path and path not in WITHOUT_SWITCHER:
        assert 'id="site-switch"' in text, path
    text = re.sub(r'<select id="site-switch".*?</select>', "", text, flags=re.DOTALL)
    return {mark for mark in (HOME, ELSEWHERE) if mark.lower() in text.lower()}


def test_a_list_shows_the_chosen_site_until_all_of_ones_own_are_chosen(kavita, world):
    for site, mark in ((world.home, HOME), (world.elsewhere, ELSEWHERE)):
        kavita.get(f"/wall/?site={site.slug}")
        assert {path: marks(kavita, path) for path in LISTS} == {path: {mark} for path in LISTS}
    kavita.get("/wall/?site=")
    several = [path for path in LISTS if path != ONE_AT_A_TIME]
    assert {path: marks(kavita, path) for path in several} == {path: {HOME, ELSEWHERE} for path in several}


def test_a_page_that_the_choice_empties_leads_back_to_all_sites(kavita, world):
    for _, model in EMPTIED:
        model.objects.update(site=world.elsewhere)
    for path, _ in EMPTIED:
        text = kavita.get(f"{path}?site={world.home.slug}").content.decode()
        assert '<a href="?site=">Show all your sites</a>' in text, path
        assert "Show all your sites" not in kavita.get(f"{path}?site=").content.decode()


def test_what_a_link_names_is_shown_whatever_site_is_chosen(kavita, world):
    visit, read = world.row("vehicles.Visit"), world.row("vehicles.PlateRead")
    PlateRead.objects.filter(pk=read.pk).update(visit=visit)
    kavita.get(f"/wall/?site={world.elsewhere.slug}")
    assert [row.pk for row in kavita.get(f"/vehicles/visits/{visit.pk}/").context["reads"]] == [read.pk]
