"""The wall and the camera page in a real Chromium, against the real `serve` process."""

import os
import re

import pytest

from tests.feed_rig import Rig
from tests.needs import needs_chromium
from tests.synthetic_camera import SyntheticCamera

pytestmark = pytest.mark.system

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
SLUGS = [f"camera-{number}" for number in range(1, 10)]
LIMIT_MS = 20_000
PIXELS = """element => {
  const canvas = document.createElement("canvas");
  canvas.width = 64; canvas.height = 36;
  const context = canvas.getContext("2d");
  context.drawImage(element, 0, 0, 64, 36);
  return Array.from(context.getImageData(0, 0, 64, 36).data).join();
}"""


@pytest.fixture(scope="module")
def rig():
    with Rig(SLUGS) as rig:
        yield rig


@pytest.fixture(scope="module", autouse=True)
def cameras(rig):
    """Nine cameras that run."""
    running = [SyntheticCamera(rig.redis_url, slug, fps=5, seed=number) for number, slug in enumerate(SLUGS)]
    for camera in running:
        camera.__enter__()
    yield dict(zip(SLUGS, running, strict=True))
    for camera in running:
        camera.__exit__()


@pytest.fixture(scope="module")
def chromium():
    """A browser; Playwright's loop runs in this thread meanwhile, which Django would otherwise object to."""
    path = needs_chromium()
    from playwright.sync_api import sync_playwright

    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=ARGS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def cookies(rig):
    pairs = (pair.partition("=") for pair in rig.login().split("; "))
    return [{"name": name, "value": value, "url": rig.base} for name, _, value in pairs]


@pytest.fixture
def open_page(rig, chromium, cookies):
    """Open a page as the security guard; errors of its scripts fail the test."""
    contexts, errors = [], []

    def opened(path, **how):
        context = chromium.new_context(**{"viewport": {"width": 1360, "height": 800}, **how})
        contexts.append(context)
        context.add_cookies(cookies)
        context.set_default_timeout(LIMIT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{rig.base}{path}", wait_until="commit")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def wait_for(page, expression):
    """Wait until a script expression holds; Playwright's own way evaluates text, which the page's policy forbids."""
    for _ in range(LIMIT_MS // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never held: {expression}")


def wait_for_tiles(page):
    """Wait until every tile says that it is live."""
    wait_for(page, f"document.querySelectorAll('.tile[data-state=live]').length === {len(SLUGS)}")


def changes(page, element):
    """Wait until the pixels of an element have changed twice."""
    seen = {element.evaluate(PIXELS)}
    for _ in range(LIMIT_MS // 100):
        page.wait_for_timeout(100)
        seen.add(element.evaluate(PIXELS))
        if len(seen) > 2:
            return
    raise AssertionError("the picture stands still")


def test_nine_tiles_run_over_one_socket_and_the_page_still_answers(open_page):
    page = open_page("/wall/")
    wait_for_tiles(page)
    changes(page, page.locator("canvas").first)
    assert page.evaluate("fetch('/wall/counts').then(answer => answer.status)") == 200
    assert page.locator("#wall-summary").inner_text() == "9 live"


def test_a_frozen_camera_says_so_on_its_tile_and_comes_back(open_page, cameras):
    page = open_page("/wall/")
    wait_for_tiles(page)
    cameras["camera-5"].frozen.set()
    try:
        tile = page.locator('.tile[data-camera="camera-5"]')
        wait_for(page, "document.querySelector('[data-camera=camera-5]').dataset.state === 'stale'")
        assert re.fullmatch(r"No live picture \d+ s", " ".join(tile.locator(".badge").inner_text().split()))
        wait_for(page, "document.getElementById('live-region').textContent.includes('Camera 5: No live picture')")
    finally:
        cameras["camera-5"].frozen.clear()
    wait_for_tiles(page)


def test_arrow_keys_walk_the_wall_and_enter_opens_a_camera(open_page):
    page = open_page("/wall/")
    wait_for_tiles(page)
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    slug = page.evaluate("document.activeElement.dataset.camera")
    assert slug == "camera-5"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cameras/{slug}/", wait_until="commit")
    # A page that is closed while its stream is only being opened keeps the browser waiting.
    wait_for(page, "document.getElementById('feed')?.naturalWidth > 0")


def test_the_camera_page_shows_a_picture_that_moves(open_page):
    page = open_page("/cameras/camera-1/")
    wait_for(page, "document.getElementById('feed')?.naturalWidth === 1280")
    changes(page, page.locator("#feed"))
    page.select_option("#tier", "medium")
    wait_for(page, "document.getElementById('feed').naturalWidth === 640")


def test_a_redis_that_dies_is_told_by_a_banner_and_pictures_return(open_page, rig):
    page = open_page("/wall/")
    wait_for_tiles(page)
    rig.stop_broker()
    try:
        page.locator("#wall-lost").wait_for(state="visible")
    finally:
        rig.start_broker()
    page.locator("#wall-lost").wait_for(state="hidden")
    wait_for_tiles(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/wall/", "/cameras/camera-1/"])
def test_a_phone_scrolls_in_one_direction_only(open_page, path, scheme):
    page = open_page(path, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page.locator("main").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_without_scripts_the_wall_shows_stills(open_page):
    page = open_page("/wall/", java_script_enabled=False)
    stills = page.locator("noscript img")
    stills.first.wait_for()
    assert stills.count() == len(SLUGS)


def test_light_and_dark_are_chosen_and_kept(open_page):
    page = open_page("/wall/", color_scheme="light")
    toggle = page.get_by_role("button", name="Switch to dark colours")
    toggle.click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload(wait_until="commit")
    page.get_by_role("button", name="Switch to light colours").wait_for()
