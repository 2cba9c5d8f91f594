"""Security's day in a real Chromium against the real `serve` process, and every page of the product with axe-core.

``FACTORYAI_TEST_SHOTS`` names a folder for a picture of each step.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.urls import reverse

from tests.browsing import LIMIT_MS, axe_source, chromium, cookies_of, grave_faults, wait_for
from tests.feed_rig import Rig, end
from tests.populated import BLOCKED
from tests.rtsp import rtsp_camera
from tests.synthetic_camera import SyntheticCamera

pytestmark = pytest.mark.system

SHOTS = os.environ.get("FACTORYAI_TEST_SHOTS")
PAGE_BYTES = 150_000
POPULATE = "from tests.populated import populate; populate()"
RAISE = """
from django.utils import timezone
from factoryai.alerts.services import raise_alert
from factoryai.sites.models import Site
raise_alert(site=Site.objects.get(slug="{site}"), kind="test", severity="{severity}", title="{title}", key="{title}",
            at=timezone.now())
"""
PAGES = {
    "": ["/login", "/nowhere"],
    "farid": [
        "/", "/screen/", "/wall/", "/cameras/gate/", "/alerts/", "/alerts/?state=sideways", "/alerts/{alert}/",
        "/vehicles/", "/vehicles/visits/", "/vehicles/visits/{visit}/", "/vehicles/review", "/faces/review",
        "/occupancy/", "/occupancy/{zone}/", "/occupancy/{zone}/?period=week",
    ],
    "meena": [
        "/", "/admin/", "/admin/attendance/flag/", "/admin/attendance/dayrecord/",
        "/admin/attendance/dayrecord/person/{employee}/{month}/", "/admin/attendance/punch/",
        "/admin/attendance/payperiod/", "/admin/attendance/shiftversion/", "/admin/identity/employee/",
    ],
    "kavita": [
        "/", "/overview/", "/desk/", "/start/", "/scheduler/", "/evacuation", "/admin/streaming/camera/",
        "/admin/streaming/camera/{camera}/change/", "/admin/vehicles/blockedplate/",
        "/admin/vehicles/blockedplate/add/", "/admin/alerts/alert/", "/admin/occupancy/zone/",
    ],
    "root": ["/admin/", "/admin/sites/site/", "/admin/auth/user/", "/start/", "/docs"],
}  # fmt: skip
"""Who walks where. ``{name}`` stands for the number of a row that `ROWS` finds."""
IS_WIDER = """() => [document.documentElement, ...document.querySelectorAll("#changelist .results, .table-scroll")]
  .some((one) => one.scrollWidth > one.clientWidth + 1)"""
"""The page, or a table in its own frame, has columns that are only seen by scrolling sideways."""
ROWS = """
from django.utils import timezone
from factoryai.alerts.models import Alert
from identity.models import Employee
from occupancy.models import Zone
from streaming.models import Camera
from vehicles.models import Visit
import json, pathlib
rows = {"alert": Alert, "visit": Visit, "zone": Zone, "employee": Employee, "camera": Camera}
found = {name: model.objects.order_by("pk").first().pk for name, model in rows.items()}
pathlib.Path(r"PLACE").write_text(json.dumps({**found, "month": f"{timezone.now():%Y-%m}"}))
"""


@pytest.fixture(scope="module")
def rig():
    with Rig(["gate", "hall"], FACTORYAI_CAMERA_NETWORKS="127.0.0.0/8") as rig:
        rig.shell(POPULATE)
        rig.collect_static()
        with SyntheticCamera(rig.redis_url, "gate", fps=4), SyntheticCamera(rig.redis_url, "hall", fps=4, seed=1):
            yield rig


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def logins(rig):
    """Log each person in once."""
    found: dict[str, list] = {"": []}

    def cookies(name):
        if name not in found:
            found[name] = cookies_of(rig.login(name), rig.base)
        return found[name]

    return cookies


@pytest.fixture(scope="module")
def rows(rig, tmp_path_factory):
    """Return the numbers of the rows that addresses name."""
    place = tmp_path_factory.mktemp("rows") / "rows.json"
    rig.shell(ROWS.replace("PLACE", str(place)))
    return json.loads(place.read_text())


@pytest.fixture(scope="module")
def calling(rig):
    """A critical alert that nobody answers."""
    rig.shell(RAISE.format(site="pune", severity="critical", title="Look here"))


@pytest.fixture
def open_page(rig, browser, logins):
    """Open a page as somebody; errors of its scripts and requests that leave the machine fail the test."""
    contexts, errors = [], []

    def watch(request):
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(rig.base):
            errors.append(f"a request left the machine: {request.url}")

    def opened(path, name="farid", **how):
        context = browser.new_context(**{"viewport": {"width": 1360, "height": 850}, "base_url": rig.base, **how})
        contexts.append(context)
        context.add_cookies(logins(name))
        context.set_default_timeout(LIMIT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", watch)
        page.goto(path, wait_until="commit")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def shoot(page, name):
    """Keep a picture of a step where somebody asked for it."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"))


