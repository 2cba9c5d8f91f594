"""The feed of events when Redis is away, hangs, and comes back: pages are told, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings

from factoryai.alerts import feed
from factoryai.alerts.tests.factories import blocked_plate
from factoryai.sites.tests.factories import make_site

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT_S = 10


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name in ("SLOW_EVERY_S", "POLL_EVERY_S", "ANSWERS_WITHIN_S"):
        monkeypatch.setattr(feed, name, 0.1)


async def next_kind(queue):
    async with asyncio.timeout(LIMIT_S):
        return (await queue.get()).kind


async def test_without_redis_pages_hear_that_news_are_slow_and_hear_the_news():
    site = await sync_to_async(make_site)()
    async with feed.Feed("redis://127.0.0.1:1/0").listen() as queue:
        assert await next_kind(queue) == feed.SLOW
        await sync_to_async(blocked_plate)(site)
        assert await next_kind(queue) == "alert"


async def test_pages_hear_when_redis_is_back():
    lost = feed.Feed("redis://127.0.0.1:1/0")
    async with lost.listen() as queue:
        assert await next_kind(queue) == feed.SLOW
        lost._address = settings.REDIS_URL
        assert await next_kind(queue) == feed.FAST
    assert lost.is_slow is False


async def test_a_redis_that_takes_connections_and_says_nothing_counts_as_away():
    async def silent(reader, writer):
        await asyncio.sleep(LIMIT_S)
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, feed.Feed(f"redis://127.0.0.1:{port}/0?protocol=2").listen() as queue:
        assert await next_kind(queue) == feed.SLOW
