"""A manager draws on a camera in the administration, with the mouse and with keys alone: in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from factoryai.sites.tests.factories import PASSWORD, make_people
from streaming.models import Camera
from streaming.tests.factories import make_camera
from tests.needs import needs_chromium

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
DOOR = {"name": "Door", "points": [[0.1, 0.5], [0.9, 0.5]], "in": "right"}


@pytest.fixture
def camera() -> Camera:
    return make_camera(make_people().site, "hall", roles=["occupancy"], lines=[DOOR])


@pytest.fixture
def page(camera: Camera, live_server: Any) -> Iterator[Any]:
    """Kavita at the form of a camera that shows no picture; an error of a script fails the test."""
    path = needs_chromium()
    from playwright.sync_api import sync_playwright

    errors: list[str] = []
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(path), args=ARGS)
            page = browser.new_page(viewport={"width": 1360, "height": 1600}, base_url=live_server.url)
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto(f"/admin/login/?next=/admin/streaming/camera/{camera.pk}/change/")
            page.fill("[name=username]", "kavita")
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_selector(".drawing-board")
            yield page
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    assert errors == []


def save(page: Any, camera: Camera) -> Camera:
    page.click("[name=_continue]")
    page.wait_for_selector(".messagelist .success")
    camera.refresh_from_db()
    return camera


def click(page: Any, *points: tuple[float, float]) -> None:
    box = page.locator(".drawing-board").bounding_box()
    for x, y in points:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def rounded(points: list) -> list:
    return [[round(x, 2), round(y, 2)] for x, y in points]


def test_shapes_are_clicked_moved_undone_and_saved_without_a_picture(page: Any, camera: Camera) -> None:
    page.wait_for_selector("text=There is no picture of this camera now")
    click(page, (0.2, 0.2), (0.2, 0.8))
    page.check("[name=drawing-kind][value=zones]")
    click(page, (0.3, 0.3), (0.6, 0.3), (0.6, 0.6))
    page.click("[name=_continue]")
    assert "not finished" in page.inner_text(".drawing-status")
    page.keyboard.press("Enter")
    page.check("[name=drawing-kind][value=privacy_masks]")
    click(page, (0.7, 0.7), (0.8, 0.7), (0.8, 0.9), (0.7, 0.7))
    click(page, (0.05, 0.05))
    page.click("text=Undo")

    box = page.locator(".drawing-board").bounding_box()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.55 * box["height"], steps=3)
    page.mouse.up()
    page.locator("button", has_text="Turn the arrow round").first.click()

    saved = save(page, camera)
    assert [(line["name"], line["in"], rounded(line["points"])) for line in saved.lines] == [
        ("Door", "left", [[0.15, 0.55], [0.9, 0.5]]),
        ("Line 1", "right", [[0.2, 0.2], [0.2, 0.8]]),
    ]
    assert [(zone["name"], rounded(zone["points"])) for zone in saved.zones] == [
        ("Zone 1", [[0.3, 0.3], [0.6, 0.3], [0.6, 0.6]])
    ]
    assert [rounded(mask) for mask in saved.privacy_masks] == [[[0.7, 0.7], [0.8, 0.7], [0.8, 0.9]]]


def test_everything_can_be_drawn_with_keys_alone(page: Any, camera: Camera) -> None:
    page.focus("[name=drawing-kind]:checked")
    page.keyboard.press("ArrowDown")
    page.focus(".drawing-board")
    for keys in ("Space", "Shift+ArrowRight Space", "Shift+ArrowDown Space", "Enter"):
        for key in keys.split():
            page.keyboard.press(key)
    page.focus('.handle[data-shape="0"][data-point="0"]')
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+z")
    page.focus(".drawing-points summary")
    page.keyboard.press("Enter")
    page.fill("#shape-0-1-0", "80")
    page.keyboard.press("Tab")

    saved = save(page, camera)
    assert rounded(saved.lines[0]["points"]) == [[0.1, 0.49], [0.8, 0.5]]
    assert rounded(saved.zones[0]["points"]) == [[0.5, 0.5], [0.55, 0.5], [0.55, 0.55]]