def is_live(page):
    wait_for(page, "document.getElementById('live')?.dataset.state === 'live'")


def test_an_alert_is_seen_on_every_screen_taken_on_in_place_and_told_to_everybody(open_page, rig):
    farid, kavita = open_page("/"), open_page("/screen/?site=pune", "kavita")
    is_live(farid), is_live(kavita)
    kavita.locator(".alert[data-severity=warning] [name=note]").first.fill("half a note")
    alert = farid.locator(".alert", has_text=BLOCKED)
    assert alert.get_by_role("alert").count() == 1
    shoot(farid, "1-an-alert-comes")
    farid.keyboard.press("j")
    farid.keyboard.press("x")
    farid.keyboard.type("Guard is on the way")
    shoot(farid, "2-a-note-is-typed")
    farid.keyboard.press("Enter")
    for page in (farid, kavita):
        page.locator(".alert", has_text="farid took it on at").get_by_text("Guard is on the way").wait_for()
    assert alert.get_by_role("alert").count() == 0
    assert kavita.locator(".alert[data-severity=warning] [name=note]").first.input_value() == "half a note"
    assert "alert-" in farid.evaluate("document.activeElement.id")
    shoot(farid, "3-everybody-sees-who-took-it-on")
    alert.locator("a").first.click()
    farid.get_by_text("Acknowledged by farid", exact=False).wait_for()
    shoot(farid, "4-its-life")


def test_a_plate_is_looked_up_and_a_doubtful_read_is_decided(open_page):
    page = open_page("/")
    page.locator("#block-gate .gate-last li").first.wait_for()
    page.get_by_role("link", name="Gate", exact=True).first.click()
    page.fill("[name=plate]", "ka 05 mj-4417")
    page.press("[name=plate]", "Enter")
    page.locator("tr", has_text="KA05MJ4417").first.wait_for()
    assert page.locator("tbody tr").count() == 1
    shoot(page, "5-a-plate-in-the-log")
    page.goto("/", wait_until="commit")
    page.locator("#block-gate .block-head").get_by_role("link", name="to review").click()
    page.locator("[data-plate-review]").wait_for()
    shoot(page, "6-a-read-to-review")
    page.get_by_role("button", name="Correct", exact=True).click()
    page.locator(".banner[data-level=success]").wait_for()
    shoot(page, "7-decided")


def test_a_camera_is_looked_at_and_the_people_inside(open_page):
    page = open_page("/")
    wait_for(page, "document.querySelectorAll('#wall .tile[data-state=live]').length === 2")
    page.locator(".tile[data-camera=hall]").click()
    wait_for(page, "document.getElementById('feed')?.naturalWidth > 0")
    shoot(page, "8-one-camera")
    page.goto("/", wait_until="commit")
    page.locator("#block-inside").get_by_text("of 40").wait_for()
    page.locator("#block-inside").get_by_role("link", name="Assembly hall").click()
    page.get_by_role("heading", name="Assembly hall").wait_for()
    shoot(page, "9-a-zone-over-time")


