"""The tests really run on what was asked for."""

from __future__ import annotations

import os

import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

VENDORS = {"sqlite": "sqlite", "postgres": "postgresql"}


@pytest.mark.django_db
def test_the_database_is_the_engine_that_was_asked_for():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert connection.vendor == VENDORS[os.environ["FACTORYAI_TEST_ENGINE"]]


@pytest.mark.django_db
def test_what_touches_the_database_runs_on_both_engines(request):
    assert request.node.get_closest_marker("database")


def test_what_touches_no_database_runs_once(request):
    assert not request.node.get_closest_marker("database")
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        connection.ensure_connection()


@pytest.mark.django_db
def test_sqlite_tests_use_the_journal_that_ships():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode" if connection.vendor == "sqlite" else "SHOW wal_level")
        assert cursor.fetchone()[0] in {"wal", "replica"}


def test_redis_is_real_and_answers():
    with Redis.from_url(settings.REDIS_URL) as client:
        assert client.set("factoryai-tests", "here", px=5000)
        assert client.get("factoryai-tests") == b"here"


def test_the_data_folder_is_not_the_one_of_an_installation():
    assert settings.DATA_DIR != settings.BASE_DIR / "data"
    assert settings.DATA_DIR.is_dir()
