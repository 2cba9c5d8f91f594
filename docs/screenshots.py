"""Makes the pictures of the documents from the running product: `make screenshots`, or some by name.

It starts a fresh installation with the demonstration, logs in as its people and opens the pages of `SHOTS` in Chromium.
A page that answers with an error fails the run. Add a line for a new page; keep them few, each below 150 kB.
"""

# ruff: noqa: T201  it talks to whoever runs it

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.installation import Installation
from tests.needs import needs_chromium

IMAGES = Path(__file__).resolve().parent / "images"
ARGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--hide-scrollbars"]
WIDTH = 1360
QUALITY = 82
LIMIT_MS = 60_000
READY_LIMIT_S = 600
LIMIT_BYTES = 150_000


@dataclass(frozen=True)
class Shot:
    """One picture: who sees which page, what must be there before it is taken, and how much of it is shown."""

    name: str
    person: str
    path: str
    wait_for: str
    height: int = 800
    settle_ms: int = 500
    is_busy: bool = False
    """Taken after a day's vehicles, faces and alerts were put in."""


SHOTS = (
    Shot("queue", "meena", "/admin/attendance/flag/", "#result_list", height=700),
    Shot("security", "farid", "/", "#gate-last", height=850, settle_ms=6000, is_busy=True),
    Shot("alert", "farid", "/alerts/1/", ".life", height=560, is_busy=True),
)
FILL = """
from django.utils import timezone
from factoryai.alerts.models import Alert
from factoryai.alerts.services import acknowledge_alert
from tests.populated import populate
populate("demo", gate="gate", hall="entrance")
first = Alert.objects.order_by("pk").first()
by = first.site.memberships.get(user__username="farid").user
acknowledge_alert(alert=first, by=by, note="Nobody more is let in", at=timezone.now())
"""


def take(shots: Sequence[Shot], installation: Installation, browser: Any) -> None:
    for shot in shots:
        page = logged_in(browser, installation, shot)
        answer = page.goto(shot.path, wait_until="load")
        if answer is None or not answer.ok:
            raise SystemExit(f"{shot.path} answers {answer and answer.status} to {shot.person}.")
        page.wait_for_selector(shot.wait_for)
        page.wait_for_timeout(shot.settle_ms)
        size = save(shot.name, page.screenshot())
        print(f"{shot.name}.webp: {size / 1000:.0f} kB, {shot.path} as {shot.person}")
        page.context.close()


def logged_in(browser: Any, installation: Installation, shot: Shot) -> Any:
    """Return a page of a browser in which the person has logged in."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{installation.port}",
        viewport={"width": WIDTH, "height": shot.height},
        color_scheme="light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(LIMIT_MS)
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", shot.person)
    page.fill("[name=password]", installation.password_of(shot.person))
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url, wait_until="commit")
    return page


def save(name: str, png: bytes) -> int:
    """Write a picture as WebP, which is a quarter of the size of a PNG with photographs; return its size."""
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    data = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()
    if len(data) > LIMIT_BYTES:
        raise SystemExit(f"{name}: {len(data)} bytes are too many for a document; show less of the page.")
    (IMAGES / f"{name}.webp").write_bytes(data)
    return len(data)


def wait_until_ready(installation: Installation) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while "Ready" not in installation.said:
        if installation.process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"The installation does not start:\n{installation.said}\n{installation.logs()}")
        time.sleep(0.5)


def fill(installation: Installation) -> None:
    environment = {**os.environ, "FACTORYAI_DATA_DIR": str(installation.folder)}
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", FILL]
    subprocess.run(command, cwd=IMAGES.parent.parent, env=environment, check=True)  # noqa: S603  our own


def main(names: Sequence[str]) -> None:
    unknown = set(names) - {shot.name for shot in SHOTS}
    if unknown:
        raise SystemExit(
            f"No such picture: {', '.join(sorted(unknown))}. There are: {', '.join(s.name for s in SHOTS)}."
        )
    chosen = [shot for shot in SHOTS if not names or shot.name in names]
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory(prefix="factoryai-screenshots-") as folder,
        Installation(Path(folder) / "data") as installation,
        sync_playwright() as playwright,
    ):
        wait_until_ready(installation)
        browser = playwright.chromium.launch(executable_path=str(needs_chromium()), args=ARGS)
        take([shot for shot in chosen if not shot.is_busy], installation, browser)
        if busy := [shot for shot in chosen if shot.is_busy]:
            fill(installation)
            take(busy, installation, browser)
        browser.close()
        installation.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