def test_a_manager_blocks_a_plate_changes_it_in_two_clicks_and_finds_it_by_any_spelling(open_page):
    page = open_page("/admin/", "kavita")
    page.get_by_role("link", name="Blocked plates", exact=True).click()
    page.get_by_role("link", name="Add blocked plate").click()
    page.fill("[name=plate]", "ka-01 ek 171")
    page.select_option("[name=site]", label="Pune")
    page.fill("[name=reason]", "Left without paying")
    shoot(page, "m1-a-plate-is-blocked")
    page.get_by_role("button", name="Save", exact=True).click()
    page.fill("#searchbar", "KA01EK0171")
    page.press("#searchbar", "Enter")
    row = page.locator("#result_list tbody tr", has_text="Left without paying")
    row.get_by_text("in force").wait_for()
    row.get_by_role("link", name="KA01EK171").click()
    page.fill("[name=reason]", "Left without paying twice")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#result_list tbody tr", has_text="Left without paying twice").wait_for()
    shoot(page, "m2-found-and-changed")


def test_a_manager_tries_a_camera_before_saving_it(open_page):
    page = open_page("/admin/streaming/camera/add/", "kavita")
    page.fill("[data-try]", "demo:gate")
    page.get_by_role("button", name="Try it").click()
    wait_for(page, "document.querySelector('img[alt=\\'What the camera sees now\\']')?.naturalWidth > 0")
    shoot(page, "m3-a-camera-is-tried")
    page.fill("[data-try]", "ftp://192.168.1.20/stream")
    page.get_by_role("button", name="Try it").click()
    wait_for(page, "document.querySelector('p.help[role=status]').textContent.toLowerCase().includes('rtsp')")
    assert page.get_by_alt_text("What the camera sees now").is_hidden()


def test_the_first_steps_try_a_real_camera_and_then_add_it(open_page, rig):
    page = open_page("/start/?site=", "kavita")  # a choice of one site stays with the login
    step, tried = page.locator("#step-camera"), "document.querySelector('#step-camera img')"
    step.locator("summary").click()
    step.locator("[name=camera-site]").select_option(label="Pune")
    step.locator("[name=camera-name]").fill("Loading dock")
    with rtsp_camera(size=(640, 360), fps=10, user="viewer", password="sesame-17") as camera:
        step.locator("[name=camera-url]").fill(camera.url.replace("sesame-17", "wrong"))
        step.get_by_role("button", name="Try it").click()
        wait_for(page, "document.querySelector('#step-camera [role=status]').textContent.includes('password')")
        assert step.locator("img").is_hidden()
        step.locator("[name=camera-url]").fill(camera.url)
        step.get_by_role("button", name="Try it").click()
        wait_for(page, f"{tried}?.naturalWidth === 640")
        assert step.get_by_alt_text("What the camera sees now").is_visible()
        shoot(page, "m5-the-first-steps-try-a-camera")
        step.get_by_role("button", name="Add the camera").click()
        page.get_by_text("Loading dock is added").wait_for()
    assert "sesame-17" not in page.content()


def test_a_manager_sees_all_sites_and_opens_one(open_page):
    page = open_page("/?site=", "kavita")  # a choice of one site stays with the login
    page.get_by_role("heading", name="Overview").wait_for()
    shoot(page, "m4-all-sites")
    page.set_viewport_size({"width": 360, "height": 740})
    tops = [page.locator(f"#block-{name}").bounding_box()["y"] for name in ("alerts", "queue", "health")]
    assert tops == sorted(tops), "what cannot wait stands first on a phone"
    page.set_viewport_size({"width": 1360, "height": 850})
    page.get_by_role("link", name="Pune", exact=True).first.click()
    page.locator("#block-alerts").wait_for()
    assert "site=pune" in page.url


def test_nothing_is_lost_when_the_server_restarts_and_the_page_says_that_it_is_not_live(open_page, rig):
    page = open_page("/")
    is_live(page)
    end(rig.web)
    page.locator("#not-live").wait_for(state="visible")
    wait_for(page, "document.getElementById('live').textContent.includes('Not live')")
    rig.shell(RAISE.format(site="pune", severity="critical", title="Raised while nobody listened"))
    rig.start_web()
    page.locator(".alert", has_text="Raised while nobody listened").wait_for()
    is_live(page)
    assert page.locator("#not-live").is_hidden()


def test_without_redis_alerts_still_come_and_the_page_says_that_they_come_late(open_page, rig):
    page = open_page("/")
    is_live(page)
    rig.stop_broker()
    try:
        wait_for(page, "document.getElementById('live').dataset.state === 'slow'")
        assert "The news service is away" in page.locator("#not-live").inner_text()
        rig.shell(RAISE.format(site="pune", severity="warning", title="Raised without Redis"))
        page.locator(".alert", has_text="Raised without Redis").wait_for()
    finally:
        rig.start_broker()
    is_live(page)


