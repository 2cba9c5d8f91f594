"""Keys are made for production by one command, and changed by another without losing what they seal."""

from __future__ import annotations

import io

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from factoryai.sealing import SealBrokenError
from factoryai.sites.models import Site
from streaming.models import Camera


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def password_column() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM streaming_camera")
        return cursor.fetchone()[0]


@pytest.fixture
def camera(db) -> Camera:
    site = Site.objects.create(slug="plant", name="Plant")
    return Camera.objects.create(site=site, slug="yard", name="Yard", address="rtsp://10.0.0.5/", password="s3cret")


def test_printed_keys_are_fresh_and_fit_an_env_file():
    first, second = (dict(line.split("=", 1) for line in run("make_keys").splitlines()) for _ in range(2))
    assert set(first) == {"FACTORYAI_SECRET_KEY", "FACTORYAI_FIELD_KEY"}
    assert not set(first.values()) & set(second.values())
    assert not [value for value in first.values() if set(value) & set(" #$'\"\\")]
    Fernet(first["FACTORYAI_FIELD_KEY"])


def test_secret_files_are_made_once(tmp_path):
    assert "made secret.key, field.key, postgres.password, database.url" in run("make_keys", "--into", str(tmp_path))
    before = (tmp_path / "field.key").read_text()
    assert "everything is there already" in run("make_keys", "--into", str(tmp_path))
    assert (tmp_path / "field.key").read_text() == before


def test_after_resealing_the_old_key_is_no_longer_needed(camera, settings):
    old, new = settings.FIELD_KEYS, [Fernet.generate_key().decode()]
    settings.FIELD_KEYS = [*new, *old]
    assert "cameras: 1" in run("reseal")
    settings.FIELD_KEYS = new
    assert Camera.objects.get().password == "s3cret"
    settings.FIELD_KEYS = old
    with pytest.raises(SealBrokenError):
        Camera.objects.get()


def test_resealing_twice_loses_nothing(camera, settings):
    for _ in range(2):
        run("reseal")
    assert Camera.objects.get().password == "s3cret"
    assert "s3cret" not in password_column()


def test_resealing_leaves_empty_secrets_empty(camera):
    Camera.objects.update(password="")
    run("reseal")
    assert password_column() == ""
