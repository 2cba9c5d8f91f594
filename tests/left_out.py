"""pytest plugin: says which tests were left out and why; under ``CI=true`` a test that skips itself fails the run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

import pytest

FOOTAGE = "need clips that are not part of the project (name their folder by FACTORYAI_FOOTAGE)"
WHOLE_SYSTEM = "are of whole systems, which run on PostgreSQL only"
ENGINELESS = "touch no database, and ran with those on SQLite"
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}

_deselected: Counter[str] = Counter()
_skipped: Counter[str] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches the database, and leave out what needs footage where there is none.

    No machine of the project has footage by itself. A test that asks for no database is refused one by pytest-django,
    so its outcome cannot depend on the engine.
    """
    for item in items:
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("database")
    if os.environ.get("FACTORYAI_FOOTAGE"):
        return
    needing = [item for item in items if item.get_closest_marker("footage")]
    items[:] = [item for item in items if item not in needing]
    if needing:
        config.hook.pytest_deselected(items=needing)


def pytest_deselected(items: Iterable[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("footage"):
            _deselected[FOOTAGE] += 1
        elif item.get_closest_marker("system") and item.config.getoption("markexpr") == "not system":
            _deselected[WHOLE_SYSTEM] += 1
        elif not item.get_closest_marker("database") and item.config.getoption("markexpr") == "database or system":
            _deselected[ENGINELESS] += 1
        else:
            _deselected["nobody asked for"] += 1


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skipped[reason.removeprefix("Skipped: ")] += 1


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = dict(_deselected)
    elif _skipped and _is_ci() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Hear from a worker of pytest-xdist what it left out: every worker collects, and deselects, the same tests."""
    _deselected.update(Counter(getattr(node, "workeroutput", {}).get("deselected", {})) - _deselected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not (_deselected or _skipped):
        terminalreporter.write_line("Nothing was left out.")
        return
    terminalreporter.section("left out")
    for why, count in _deselected.items():
        terminalreporter.write_line(f"{count} that {why}")
    for why, count in _skipped.items():
        terminalreporter.write_line(f"{count} skipped: {why}", red=_is_ci())
    if _skipped and _is_ci():
        terminalreporter.write_line("Under CI=true nothing may be skipped: the run fails.", red=True)


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() == "true"