def test_another_sites_alert_never_comes(open_page, rig):
    stranger, farid = open_page("/", "stranger"), open_page("/")
    is_live(stranger), is_live(farid)
    rig.shell(RAISE.format(site="pune", severity="warning", title="For Pune alone"))
    farid.locator(".alert", has_text="For Pune alone").wait_for()
    assert stranger.locator(".alert").count() == 0


def test_the_keyboard_leads_everywhere_and_the_sound_is_remembered(open_page):
    page = open_page("/")
    is_live(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").startswith("skip-link")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("m")
    page.locator("#sound[aria-pressed=true]").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.get_by_role("heading", name="Alerts", exact=True).wait_for()
    page.goto("/", wait_until="commit")
    page.locator("#sound[aria-pressed=true]").wait_for()


def test_without_scripts_a_site_is_chosen_and_an_alert_taken_on(open_page, rig):
    rig.shell(RAISE.format(site="pune", severity="critical", title="Answered without scripts"))
    page = open_page("/", "kavita", java_script_enabled=False)
    page.select_option("#site-switch", "pune")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("heading", name="Pune").wait_for()
    page.locator(".alert", has_text="Answered without scripts").get_by_role("button").click()
    page.get_by_text("Kavita took it on").first.wait_for()


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}, id="a phone in the dark"),
        pytest.param({"viewport": {"width": 680, "height": 425}, "reduced_motion": "reduce"}, id="200 % zoom, calm"),
        pytest.param({"viewport": {"width": 3840, "height": 2160}}, id="a 4K wall"),
    ],
)
def test_the_screen_fits_and_moves_only_where_motion_is_welcome(open_page, calling, how):
    page = open_page("/", **how)
    is_live(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.locator(".tile-name").evaluate_all("all => all.map((one) => [one.scrollWidth, one.clientWidth])")
    assert names
    assert all(needs <= has for needs, has in names)
    motion = page.evaluate(
        "getComputedStyle(document.querySelector('.alert[data-waiting][data-severity=critical]')).animationName"
    )
    assert (motion == "none") is ("reduced_motion" in how)


@pytest.mark.parametrize("name", list(PAGES))
def test_no_page_has_a_serious_fault_weighs_too_much_or_asks_elsewhere(open_page, rows, name):
    source, faults = axe_source(), []
    page = open_page("about:blank", name)
    weights: dict[str, int] = {}
    page.on("response", lambda answer: weigh(answer, weights))
    for scheme, path in zip(("light", "dark") * 20, PAGES[name], strict=False):
        address = path.format(**rows)
        weights.clear()
        page.emulate_media(color_scheme=scheme)
        answer = page.goto(address, wait_until="domcontentloaded")
        assert answer.ok or address == "/nowhere", f"{address} answers {answer.status}"
        page.wait_for_timeout(150)
        if page.evaluate(IS_WIDER):
            faults.append((address, "wider than a window of 1,360 px"))
        if address != "/docs":  # Swagger UI weighs what it weighs, and is for programmers
            assert page.locator("h1").count() >= 1, address
            faults += [(address, scheme, fault) for fault in grave_faults(page, source)]
            weight = sum(weights.values())
            if weight > PAGE_BYTES:
                faults.append((address, f"{weight} bytes", sorted(weights.items(), key=lambda one: -one[1])[:4]))
    assert not faults, json.dumps(faults, indent=1)


def test_no_list_of_the_administration_hides_a_column(open_page):
    page, wide = open_page("about:blank", "root"), []
    for model in admin.site._registry:
        address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        page.goto(address, wait_until="domcontentloaded")
        assert page.locator("#changelist").count() == 1, address
        if page.evaluate(IS_WIDER):
            wide.append(address)
    assert wide == []


def weigh(answer, weights):
    """Note the bytes that one answer took on the wire; pictures and their streams apart."""
    kind = answer.headers.get("content-type", "")
    if not kind.startswith(("image/", "multipart/")) and answer.status == 200:
        weights[answer.url] = answer.request.sizes()["responseBodySize"]
