"""Makes the pictures of the guides from the running product: ``python -m tests.screenshots [--folder docs/images]``.

Starts the demonstration on a folder and a port of its own, fills it with `tests.populated`, and ends it afterwards.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.browsing import chromium
from tests.installation import PROJECT, Installation

POPULATE = "from tests.populated import populate; populate('demo', gate='gate', hall='entrance')"
QUALITY = 82
SETTLE_MS = 6000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=PROJECT / "docs" / "images")
    folder = parser.parse_args().folder
    with (
        tempfile.TemporaryDirectory() as place,
        Installation(Path(place) / "data") as product,
        chromium() as browser,
    ):
        product.wait_until_it_says("Ready")
        environment = {**os.environ, "FACTORYAI_DATA_DIR": str(product.folder)}
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", POPULATE]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True)
        take_all(browser, product, folder)
        product.stop()


def take_all(browser: Any, product: Installation, folder: Path) -> None:
    """Log security in, and take what the guides show."""
    size = {"width": 1360, "height": 850}
    page = browser.new_page(viewport=size, base_url=f"http://127.0.0.1:{product.port}", reduced_motion="reduce")
    page.set_default_timeout(90_000)
    page.goto("/login")
    page.fill("[name=username]", "farid")
    page.fill("[name=password]", product.password_of("farid"))
    page.press("[name=password]", "Enter")
    page.locator(".alert[data-severity=critical]").first.wait_for()
    page.locator("#wall .tile[data-state=live]").nth(2).wait_for()
    page.wait_for_timeout(SETTLE_MS)
    keep(page.screenshot(), folder / "security.webp")
    page.locator(".alert[data-severity=critical] [name=note]").first.fill("Guard is on the way")
    page.locator(".alert[data-severity=critical] button").first.click()
    page.locator(".alert-who").first.wait_for()
    page.locator(".alert", has=page.locator(".alert-who")).locator(".alert-title a").click()
    page.locator(".life").first.wait_for()
    page.wait_for_timeout(1000)
    keep(page.screenshot(clip={"x": 0, "y": 0, **size, "height": 560}), folder / "alert.webp")


def keep(png: bytes, path: Path) -> None:
    """Write a screenshot as WebP, about a tenth of the PNG."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    path.write_bytes(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes())


if __name__ == "__main__":
    main()
