"""`/api/health`: whether the parts work, within two seconds whatever hangs, without a login and without secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psutil
from channels.db import DatabaseSyncToAsync
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from redis.asyncio import Redis

from factoryai.jobs.services import is_scheduler_running

CHECK_WITHIN_S = 1.5
DISK_LOW_BYTES = 2 * 1024**3
DISK_FULL_BYTES = 200 * 1024**2


class Level(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True)
class Finding:
    """What one check found, in words."""

    level: Level
    text: str


def overall(findings: Mapping[str, Finding]) -> Level:
    """Down when the database is, or the disk is full: nothing is recorded then. Anything else that fails degrades."""
    if any(findings[name].level is Level.DOWN for name in ("database", "disk")):
        return Level.DOWN
    levels = {finding.level for finding in findings.values()}
    return Level.OK if levels == {Level.OK} else Level.DEGRADED


def judge_disk(free_bytes: int) -> Finding:
    """Judge the room left for facts and snapshots."""
    if free_bytes < DISK_FULL_BYTES:
        return Finding(Level.DOWN, "The disk is full.")
    if free_bytes < DISK_LOW_BYTES:
        return Finding(Level.DEGRADED, f"Only {free_bytes // 1024**2} MB are left on the disk.")
    return Finding(Level.OK, f"{free_bytes // 1024**3} GB free.")


def judge_cameras(states: Mapping[str, int]) -> Finding:
    """Judge the cameras by how many are in which state; disabled ones do not count."""
    expected = sum(count for state, count in states.items() if state != "disabled")
    live = states.get("live", 0)
    if live == expected:
        return Finding(Level.OK, f"{live} of {expected} live." if expected else "No camera is switched on.")
    return Finding(Level.DEGRADED, f"{live} of {expected} live.")


_threads = ThreadPoolExecutor(3, thread_name_prefix="health")
"""Of their own: a database that hangs takes these and no others, and further checks wait for them until their time."""


async def _in_thread(ask: Callable[..., Any], *args: Any) -> Any:
    return await DatabaseSyncToAsync(ask, thread_sensitive=False, executor=_threads)(*args)


async def check_database() -> Finding:
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    await _in_thread(ask)
    return Finding(Level.OK, f"{connection.vendor} answers.")


async def check_broker() -> Finding:
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        await client.ping()
    finally:
        await client.aclose()
    return Finding(Level.OK, "Answers.")


async def check_scheduler() -> Finding:
    if await _in_thread(is_scheduler_running, timezone.now()):
        return Finding(Level.OK, "Runs.")
    return Finding(Level.DEGRADED, "Does not run: resets, sums and reminders wait.")


async def check_cameras() -> Finding:
    from factoryai.figures import camera_states

    return judge_cameras(await _in_thread(camera_states))


async def check_disk() -> Finding:
    folder = settings.DATA_DIR if settings.DATA_DIR.exists() else settings.BASE_DIR
    return judge_disk(psutil.disk_usage(str(folder)).free)


CHECKS: Mapping[str, Callable[[], Awaitable[Finding]]] = {
    "database": check_database,
    "broker": check_broker,
    "scheduler": check_scheduler,
    "cameras": check_cameras,
    "disk": check_disk,
}


async def run_checks(checks: Mapping[str, Callable[[], Awaitable[Finding]]] = CHECKS) -> dict[str, Finding]:
    """Run all checks side by side; one that hangs or fails is down, and says no more than the kind of its error."""
    found = await asyncio.gather(*(_timed(check) for check in checks.values()))
    return dict(zip(checks, found, strict=True))


async def _timed(check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            return await check()
    except TimeoutError:
        return Finding(Level.DOWN, "Does not answer.")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part, the answer is that it is down
        return Finding(Level.DOWN, f"Fails ({type(error).__name__}).")


async def health(request: HttpRequest) -> JsonResponse:
    findings = await run_checks()
    status = overall(findings)
    checks: dict[str, Any] = {
        name: {"status": finding.level, "message": finding.text} for name, finding in findings.items()
    }
    return JsonResponse({"status": status, "checks": checks}, status=503 if status is Level.DOWN else 200)
