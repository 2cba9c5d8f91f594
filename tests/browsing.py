"""A real Chromium for tests: how it is started, how a page is waited for, and what axe-core says of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.needs import needs_chromium

ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--autoplay-policy=user-gesture-required"]
ARGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
LIMIT_MS = 60_000
"""How long the slowest machine may take; nothing is judged by it."""
GRAVE = ("serious", "critical")
ASK_AXE = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  const where = (nodes) => nodes.map((node) => node.html.slice(0, 160));
  return found.violations.map(({ id, impact, nodes }) => ({ id, impact, where: where(nodes) }));
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the system's Chromium. Playwright's loop runs in this thread meanwhile, which Django would object to."""
    path = needs_chromium()
    from playwright.sync_api import sync_playwright

    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=str(path), args=ARGS)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def cookies_of(header: str, base: str) -> list[dict[str, str]]:
    """Return a Cookie header as a browser's context takes it."""
    pairs = (pair.partition("=") for pair in header.split("; "))
    return [{"name": name, "value": value, "url": base} for name, _, value in pairs]


def wait_for(page: Any, expression: str) -> None:
    """Wait until a script expression holds; Playwright's own way evaluates text, which the page's policy forbids."""
    for _ in range(LIMIT_MS // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never held: {expression}")


def axe_file() -> Path:
    """Return where axe-core lies: the wheel of axe-playwright-python carries it."""
    spec = find_spec("axe_playwright_python")
    assert spec, "axe-playwright-python is not installed"
    assert spec.origin
    return Path(spec.origin).parent / "axe.min.js"


def axe_source() -> str:
    return axe_file().read_text(encoding="utf-8")


def grave_faults(page: Any, source: str) -> list[dict[str, Any]]:
    """Return what axe-core calls serious or critical on a page."""
    page.evaluate(source)
    return [fault for fault in page.evaluate(ASK_AXE) if fault["impact"] in GRAVE]
