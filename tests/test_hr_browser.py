"""HR clears the queue with the keyboard, looks at a month, locks the period: in a real Chromium."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from attendance.models import DayRecord, Flag, PayPeriod
from attendance.services.finalise import finalise_days
from attendance.tests.factories import Plant, clock, make_plant
from factoryai.sites.tests.factories import PASSWORD
from tests.needs import needs_chromium

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture
def plant() -> Plant:
    """Asha came late and left early; Ravi's night has no exit."""
    plant = make_plant()
    plant.punch(plant.asha, "2026-03-02 08:06:12", "in", place="Gate 1")
    plant.punch(plant.asha, "2026-03-02 16:00", "out", place="Gate 1")
    plant.punch(plant.ravi, "2026-03-02 21:59", "in", place="Gate 1")
    finalise_days(at=clock("2026-03-04 12:00"))
    return plant


@pytest.fixture
def page(plant: Plant, live_server: Any) -> Iterator[Any]:
    """Meena at her desk, 1,360 px wide; an error of a script fails the test."""
    path = needs_chromium()
    from playwright.sync_api import sync_playwright

    errors: list[str] = []
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(path), args=ARGS)
            page = browser.new_page(viewport={"width": 1360, "height": 900}, base_url=live_server.url)
            page.set_default_timeout(20_000)
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.goto("/admin/login/?next=/admin/attendance/flag/")
            page.fill("[name=username]", "meena")
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_selector("#result_list")
            yield page
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
    assert errors == []


def waiting() -> int:
    return Flag.objects.awaiting_review().count()


def test_the_queue_is_cleared_with_the_keyboard_alone(page: Any) -> None:
    assert waiting() == 3
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.wait_for_selector(".messagelist .success")
    assert Flag.objects.filter(review="confirmed").count() == 1
    page.keyboard.press("j")
    page.keyboard.press("e")
    assert page.evaluate("document.activeElement.name") == "note"
    page.keyboard.type("The bus broke down")
    page.keyboard.press("Enter")
    page.wait_for_selector(".messagelist .success")
    assert Flag.objects.get(review="excused").note == "The bus broke down"
    assert waiting() == 1


def test_a_confirmed_flag_shows_on_the_persons_month(page: Any) -> None:
    page.click("text=Asha")
    page.wait_for_selector(".month-days")
    assert "LATE 6 min" in page.inner_text(".month-days")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_column_of_the_queue_fits_on_the_screen(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    last = page.locator("#result_list thead th").last.bounding_box()
    assert last["x"] + last["width"] <= 1360


def test_a_period_is_locked_and_its_payroll_downloaded_twice_alike(page: Any, plant: Plant) -> None:
    PayPeriod.objects.create(site=plant.site, first_date="2026-03-02", last_date="2026-03-03")
    page.goto("/admin/attendance/payperiod/")
    page.click("#result_list tbody a")
    page.check("[name=accept_unreviewed]")
    page.click("text=Lock the period")
    page.wait_for_selector("text=Its days never change")
    assert DayRecord.objects.filter(state="locked").exists()
    files = []
    for _ in range(2):
        with page.expect_download() as download:
            page.click("text=Payroll CSV")
        files.append(download.value.path().read_bytes())
    assert files[0] == files[1]
    assert b"E1,Asha" in files[0]
